"""Writes an exchange as the native door's server-sent events: each has a name and one JSON object.

    text_delta {text, turn}   thinking_delta {text}   tool_call_start {id, name}   turn_end {turn}

and at the end exactly one of ``done`` (the whole answer) or ``error``. A tool call that is handed back to the caller
has a ``tool_call_start`` and stands in ``done``; it has no ``tool_call_end``, because nothing ran.

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
from keyway.events import Event, TextDelta, ThinkingDelta, ToolCallStarted, TurnFinished

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
        self._opened = False
        self._broken = False

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> bytes:
        """The next piece, never empty. An error is the last event."""
        if self._broken:
            raise StopAsyncIteration
        try:
            while not (piece := batch_bytes(await self._exchange.__anext__()) or self._first_byte()):
                pass
        except KeywayError as error:
            self._broken = True
            return _error_bytes(error.to_json(self._request_id))
        self._opened = True
        return piece

    async def aclose(self) -> None:
        """Ends the exchange, which settles whatever is not settled yet."""
        await self._exchange.aclose()

    def _first_byte(self) -> bytes:
        return b"" if self._opened else OPEN


def batch_bytes(batch: Iterable[Event | Answer]) -> bytes:
    """The events of one batch, one after the other, ready to be sent; empty when none of them is shown."""
    return "".join(map(_event, batch)).encode()


def _error_bytes(error: dict[str, object]) -> bytes:
    return f"event: error\ndata: {json.dumps(error)}\n\n".encode()


def _event(event: Event | Answer) -> str:
    if isinstance(event, TextDelta):
        return f'event: text_delta\ndata: {{"text": {encode_basestring_ascii(event.text)}, "turn": "final"}}\n\n'
    if isinstance(event, ThinkingDelta):
        return f'event: thinking_delta\ndata: {{"text": {encode_basestring_ascii(event.text)}}}\n\n'
    if isinstance(event, ToolCallStarted):
        return f"event: tool_call_start\ndata: {json.dumps({'id': event.id, 'name': event.name})}\n\n"
    if isinstance(event, TurnFinished):
        return 'event: turn_end\ndata: {"turn": "final"}\n\n'
    if isinstance(event, Answer):
        return f"event: done\ndata: {json.dumps(answer_json(event))}\n\n"
    return ""  # a whole tool call is part of the answer, not of the stream
