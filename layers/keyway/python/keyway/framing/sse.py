"""Server-sent events: bytes in, events out, whatever the split.

The rules are those of the HTML standard (section "Server-sent events"): lines end in LF, CR or CRLF; one byte
order mark at the start is skipped; lines that start with a colon are comments; the ``data`` lines of one event
are joined by LF; one space after the colon is dropped; unknown fields are ignored; a blank line dispatches.
One rule is kinder than the standard: an event that the end of the stream cuts off before its blank line is
still dispatched, because some vendors close that way.

Bytes are decoded only when a line is whole, so a character split over two reads is no concern of anybody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One event: its ``event`` field (``""`` when absent) and its data."""

    name: str
    data: str


class SseDecoder:
    """Decodes one stream. ``feed`` any split of its bytes, then ``end`` once."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._data: list[str] = []
        self._started = False

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that ``chunk`` completes."""
        buffer = self._rest + chunk if self._rest else chunk
        if not self._started:
            if len(buffer) < len(_BOM) and _BOM.startswith(buffer):
                self._rest = buffer
                return
            buffer = buffer.removeprefix(_BOM)
            self._started = True
        start = 0
        for match in _LINE_END.finditer(buffer):
            if match.end() == len(buffer) and buffer.endswith(b"\r"):
                break  # the LF of this line's CRLF may be the next byte
            line = buffer[start : match.start()]
            start = match.end()
            if line:
                self._field(line)
            elif self._data:
                yield self._dispatch()
            else:
                self._name = ""
        self._rest = buffer[start:]

    def end(self) -> Iterator[ServerSentEvent]:
        """The event that was still open when the stream ended, if any."""
        if line := self._rest.rstrip(b"\r"):
            self._field(line)
        self._rest = b""
        if self._data:
            yield self._dispatch()

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
        elif name == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace")

    def _dispatch(self) -> ServerSentEvent:
        event = ServerSentEvent(self._name, "\n".join(self._data))
        self._name = ""
        self._data = []
        return event
