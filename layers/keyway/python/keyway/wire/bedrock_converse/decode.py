"""The bytes of an answer, one JSON document or an event stream, handed on to ``answer.py``.

The first byte tells which: it is the highest of a message's length in an event stream, so 0 or 1, and no document
begins with either. What was asked for does not decide, as a proxy may answer with the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from keyway.chat import Json
from keyway.errors import ProviderProtocolError
from keyway.events import Event, Usage
from keyway.framing.eventstream import EventStreamDecoder, EventStreamMessage
from keyway.wire.bedrock_converse.answer import Answer
from keyway.wire.bedrock_converse.dialect import Dialect
from keyway.wire.bedrock_converse.failure import failure_in_band

_SHOWN = 200
"""Characters of an unreadable answer that an error quotes."""
_HIGHEST_LENGTH_BYTE = 1
"""The longest message an event stream may hold is shorter than 32 MiB."""


def decoder(dialect: Dialect, *, provider: str, structured: bool = False) -> ConverseDecoder:  # noqa: ARG001 - of no use here
    """See ``Wire.decoder``."""
    return ConverseDecoder(provider)


class ConverseDecoder:
    """A ``Decoder`` (see ``wire/contract.py``)."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._answer = Answer(provider)
        self._document: list[bytes] = []
        self._frames: EventStreamDecoder | None = None
        self.begun = False

    @property
    def usage(self) -> Usage | None:
        return self._answer.usage

    def feed(self, data: bytes) -> Iterator[Event]:
        """See ``Decoder.feed``."""
        if not data or self._answer.is_finished():
            return
        if self._frames is None:
            if self._document or data[0] > _HIGHEST_LENGTH_BYTE:
                self._document.append(data)
                return
            self._frames = EventStreamDecoder(provider=self._provider)
        for message in self._frames.feed(data):
            yield from self._message(message)
            self.begun = True
            if self._answer.is_finished():
                return

    def end(self) -> Iterator[Event]:
        """See ``Decoder.end``."""
        if self._answer.is_finished():
            return
        if self._frames is None:
            yield from self._whole(b"".join(self._document))
            return
        self._frames.end()
        yield from self._answer.end()

    def _message(self, message: EventStreamMessage) -> Iterator[Event]:
        headers, payload = message
        match headers.get(":message-type"):
            case "event":
                return self._event(headers.get(":event-type"), payload)
            case "exception":
                raise failure_in_band(headers.get(":exception-type"), _object(payload) or {}, provider=self._provider)
            case "error":
                said = {"message": headers.get(":error-message")}
                raise failure_in_band(headers.get(":error-code"), said, provider=self._provider)
        raise self._broken("sent a message that is neither an event nor an error")

    def _event(self, kind: object, payload: bytes) -> Iterator[Event]:
        handle = self._answer.EVENTS.get(kind) if isinstance(kind, str) else None
        if handle is None:
            return iter(())  # the API adds events from time to time
        data = _object(payload)
        if data is None:
            raise self._broken(f"sent a {kind} event that is not a JSON object: {_shown(payload)}")
        return iter(handle(self._answer, data))

    def _whole(self, body: bytes) -> Iterator[Event]:
        data = _object(body)
        if data is None:
            raise self._broken(f"sent an answer that is not a JSON object: {_shown(body)}")
        return self._answer.document(data)

    def _broken(self, what: str) -> ProviderProtocolError:
        return ProviderProtocolError(f"{self._provider} {what}", provider=self._provider)


def _object(text: bytes) -> Json | None:
    """The JSON object that ``text`` is, or ``None``."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _shown(text: bytes) -> str:
    return repr(" ".join(text[: 4 * _SHOWN].decode("utf-8", "replace").split())[:_SHOWN] or "an empty body")
