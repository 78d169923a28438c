"""Writes an exchange as the native door's server-sent events: each has a name and one JSON object.

    text_delta {text, turn}         thinking_delta {text}                turn_end {turn}
    tool_call_start {id, name}      tool_call_end {id, name, status}

and at the end exactly one of ``done`` (the whole answer) or ``error``. Text whose ``turn`` is ``pending`` may turn out
to be said before a tool is called: the ``turn_end`` after it tells whether it was ``intermediate``, or the ``final``
text of the answer. A tool call that is handed back to the caller has a ``tool_call_start`` and stands in ``done``; it
has no ``tool_call_end``, because nothing ran.

This is the hot path: what one read brought is written at once, as one piece.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii
from typing import Protocol

from keyway.answer import Answer
from keyway.doors.native.answer import answer_json
from keyway.errors import KeywayError
from keyway.events import (
    Event,
    TextDelta,
    ThinkingDelta,
    ToolCallEnded,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
)

OPEN = b": open\n\n"
"""A comment, sent when a provider has accepted a request and said nothing yet: the caller's first byte."""

PING = b": ping\n\n"
"""A comment that keeps a silent stream alive through every proxy in between."""


class Batches(Protocol):
    """What is rendered: an exchange, seen from here."""

    async def __anext__(self) -> list[Event | Answer]: ...
    async def aclose(self) -> None: ...


class EventStream:
    """The body of a streamed answer: bytes as the exchange brings them. Closing it closes the exchange."""

    def __init__(self, exchange: Batches, request_id: str) -> None:
        self._exchange = exchange
        self._request_id = request_id
        self._turn = "final"
        """What the text of the turn under way is called."""
        self._opened = False
        self._broken = False

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> bytes:
        """The next piece, never empty. An error is the last event."""
        if self._broken:
            raise StopAsyncIteration
        try:
            while not (piece := self._bytes(await self._exchange.__anext__()) or self._first_byte()):
                pass
        except KeywayError as error:
            self._broken = True
            return _error_bytes(error.to_json(self._request_id))
        self._opened = True
        return piece

    async def aclose(self) -> None:
        """Ends the exchange, which settles whatever is not settled yet."""
        await self._exchange.aclose()

    def _bytes(self, batch: list[Event | Answer]) -> bytes:
        if batch and isinstance(started := batch[0], TurnStarted):
            self._turn = "final" if started.last else "pending"
        return batch_bytes(batch, turn=self._turn)

    def _first_byte(self) -> bytes:
        return b"" if self._opened else OPEN


def batch_bytes(batch: Iterable[Event | Answer], *, turn: str = "final") -> bytes:
    """The events of one batch, one after the other, ready to be sent; empty when none of them is shown.

    A batch is of one turn. ``turn`` is what its text is called.
    """
    return "".join([_event(event, turn) for event in batch]).encode()


def _error_bytes(error: dict[str, object]) -> bytes:
    return f"event: error\ndata: {json.dumps(error)}\n\n".encode()


def _event(event: Event | Answer, turn: str) -> str:
    if isinstance(event, TextDelta):
        return f'event: text_delta\ndata: {{"text": {encode_basestring_ascii(event.text)}, "turn": "{turn}"}}\n\n'
    if isinstance(event, ThinkingDelta):
        return f'event: thinking_delta\ndata: {{"text": {encode_basestring_ascii(event.text)}}}\n\n'
    name, data = _seldom(event)
    return f"event: {name}\ndata: {json.dumps(data)}\n\n" if name else ""


def _seldom(event: Event | Answer) -> tuple[str, dict[str, object]]:
    """The name and the object of an event that comes once in a while; no name for one that is not shown."""
    match event:
        case ToolCallStarted(call_id, name):
            return "tool_call_start", {"id": call_id, "name": name}
        case ToolCallEnded(call_id, name, status):
            return "tool_call_end", {"id": call_id, "name": name, "status": status}
        case TurnFinished(last=last):
            return "turn_end", {"turn": "final" if last else "intermediate"}
        case Answer():
            return "done", answer_json(event)
        case _:
            return "", {}  # a whole tool call is part of the answer, not of the stream
