"""JSON as everybody can pass it on: its numbers are numbers, and it is not nested deeper than one can walk. Pure.

Python reads ``NaN``, and ``1e999`` as infinity, and writes both as what no other JSON reader takes; and what is nested
some hundred levels deep is read by one piece of code and breaks the next. Callers, models and hosts write all of these,
so whatever comes from outside is read here, or looked at here when somebody else has read it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn

LEVELS = 100
"""Levels of objects and arrays in one value: a tool's arguments, a schema, an output."""

DOCUMENT_LEVELS = 2 * LEVELS
"""Levels of a whole document, which may hold such a value."""


class StrictJsonError(ValueError):
    """It is JSON to Python, and to others it is not. The message says what it does: ``is nested deeper than ...``."""


def loads(text: str | bytes, *, levels: int = DOCUMENT_LEVELS) -> object:
    """The value that ``text`` says.

    Raises:
        StrictJsonError: It holds a number that is none, or is nested deeper than ``levels``.
        json.JSONDecodeError: It is not JSON.
        ValueError: It holds more digits in a row, or bytes, than Python reads.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    text = text.removeprefix("\ufeff")
    try:
        value: object = _DECODER.decode(text)
    except RecursionError:
        raise StrictJsonError(_too_deep(levels)) from None
    _check_levels([value], text, levels)
    return value


def values(text: str, *, levels: int = LEVELS) -> list[object]:
    """The values in ``text``, one after another. Raises as ``loads`` does."""
    found: list[object] = []
    end = 0
    try:
        while (start := _next(text, end)) < len(text):
            value, end = _DECODER.raw_decode(text, start)
            found.append(value)
    except RecursionError:
        raise StrictJsonError(_too_deep(levels)) from None
    _check_levels(found, text, levels)
    return found


def problem(value: object, *, levels: int = LEVELS) -> str | None:
    """What keeps ``value``, which somebody else has read, from being passed on as JSON; ``None`` when nothing does."""
    layer: Collection[object] = (value,)
    for _ in range(levels + 1):
        if any(isinstance(each, float) and not math.isfinite(each) for each in layer):
            return "holds a number that is none in JSON"
        containers = [each for each in layer if isinstance(each, Mapping | list | tuple)]
        if not containers:
            return None
        layer = [member for each in containers for member in (each.values() if isinstance(each, Mapping) else each)]
    return _too_deep(levels)


def _check_levels(found: Sequence[object], text: str, levels: int) -> None:
    if text.count("{") + text.count("[") <= levels:
        return  # most texts have fewer brackets than levels are allowed
    for value in found:
        if (what := problem(value, levels=levels)) is not None:
            raise StrictJsonError(what)


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _too_deep(levels: int) -> str:
    return f"is nested deeper than {levels} levels"


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        _refuse(number)
    return value


def _refuse(constant: str) -> NoReturn:
    raise StrictJsonError(f"holds {constant[:20]}, which is no number in JSON")


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
