"""JSON that everybody can pass on: all of it is read as Python reads it, and what others do not take is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway import strict_json
from keyway.strict_json import StrictJsonError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@given(VALUES)
def test_json_is_read_as_python_reads_it(value):
    text = json.dumps(value)
    assert strict_json.loads(text) == value
    assert strict_json.problem(value) is None


@given(st.lists(VALUES), st.text(alphabet=" \t\r\n"))
def test_values_one_after_another(values, space):
    text = space + "".join(f"{json.dumps(value)}\n" for value in values) + space
    assert strict_json.values(text) == values


@pytest.mark.parametrize(
    ("number", "what"),
    [
        ("NaN", "is no number in JSON"),
        ("Infinity", "is no number in JSON"),
        ("-Infinity", "is no number in JSON"),
        ("1e999", "is too large a number"),
        ("-1e999", "is too large a number"),
    ],
)
@pytest.mark.parametrize("around", ["{}", '{{"a": [1, {}]}}'])
def test_a_number_that_is_none_is_refused(number, what, around):
    text = around.format(number)
    message = f"holds {number}, which {what}"
    with pytest.raises(StrictJsonError, match=message):
        strict_json.loads(text)
    with pytest.raises(StrictJsonError, match=message):
        strict_json.values("{}" + text)
    assert strict_json.problem(json.loads(text)) == "holds a number that is not finite"


@pytest.mark.parametrize("more", [1, 50, 100_000])
def test_no_more_levels_than_one_can_walk(more):
    assert strict_json.loads(nested(100), levels=100) == json.loads(nested(100))
    with pytest.raises(StrictJsonError, match=r"^is nested deeper than 100 levels$"):
        strict_json.loads(nested(100 + more), levels=100)
    with pytest.raises(StrictJsonError, match=r"^is nested deeper than 100 levels$"):
        strict_json.values("{}" + nested(100 + more), levels=100)


def test_levels_are_counted_and_not_brackets():
    wide = json.dumps([{"a": [1]}] * 500)
    assert strict_json.loads(wide, levels=3) == json.loads(wide)
    assert strict_json.problem(json.loads(wide), levels=3) is None
    assert strict_json.problem(json.loads(wide), levels=2) == "is nested deeper than 2 levels"


@pytest.mark.parametrize("text", ["", "{", "[1,]", "'a'", "{} {}", "\ufeff{}", "9" * 5_000])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        strict_json.loads(text)


def test_other_blanks_than_jsons_own_are_none_of_anybodys_business_between_values():
    assert strict_json.values('\u00a0{"a": 1}\u00a0{}\u2003') == [{"a": 1}, {}]


class Mapped(Mapping[str, object]):
    """A JSON object that is no dict."""

    def __init__(self, **members: object) -> None:
        self._members = members

    def __getitem__(self, name: str) -> object:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def test_whatever_holds_values_is_looked_into():
    assert strict_json.problem(Mapped(a=(1, [math.inf]))) == "holds a number that is not finite"
    assert strict_json.problem(Mapped(a=Mapped()), levels=1) == "is nested deeper than 1 levels"
    assert strict_json.problem(Mapped(a=1), levels=1) is None


@given(VALUES)
def test_what_can_be_passed_on_is_shown_as_it_is(value):
    assert json.loads(strict_json.shown(value)) == value


def test_what_cannot_is_shown_as_near_to_it_as_it_comes():
    assert strict_json.shown([math.inf]) == "[Infinity]"
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert strict_json.shown(deep) == ""
    while deep:  # else its own end would go too deep
        deep = deep.pop()
