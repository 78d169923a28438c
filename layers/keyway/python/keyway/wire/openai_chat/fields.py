"""Reads fields of this protocol's JSON; what every wire reads alike is ``wire/fields.py``."""

from __future__ import annotations

from collections.abc import Sequence

from keyway.chat import Json
from keyway.wire.fields import NOTHING, member, text

__all__ = ["NOTHING", "member", "members", "text"]


def members(value: object) -> Sequence[Json]:
    """The objects of an array; what is no object, or no array, is left out."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else ()


def count(data: Json, name: str) -> int | None:
    """A field that counts something, or ``None``."""
    value = data.get(name)
    return value if type(value) is int and value >= 0 else None
