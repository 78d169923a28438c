"""AWS's event stream (``application/vnd.amazon.eventstream``): bytes in, messages out, whatever the split.

    4 bytes   length of the whole message        all numbers are big-endian
    4         length of its headers
    4         CRC-32 of those eight bytes
    …         headers: name (1-byte length), type (1 byte), value
    …         payload
    4         CRC-32 of everything before

Source: the Smithy specification, "Amazon Event Stream". Lengths are believed only once their checksum holds, and a
message only once its own does. A message that is damaged, too large or cut off is a ``ProviderProtocolError``: after
it there is no telling where the next one begins, so nothing more is read.

What a message means is for the wire to say. A timestamp is left as it is sent, in milliseconds of the epoch.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias
from uuid import UUID
from zlib import crc32

from keyway.errors import ProviderProtocolError

HeaderValue: TypeAlias = bool | int | bytes | str | UUID

_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_LEAST = _PRELUDE.size + _CHECKSUM.size
_MOST_HEADERS = 128 * 1024
_MOST_PAYLOAD = 24 * 1024 * 1024


class EventStreamMessage(NamedTuple):
    """One message: its headers by name, and its payload."""

    headers: Mapping[str, HeaderValue]
    payload: bytes


class EventStreamDecoder:
    """Decodes one stream. ``feed`` any split of its bytes, then ``end`` once. ``provider`` is named in errors.

    Not to be used after it raised.
    """

    def __init__(self, *, provider: str) -> None:
        self._provider = provider
        self._buffer = bytearray()
        self._expected = _LEAST  # bytes needed before there is anything to do
        self._checked = False  # whether ``_expected`` is the length of a message whose prelude was right
        self._last: tuple[bytes, Mapping[str, HeaderValue]] = (b"", {})

    def feed(self, chunk: bytes) -> Iterator[EventStreamMessage]:
        """The messages that ``chunk`` completes.

        Raises:
            ProviderProtocolError: A message is damaged or too large; those before it have been given.
        """
        self._buffer += chunk
        while len(self._buffer) >= self._expected:
            if self._checked:
                message = bytes(self._buffer[: self._expected])
                del self._buffer[: self._expected]
                self._expected, self._checked = _LEAST, False
                yield self._message(message)
            else:
                self._expected, self._checked = self._length(), True

    def end(self) -> None:
        """The stream's bytes ended.

        Raises:
            ProviderProtocolError: They ended inside a message.
        """
        if self._buffer:
            raise self._broken("ended in the middle of a message")

    def _length(self) -> int:
        total, headers, checksum = _PRELUDE.unpack_from(self._buffer)
        if crc32(self._buffer[:8]) != checksum:
            raise self._broken("holds a message whose first bytes do not match their checksum")
        if headers > _MOST_HEADERS or total > headers + _MOST_PAYLOAD + _LEAST:
            raise self._broken(f"holds a message of {total} bytes ({headers} of headers), more than is allowed")
        if total < headers + _LEAST:
            raise self._broken("holds a message that is shorter than its headers")
        return int(total)

    def _message(self, message: bytes) -> EventStreamMessage:
        (checksum,) = _CHECKSUM.unpack_from(message, len(message) - _CHECKSUM.size)
        if crc32(memoryview(message)[: -_CHECKSUM.size]) != checksum:
            raise self._broken("holds a message that does not match its checksum")
        _, size, _ = _PRELUDE.unpack_from(message)
        raw = message[_PRELUDE.size : _PRELUDE.size + size]
        if raw != self._last[0]:  # most messages of a stream carry the same headers as the one before
            try:
                self._last = (raw, _headers(raw))
            except (ValueError, IndexError, struct.error) as error:
                raise self._broken("holds a message whose headers cannot be read") from error
        return EventStreamMessage(self._last[1], message[_PRELUDE.size + size : -_CHECKSUM.size])

    def _broken(self, what: str) -> ProviderProtocolError:
        return ProviderProtocolError(f"{self._provider}'s event stream {what}.", provider=self._provider)


def _headers(raw: bytes) -> dict[str, HeaderValue]:
    """Raises ``ValueError``, ``IndexError`` or ``struct.error`` on headers that are none."""
    headers: dict[str, HeaderValue] = {}
    at = 0
    while at < len(raw):
        name, at = _cut(raw, at + 1, raw[at])
        value, at = _READ[raw[at]](raw, at + 1)
        if name.decode() in headers:
            raise ValueError("a header comes twice")
        headers[name.decode()] = value
    return headers


def _cut(raw: bytes, start: int, size: int) -> tuple[bytes, int]:
    piece = raw[start : start + size]
    if len(piece) != size:
        raise ValueError("a header is cut off")
    return piece, start + size


def _number(layout: str) -> Callable[[bytes, int], tuple[HeaderValue, int]]:
    number = struct.Struct(layout)

    def read(raw: bytes, at: int) -> tuple[HeaderValue, int]:
        return number.unpack_from(raw, at)[0], at + number.size

    return read


def _bytes(raw: bytes, at: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">H", raw, at)
    return _cut(raw, at + 2, size)


def _text(raw: bytes, at: int) -> tuple[HeaderValue, int]:
    value, after = _bytes(raw, at)
    return value.decode(), after


def _uuid(raw: bytes, at: int) -> tuple[HeaderValue, int]:
    value, after = _cut(raw, at, 16)
    return UUID(bytes=value), after


_READ: tuple[Callable[[bytes, int], tuple[HeaderValue, int]], ...] = (
    lambda _, at: (True, at),
    lambda _, at: (False, at),
    _number(">b"),
    _number(">h"),
    _number(">i"),
    _number(">q"),
    _bytes,
    _text,
    _number(">q"),  # a timestamp
    _uuid,
)
"""How a value of each type is read, by the type's number."""
