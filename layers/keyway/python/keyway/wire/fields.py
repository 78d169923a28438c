"""Reads fields of a provider's JSON, which may hold anything.

Each function answers in one type: with the field, or with that type's empty value.
"""

from __future__ import annotations

from collections.abc import Sequence

from keyway.chat import Json

NOTHING: Json = {}


def text(data: Json, name: str) -> str:
    """A string field, or ``""``."""
    value = data.get(name)
    return value if isinstance(value, str) else ""


def member(data: Json, name: str) -> Json:
    """An object field, or ``{}``."""
    value = data.get(name)
    return value if isinstance(value, dict) else NOTHING


def members(data: Json, name: str) -> Sequence[Json]:
    """The objects of an array field; anything else in it is passed over."""
    value = data.get(name)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else ()


def count(data: Json, name: str) -> int | None:
    """A field that counts something, or ``None``."""
    value = data.get(name)
    return value if type(value) is int and value >= 0 else None
