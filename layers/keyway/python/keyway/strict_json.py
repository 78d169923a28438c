"""JSON as everybody can pass it on: its numbers are numbers, and it is not nested deeper than one can walk. Pure.

Python reads ``NaN``, and ``1e999`` as infinity, and writes both as what no other JSON reader takes; and what is nested
some hundred levels deep is read by one piece of code and breaks the next. Callers, models and hosts write all of these,
so what they write and we pass on is read here, or looked at here when somebody else has read it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import NoReturn

_PLAIN = frozenset({str, int, float, bool, type(None), list, tuple})

LEVELS = 100
"""Levels of objects and arrays in one value: a tool's arguments, a schema, an output."""


class StrictJsonError(ValueError):
    """It is JSON to Python, and to others it is not. The message says what it does: ``is nested deeper than ...``."""


def loads(text: str, *, levels: int | None = None) -> object:
    """The value that ``text`` says.

    Raises:
        StrictJsonError: It holds a number that is none, or is nested deeper than ``levels``; without any, deeper than
            Python reads.
        json.JSONDecodeError: It is not JSON.
        ValueError: It holds more digits in a row than Python reads.
    """
    try:
        value: object = _DECODER.decode(text)
    except RecursionError:
        raise StrictJsonError(_too_deep(levels)) from None
    if levels is not None:
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
    layer: list[object] = [value]
    for depth in range(levels + 1):
        below: list[object] = []
        nested = False
        for each in layer:
            # By its very type, which is fast: a caller may send millions.
            kind = type(each)
            if kind is dict or (kind not in _PLAIN and isinstance(each, Mapping)):
                nested = True
                below.extend(each.values())  # type: ignore[attr-defined]  # a mapping, as was just seen
            elif kind is list or kind is tuple:
                nested = True
                below.extend(each)  # type: ignore[arg-type]  # the same
            elif kind is float and not math.isfinite(each):  # type: ignore[arg-type]
                return "holds a number that is not finite"
        if not nested:
            return None
        if depth == levels:
            break
        layer = below
    return _too_deep(levels)


def shown(value: object) -> str:
    """``value`` as text, for people: JSON, or as near to it as it comes; ``""`` when it is nested too deep for that."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def _check_levels(found: Sequence[object], text: str, levels: int) -> None:
    if text.count("{") + text.count("[") <= levels:
        return  # most texts have fewer brackets than levels are allowed
    for value in found:
        if (what := problem(value, levels=levels)) is not None:
            raise StrictJsonError(what)


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():  # models write other blanks than JSON's own
        at += 1
    return at


def _too_deep(levels: int | None) -> str:
    return "is nested too deep" if levels is None else f"is nested deeper than {levels} levels"


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise StrictJsonError(f"holds {number[:20]}, which is too large a number")
    return value


def _refuse(constant: str) -> NoReturn:
    raise StrictJsonError(f"holds {constant[:20]}, which is no number in JSON")


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
