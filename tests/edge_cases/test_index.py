"""The nasty cases that a gateway of many vendors meets, by number, and what shows each: ``index.json``.

A case has aspects, and each aspect names fixtures (files, ``*`` allowed) and tests (``file::test`` or
``file::test[id]``), as paths below ``tests``. Nothing may be named that does not exist, and no fixture of this folder
may be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
INDEX: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "index.json").read_bytes())
SHOWN = [
    pytest.param(reference, id=f"{number}-{reference}")
    for number, case in INDEX.items()
    for reference in dict.fromkeys(chain.from_iterable(case["shown"].values()))
]
_REFERENCE = re.compile(r"(?P<path>[^:]+\.py)::(?P<test>test_\w+)(?:\[(?P<id>.+)\])?")


def test_there_are_31_cases_and_each_is_shown():
    assert list(INDEX) == [str(number) for number in range(1, 32)]
    for case in INDEX.values():
        assert set(case) == {"about", "shown"}
        assert case["about"]
        assert case["shown"]
        assert all(case["shown"].values())


@pytest.mark.parametrize("reference", SHOWN)
def test_what_is_named_exists(reference: str):
    named = _REFERENCE.fullmatch(reference)
    if named is None:
        assert [path for path in TESTS.glob(reference) if path.is_file()]
        assert not reference.endswith(".py")
        return
    test = getattr(module(named["path"]), named["test"])
    assert callable(test)
    if named["id"] is not None:
        assert named["id"] in set(ids(test))


def test_no_fixture_is_left_out_or_stands_under_another_number():
    here = {path for path in Path(__file__).parent.glob("*/*/*") if path.is_file() and path.suffix != ".pyc"}
    for number, case in INDEX.items():
        for reference in chain.from_iterable(case["shown"].values()):
            found = set(TESTS.glob(reference)) if "::" not in reference else set()
            assert {path.name[:2] for path in found & here} <= {f"{int(number):02}"}, reference
            here -= found
    assert here == set()


@pytest.mark.parametrize("number", INDEX)
def test_a_fixture_is_read_by_the_suite_that_it_belongs_to(number: str):
    """A file that no test reads would show nothing: its name, or its folder, stands in a test beside it."""
    for reference in chain.from_iterable(INDEX[number]["shown"].values()):
        if "::" in reference:
            continue
        folder = (TESTS / reference).parent
        beside = [path.read_text(encoding="utf-8") for path in folder.parent.glob("test_*.py")]
        assert any(f'"{folder.name}"' in text for text in beside), reference


@cache
def module(path: str) -> Any:
    """A test module, by its path. The way pytest imports them, so that none is imported twice."""
    return import_module("tests." + path.removesuffix(".py").replace("/", "."))


def ids(test: Any) -> Iterator[str]:
    """The ids of a test's parameters, each by itself."""
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize":
            yield from map(str, mark.kwargs.get("ids") or ())
            for value in mark.args[1]:
                yield str(getattr(value, "id", None) or value)
