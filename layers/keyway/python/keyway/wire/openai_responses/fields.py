"""Reads fields of this protocol's JSON; what every wire reads alike is ``wire/fields.py``."""

from __future__ import annotations

from collections.abc import Sequence

from keyway.chat import Json
from keyway.wire.fields import NOTHING, count, member, text

__all__ = ["NOTHING", "count", "member", "members", "text"]


def members(data: Json, name: str) -> Sequence[Json]:
    """The objects of an array field; what is no object counts as an empty one, so that positions stay true."""
    value = data.get(name)
    if not isinstance(value, list):
        return ()
    return [entry if isinstance(entry, dict) else NOTHING for entry in value]
