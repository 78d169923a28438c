"""What a tool is run with: the model's arguments under those that were configured. Pure.

Configured arguments win, except empty ones (``null``, ``""``, empty objects and arrays), which leave the model's in
place. ``inputMapping`` is merged member by member. A key is never the model's to choose, so the parameter that holds
one is dropped from what the model wrote.
"""

from __future__ import annotations

from collections.abc import Mapping

_MERGED = "inputMapping"


def merged(
    written: Mapping[str, object], configured: Mapping[str, object], *, key_parameter: str | None = None
) -> dict[str, object]:
    """The arguments of one call, without the key.

    Args:
        written: The model's.
        configured: The request's ``params``.
        key_parameter: The parameter that holds a key.
    """
    arguments = dict(written)
    for name, value in configured.items():
        if name == _MERGED:
            arguments[name] = _deep(arguments.get(name), value)
        elif not _empty(value):
            arguments[name] = value
    if key_parameter is not None:
        arguments.pop(key_parameter, None)
    return arguments


def _deep(under: object, over: object) -> object:
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        return {**under, **{name: _deep(under.get(name), value) for name, value in over.items()}}
    return under if _empty(over) else over


def _empty(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, Mapping | list) and not value)
