"""The arguments of a tool call, from what the model wrote to the object they stand for.

Models and imitating hosts write nothing for no arguments, an object where a string belongs, a string inside a
string, or an empty object before the real one. All of these are read; anything else is handed back as malformed.
"""

from __future__ import annotations

from typing import NamedTuple

from keyway import strict_json
from keyway.chat import Json


class Arguments(NamedTuple):
    """The parsed object, and ``None`` or the text that could not be parsed (the object is then empty)."""

    parsed: Json
    malformed: str | None = None


def arguments(written: object, *, cut: bool = False) -> Arguments:
    """Reads ``written``, a string or already an object.

    ``cut`` says that the model was stopped while it wrote: then even text that happens to parse is malformed, as
    it may be the beginning of something else.
    """
    if isinstance(written, dict):
        return Arguments({}, strict_json.shown(written)) if cut or strict_json.problem(written) else Arguments(written)
    as_written = written if isinstance(written, str) else ""
    if cut:
        return Arguments({}, as_written)
    if not as_written.strip():
        return Arguments({})
    parsed = _object(as_written)
    return Arguments({}, as_written) if parsed is None else Arguments(parsed)


def _object(written: str) -> Json | None:
    candidates = [written]
    if written.lstrip().startswith("{}"):
        candidates.append(written.lstrip()[2:])
    for candidate in candidates:
        try:
            value = strict_json.loads(candidate, levels=strict_json.LEVELS)
            if isinstance(value, str):
                value = strict_json.loads(value, levels=strict_json.LEVELS)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return None
