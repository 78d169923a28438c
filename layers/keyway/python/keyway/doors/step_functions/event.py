"""Reads a bare event: a native request, and the key under which it is charged once.

Keys we do not know are ignored, because a state machine's input is often more than a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keyway.chat import Caller, ChatRequest
from keyway.doors.native.request import read_request
from keyway.errors import InvalidRequest

_KEY = "idempotencyKey"
_SECRETS: Any = {
    "bedrock_secret_key": True,
    "tools": {"__all__": {"params": {"apiKey": True}, "executor": {"headers": True}}},
}
"""What of a request holds secrets. A tool's key may stand in another of its parameters where its row says so; what is
kept of a task is a digest."""
_LONGEST = 1_024
"""Characters. An execution's ARN, a state's name and an index take about 350."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one event asks for. ``idempotency_key`` is ``None`` for a task that is charged each time it runs."""

    request: ChatRequest
    caller: Caller
    idempotency_key: str | None = None

    @property
    def fingerprint(self) -> dict[str, object]:
        """What has to be the same for two tasks to be one: all that was asked, and by whom, without keys."""
        return {
            "request": self.request.model_dump(by_alias=True, exclude_unset=True, exclude=_SECRETS),
            "caller": self.caller.model_dump(by_alias=True, exclude_unset=True, exclude={"api_key"}),
        }


def read_task(event: object) -> Task:
    """The task in ``event``.

    Raises:
        InvalidRequest: Naming each field at fault and what would be right.
    """
    if not isinstance(event, Mapping):
        request, caller = read_request(event, ignore_unknown=True)
        return Task(request, caller)
    body = {name: value for name, value in event.items() if name != _KEY}
    request, caller = read_request(body, ignore_unknown=True)
    return Task(request, caller, _idempotency_key(event.get(_KEY)))


def _idempotency_key(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidRequest(f"{_KEY}: must be a string")
    if not 0 < len(value) <= _LONGEST:
        raise InvalidRequest(f"{_KEY}: must be 1 to {_LONGEST} characters long")
    return value
