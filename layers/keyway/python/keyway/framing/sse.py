"""Server-sent events: bytes in, events out, whatever the split.

The rules are those of the HTML standard (section "Server-sent events"): lines end in LF, CR or CRLF; one byte
order mark at the start is skipped; lines that start with a colon are comments; the ``data`` lines of one event
are joined by LF; one space after the colon is dropped; unknown fields are ignored; a blank line dispatches.
Two rules are kinder than the standard. An event that the end of the stream cuts off before its blank line is
still dispatched, because some vendors close that way. And lines that are no field at all can be asked for, because
some vendors write an error into a stream as bare JSON, line by line.

Bytes are decoded only when a line is whole, so a character split over two reads is no concern of anybody's.
An event is dispatched with the byte that completes it, and each byte is looked at once, however long a line is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"
_NO_MATTER = (b"", b"id", b"retry")
"""Fields we have no use for; a comment is one without a name."""
_MOST_STRAY = 64 * 1024
"""Bytes of stray lines that are kept: an error is far shorter, and a stream of junk must not fill the memory."""


class ServerSentEvent(NamedTuple):
    """One event: its ``event`` field (``""`` when absent) and its data."""

    name: str
    data: str


class SseDecoder:
    """Decodes one stream. ``feed`` any split of its bytes, then ``end`` once."""

    def __init__(self) -> None:
        self._start: bytes | None = b""  # what may yet be a byte order mark; None once that is settled
        self._line: list[bytes] = []  # the pieces of the line that is still open
        self._after_cr = False
        self._name = ""
        self._data: list[str] = []
        self._stray: list[str] = []
        self._stray_size = 0

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that ``chunk`` completes."""
        if self._start is not None:
            chunk = self._start + chunk
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                self._start = chunk
                return
            chunk = chunk.removeprefix(_BOM)
            self._start = None
        if not chunk:
            return
        ended_in_cr, self._after_cr = self._after_cr, chunk.endswith(b"\r")
        if ended_in_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # the LF of a CRLF whose CR has already ended the line
        lines = chunk.splitlines()
        rest = lines.pop() if lines and not chunk.endswith((b"\r", b"\n")) else b""
        if lines and self._line:
            lines[0] = b"".join((*self._line, lines[0]))
            self._line = []
        if rest:
            self._line.append(rest)
        for line in lines:
            if line:
                self._field(line)
            elif self._data:
                yield self._dispatch()
            else:
                self._name = ""

    def end(self) -> Iterator[ServerSentEvent]:
        """The event that was still open when the stream ended, if any."""
        if line := b"".join((self._start or b"", *self._line)):
            self._field(line)
        self._start, self._line = None, []
        if self._data:
            yield self._dispatch()

    def take_stray(self) -> str:
        """The lines so far that are no field of any kind, joined by LF, each handed out once.

        Called with an event in hand, it gives those that came before the event's end.
        """
        if not self._stray:
            return ""
        stray, self._stray, self._stray_size = "\n".join(self._stray), [], 0
        return stray

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
        elif name == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace")
        elif name not in _NO_MATTER and self._stray_size + len(line) <= _MOST_STRAY:
            self._stray.append(line.decode("utf-8", "replace"))
            self._stray_size += len(line)

    def _dispatch(self) -> ServerSentEvent:
        event = ServerSentEvent(self._name, "\n".join(self._data))
        self._name = ""
        self._data = []
        return event
