"""The arguments of a tool call, from what the model wrote to the object they stand for.

Models and hosts write nothing for no arguments, a string inside a string, and one object after another
(``{}{"city": "Paris"}``). What can only mean one object is read as it; anything else is handed back as malformed.
"""

from __future__ import annotations

from typing import NamedTuple

from keyway import strict_json
from keyway.chat import Json


class Arguments(NamedTuple):
    """The parsed object, and ``None`` or the text that could not be parsed (the object is then empty)."""

    parsed: Json
    malformed: str | None = None


def arguments(written: str, *, cut: bool = False) -> Arguments:
    """Reads ``written``. ``cut``: the model was stopped while it wrote, so that nothing does not mean no arguments."""
    if not written.strip():
        return Arguments({}, written if cut else None)
    parsed = _only_object(written)
    return Arguments({}, written) if parsed is None else Arguments(parsed)


def is_whole(written: str) -> bool:
    """Whether ``written`` is a JSON object that is closed."""
    return written.rstrip().endswith("}") and _only_object(written) is not None


def _only_object(written: str) -> Json | None:
    try:
        values = strict_json.values(written)
        if len(values) == 1 and isinstance(values[0], str):
            values = strict_json.values(values[0])
    except ValueError:
        return None
    if not all(isinstance(value, dict) for value in values):
        return None
    meant = [value for value in values if value] or values[:1]
    if any(value != meant[0] for value in meant):
        return None
    first = meant[0] if meant else {}
    return first if isinstance(first, dict) else None
