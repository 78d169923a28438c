"""JSON that everybody can pass on: all of it is read as Python reads it, and what others do not take is refused."""

from __future__ import annotations

import json

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
    assert strict_json.loads(text.encode()) == value
    assert strict_json.loads("\ufeff" + text) == value
    assert strict_json.problem(value) is None


@given(st.lists(VALUES), st.text(alphabet=" \t\r\n"))
def test_values_one_after_another(values, space):
    text = space + "".join(f"{json.dumps(value)}\n" for value in values) + space
    assert strict_json.values(text) == values


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("around", ["{}", '{{"a": [1, {}]}}'])
def test_a_number_that_is_none_is_refused(number, around):
    text = around.format(number)
    message = f"holds {number}, which is no number in JSON"
    with pytest.raises(StrictJsonError, match=message):
        strict_json.loads(text)
    with pytest.raises(StrictJsonError, match=message):
        strict_json.values("{}" + text)
    assert strict_json.problem(json.loads(text)) == "holds a number that is none in JSON"


@pytest.mark.parametrize("more", [1, 50, 10_000, 1_000_000])
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


@pytest.mark.parametrize("text", ["", "{", "[1,]", "'a'", "{} {}", b"\xff", "9" * 5_000])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        strict_json.loads(text)
