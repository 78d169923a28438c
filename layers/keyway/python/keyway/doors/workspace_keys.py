"""Reads what the workspace-keys function is asked to do, and shows its answers. Pure.

    {"action": "put", "workspaceId": "ws-1", "provider": "openai", "apiKey": "sk-…", "label": "main", "check": true}
    {"action": "list", "workspaceId": "ws-1"}                                    provider: optional
    {"action": "rotate", "workspaceId": "ws-1", "provider": "openai", "id": "…", "apiKey": "sk-…", "check": true}
    {"action": "delete", "workspaceId": "ws-1", "provider": "openai", "id": "…"}

An unknown field is refused: a misspelt ``id`` must not delete something else. Doing it is
``outside/workspace_keys_admin.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast, get_args

from keyway.errors import InvalidRequest

Action: TypeAlias = Literal["put", "list", "delete", "rotate"]

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "put": ("workspaceId", "provider", "apiKey"),
    "list": ("workspaceId",),
    "delete": ("workspaceId", "provider", "id"),
    "rotate": ("workspaceId", "provider", "id", "apiKey"),
}
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "put": ("label", "check", "model"),
    "list": ("provider",),
    "delete": (),
    "rotate": ("label", "check", "model"),
}
_LONGEST: Mapping[str, int] = {
    "workspaceId": 256,
    "provider": 64,
    "apiKey": 4_096,
    "id": 64,
    "label": 200,
    "model": 200,
}
"""Characters. KMS encrypts up to 4,096 bytes at a time; the rest is generous."""

_SHORTEST_KEY = 8
"""Characters of a key: of a shorter one the last four, which are shown, would be too much."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do. What an action has no use for is ``""``.

    Attributes:
        model: The model that is asked when the key is checked; ``""`` for the provider's cheapest.
        check: Ask the provider whether it takes the key, before it is stored.
    """

    action: Action
    workspace_id: str
    provider: str = ""
    api_key: str = field(default="", repr=False)
    id: str = ""
    label: str = ""
    model: str = ""
    check: bool = False


def read_command(event: object) -> Command:
    """What ``event`` asks for.

    Raises:
        InvalidRequest: Naming the field at fault. A key is never repeated.
    """
    if not isinstance(event, Mapping):
        raise InvalidRequest("the event must be a JSON object with an action")
    action = str(event.get("action"))
    if action not in get_args(Action):
        raise InvalidRequest(f"action: must be one of {', '.join(get_args(Action))}")
    known = {"action", *_NEEDED[action], *_ALLOWED[action]}
    if unknown := sorted(str(name) for name in event.keys() - known):
        raise InvalidRequest(f"{', '.join(unknown)}: not a field of {action}; it takes {', '.join(sorted(known))}")
    if missing := [name for name in _NEEDED[action] if event.get(name) in (None, "")]:
        raise InvalidRequest(f"{', '.join(missing)}: required for {action}")
    check = event.get("check", False)
    if not isinstance(check, bool):
        raise InvalidRequest("check: must be true or false")
    return Command(
        action=cast(Action, action),
        workspace_id=_text(event, "workspaceId"),
        provider=_text(event, "provider"),
        api_key=_key(event),
        id=_text(event, "id"),
        label=_text(event, "label"),
        model=_text(event, "model"),
        check=check,
    )


def _text(event: Mapping[str, object], name: str) -> str:
    value = event.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidRequest(f"{name}: must be a string")
    if len(value) > _LONGEST[name]:
        raise InvalidRequest(f"{name}: must not be longer than {_LONGEST[name]} characters")
    if not value.isprintable():
        raise InvalidRequest(f"{name}: must be one line of printable characters")
    return value


def _key(event: Mapping[str, object]) -> str:
    value = event.get("apiKey")
    if isinstance(value, str):
        # People paste keys with a line feed.
        event = {**event, "apiKey": value.strip()}
    key = _text(event, "apiKey")
    if value is not None and (len(key) < _SHORTEST_KEY or not key.isascii() or " " in key):
        raise InvalidRequest(f"apiKey: must be {_SHORTEST_KEY} or more ASCII characters without a space")
    return key
