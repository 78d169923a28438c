"""A small HTTP client that shows a response as it arrives, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import h11


class TruncatedError(Exception):
    """The connection ended before the response did."""


class Answer:
    """A response whose head has arrived."""

    def __init__(self, wire: _Wire, response: h11.Response) -> None:
        self._wire = wire
        self.status = response.status_code
        self.headers = [(name.decode(), value.decode("latin-1")) for name, value in response.headers]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    async def pieces(self) -> AsyncIterator[bytes]:
        while not isinstance(event := await self._wire.event(), h11.EndOfMessage):
            yield bytes(event.data)

    async def body(self) -> bytes:
        return b"".join([piece async for piece in self.pieces()])

    async def until(self, marker: bytes) -> bytes:
        """Read until `marker` has arrived; what has arrived with it comes back."""
        seen = b""
        async for piece in self.pieces():
            seen += piece
            if marker in seen:
                return seen
        raise AssertionError(f"{marker!r} is not in the body: {seen!r}")

    def leave(self) -> None:
        """Hang up in the middle."""
        self._wire.writer.transport.abort()


class _Wire:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.http = h11.Connection(h11.CLIENT)

    async def event(self) -> Any:
        try:
            while (event := self.http.next_event()) is h11.NEED_DATA:
                self.http.receive_data(await self.reader.read(65536))
        except (ConnectionError, h11.RemoteProtocolError):
            raise TruncatedError from None
        return event


@asynccontextmanager
async def calling(
    url: str, method: str = "GET", body: bytes = b"", headers: list[tuple[str, str]] | None = None
) -> AsyncIterator[Answer]:
    """Make a request, and give its answer when the head of it is there."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    wire = _Wire(reader, writer)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = [("Host", parts.netloc), *(headers or []), *([("Content-Length", str(len(body)))] if body else [])]
    try:
        sent = wire.http.send(h11.Request(method=method, target=target, headers=head)) or b""
        sent += (wire.http.send(h11.Data(data=body)) or b"") + (wire.http.send(h11.EndOfMessage()) or b"")
        writer.write(sent)
        event = await wire.event()
        if not isinstance(event, h11.Response):
            raise TruncatedError
        yield Answer(wire, event)
    finally:
        writer.transport.abort()


async def fetch(
    url: str, method: str = "GET", body: bytes = b"", headers: list[tuple[str, str]] | None = None
) -> tuple[int, bytes]:
    """Status and whole body."""
    async with calling(url, method, body, headers) as answer:
        return answer.status, await answer.body()
