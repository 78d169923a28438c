"""The body of a successful answer: an event stream or one JSON document, told apart by its first byte.

What was asked for does not decide: proxies answer a streaming request with a document, and the other way
round, and some send blank lines before a document to keep the connection alive. A wire implements ``Turn`` (what
its frames mean) and gets a whole ``Decoder`` from ``BodyDecoder``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
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
            yield from self._event(event)

    def end(self) -> Iterator[Event]:
        """See ``Decoder.end``."""
        if self._sse is None:
            yield from self._turn.document(self._json(b"".join(self._document)))
            return
        for event in self._sse.end():
            yield from self._event(event)
        yield from self._turn.end()

    def _document_so_far(self, data: bytes) -> bool:
        """Keeps ``data``, and says whether the body may still be a document rather than an event stream."""
        self._document.append(data)
        if self._is_document is None:
            start = b"".join(self._document).lstrip(_SPACE).removeprefix(_BOM).lstrip(_SPACE)
            if start and not _BOM.startswith(start):
                # "<" is an HTML page: no document either, but reading it as one quotes it in the error.
                self._is_document = start[:1] in (b"{", b"[", b"<")
        return self._is_document is not False

    def _event(self, event: ServerSentEvent) -> Iterator[Event]:
        data = event.data.strip()
        if data.startswith("[DONE]"):
            yield from self._turn.done()
        elif data:
            yield from self._turn.frame(event.name, self._json(data))

    def _json(self, text: str | bytes) -> Json:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
            shown = " ".join(shown.split())[:_SHOWN]
            raise ProviderProtocolError(
                f"{self._provider} sent an answer that is not a JSON object: {shown or 'an empty body'!r}",
                provider=self._provider,
            )
        return data
