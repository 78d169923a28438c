"""The body of a successful answer: an event stream or one JSON document, told apart by its first byte.

What was asked for does not decide: proxies answer a streaming request with a document, and the other way
round, and some send blank lines before a document to keep the connection alive. A wire implements ``Turn`` (what
its frames mean) and gets a whole ``Decoder`` from ``BodyDecoder``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Protocol

from keyway.chat import Json
from keyway.errors import ProviderProtocolError
from keyway.events import Event, Usage
from keyway.framing.sse import ServerSentEvent, SseDecoder

_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_SHOWN = 200
"""Characters of an unreadable body that an error quotes."""


class Turn(Protocol):
    """What one wire makes of the frames of one answer. The same four names on every wire that speaks JSON."""

    usage: Usage | None

    def frame(self, name: str, data: Json) -> Iterator[Event]:
        """One event of a stream: its SSE name (often ``""``) and its JSON object."""
        ...

    def document(self, data: Json) -> Iterator[Event]:
        """The whole answer as one JSON object. Emits the terminal event too."""
        ...

    def done(self) -> Iterator[Event]:
        """The stream said ``[DONE]``."""
        ...

    def end(self) -> Iterator[Event]:
        """The stream's bytes ended. Raises ``ProviderProtocolError`` when no terminal signal was seen."""
        ...


class BodyDecoder:
    """A ``Decoder`` (see ``contract.py``) over a wire's ``Turn``."""

    def __init__(self, turn: Turn, *, provider: str) -> None:
        self._turn = turn
        self._provider = provider
        self._sse: SseDecoder | None = None
        self._document: list[bytes] = []
        self._is_document: bool | None = None
        self.begun = False

    @property
    def usage(self) -> Usage | None:
        return self._turn.usage

    def feed(self, data: bytes) -> Iterator[Event]:
        """See ``Decoder.feed``."""
        if self._sse is None:
            if self._document_so_far(data):
                return
            self._sse = SseDecoder()
            data = b"".join(self._document).lstrip(_SPACE)
            self._document = []
        for event in self._sse.feed(data):
            yield from self._event(event, self._sse.take_stray())
            self.begun = True

    def end(self) -> Iterator[Event]:
        """See ``Decoder.end``."""
        if self._sse is None:
            yield from self._whole(b"".join(self._document))
            return
        for event in self._sse.end():
            yield from self._event(event, self._sse.take_stray())
        yield from self._strays(self._sse.take_stray())
        yield from self._turn.end()

    def _document_so_far(self, data: bytes) -> bool:
        """Keeps ``data``, and says whether the body may still be a document rather than an event stream."""
        self._document.append(data)
        if self._is_document is None:
            start = b"".join(self._document).lstrip(_SPACE).removeprefix(_BOM).lstrip(_SPACE)
            if start and not _BOM.startswith(start):
                # "<" is an HTML page: no document either, but reading it as one quotes it in the error.
                self._is_document = start[:1] in (b"{", b"[", b"<")
            else:
                self._document = [start]
        return self._is_document is not False

    def _whole(self, text: bytes) -> Iterator[Event]:
        data = _json(text)
        if isinstance(data, dict):
            yield from self._turn.document(data)
            return
        if (frames := _objects(data)) is None:
            raise self._unreadable(text.decode("utf-8", "replace"))
        for frame in frames:
            yield from self._turn.frame("", frame)
        yield from self._turn.end()

    def _event(self, event: ServerSentEvent, stray: str) -> Iterator[Event]:
        data = event.data.strip()
        done = data.startswith("[DONE]")
        if data and not done:
            frames = _objects(_json(data))
            if frames is None and stray:  # only the first line of the JSON was sent as data
                frames, stray = _objects(_json(f"{data}\n{stray}")), ""
            if frames is None:
                raise self._unreadable(data)
            for frame in frames:
                yield from self._turn.frame(event.name, frame)
        yield from self._strays(stray)
        if done:
            yield from self._turn.done()

    def _strays(self, stray: str) -> Iterator[Event]:
        """Bare JSON among the events. Any other line that is no field means nothing, as in the standard."""
        if stray:
            for frame in _objects(_json(stray)) or ():
                yield from self._turn.frame("", frame)

    def _unreadable(self, text: str) -> ProviderProtocolError:
        shown = " ".join(text.split())[:_SHOWN]
        return ProviderProtocolError(
            f"{self._provider} sent an answer that is not a JSON object: {shown or 'an empty body'!r}",
            provider=self._provider,
        )


def _json(text: str | bytes) -> object:
    """What ``text`` says as JSON, or ``None``."""
    # Not strictly: a number that is none somewhere in it, which nobody may ever read, must not cost the answer.
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _objects(data: object) -> Sequence[Json] | None:
    """An object as one, an array of objects as many, anything else as ``None``."""
    if isinstance(data, dict):
        return [data]
    if isinstance(data, list) and all(isinstance(entry, dict) for entry in data):
        return data
    return None
