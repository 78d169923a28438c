"""What is wrong with some JSON, in our words: pydantic finds the faults, and its own words speak of Python.

Used for whatever people write: requests, and the operator's tool catalog. A value is never quoted: it may be secret.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_SHOWN = 5
"""How many faults one message names."""

_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "tuple_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "decimal_type": "must be a number",
    "decimal_parsing": "must be a number",
    "bool_type": "must be true or false",
    "string_too_short": "must not be empty",
    "union_tag_invalid": "is of no kind that is known",
    "union_tag_not_found": "must say of which kind it is",
}

Kinds: TypeAlias = Mapping[str, Collection[str]]
"""Members that may be of several kinds, and those: pydantic puts the kind into a place, where nobody has written it."""


def faults_of(error: ValidationError, *, kinds: Kinds, below: str = "") -> str:
    """The faults as one line, each with its place, such as ``messages[0].role: is required``.

    Args:
        kinds: Those of what was validated.
        below: The place of what was validated, put before each of its own.
    """
    faults = _details(error)
    more = f" (and {len(faults) - _SHOWN} more)" if len(faults) > _SHOWN else ""
    return "; ".join(_fault(fault, kinds, below) for fault in faults[:_SHOWN]) + more


def unknown_fields(error: ValidationError, *, kinds: Kinds) -> list[tuple[int | str, ...]]:
    """The places of fields that nobody knows, as they stand in what was read."""
    return [_place(fault, kinds) for fault in _details(error) if fault["type"] == "extra_forbidden"]


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_context=False, include_input=False)


def _place(fault: ErrorDetails, kinds: Kinds) -> tuple[int | str, ...]:
    place = fault["loc"]
    return tuple(
        part for before, part in zip((None, *place), place, strict=False) if part not in kinds.get(str(before), ())
    )


def _fault(fault: ErrorDetails, kinds: Kinds, below: str) -> str:
    place = below + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in _place(fault, kinds))
    message = _WORDS.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
    message = message.removeprefix("Input ").removeprefix("String ")
    return f"{place.lstrip('.')}: {message}" if place else message
