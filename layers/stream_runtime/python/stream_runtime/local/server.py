"""HTTP/1.1 on a loopback port: h11 over asyncio streams, a task for each connection.

An `Exchange` is one request and its answer. Both may be read and written piece by piece, each piece passed on the
moment it is there. Routing and meaning are elsewhere: `runtime_api` faces the function, `platform` its callers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import h11

Headers: TypeAlias = Sequence[tuple[str, str]]
Application: TypeAlias = Callable[["Exchange"], Awaitable[None]]

_READ = 64 * 1024


class BodyTooLargeError(Exception):
    """A request's body is larger than its reader takes."""


class PeerGoneError(Exception):
    """The other side ended the connection in the middle of its request."""


class Exchange:
    """One request, and the answer to it."""

    def __init__(self, wire: _Wire, request: h11.Request) -> None:
        self._wire = wire
        self.method = request.method.decode("ascii")
        target = request.target.decode("latin-1")
        self.path, _, self.query = target.partition("?")
        self.headers = [(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers]
        self.peer: str = wire.writer.get_extra_info("peername")[0]
        self.protocol = f"HTTP/{request.http_version.decode('ascii')}"
        self.trailers: dict[str, str] = {}
        self._without_body = False
        self.gone = False
        """Whether the other side has left; what is sent to it then is dropped without complaint."""

    def header(self, name: str) -> str | None:
        """The first header of this (lower-case) name."""
        return next((value for key, value in self.headers if key == name), None)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; `trailers` are there when it is over. Raises PeerGoneError."""
        while True:
            event = await self._wire.next_event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.trailers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
                return

    async def body(self, limit: int | None = None) -> bytes:
        """The whole body. Raises BodyTooLargeError beyond `limit` bytes, and PeerGoneError."""
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if limit is not None and len(body) > limit:
                raise BodyTooLargeError
        return bytes(body)

    async def begin(self, status: int, headers: Headers) -> None:
        """Send the status line and headers. Without a Content-Length the body goes out in chunks."""
        self._without_body = self.method == "HEAD" or status in {204, 304}
        await self._send(h11.Response(status_code=status, headers=list(headers)))

    async def send(self, data: bytes) -> None:
        """Send a piece of the body at once, and wait while the other side is slow to take it."""
        if not self._without_body:
            await self._send(h11.Data(data=data))

    async def end(self) -> None:
        """The answer is complete."""
        await self._send(h11.EndOfMessage())

    async def answer(self, status: int, body: bytes = b"", headers: Headers = ()) -> None:
        """A whole answer."""
        await self.begin(status, [("content-length", str(len(body))), *headers])
        await self.send(body)
        await self.end()

    def abort(self) -> None:
        """Break the connection: what was sent stays incomplete, and the other side can see it."""
        self.gone = True
        self._wire.writer.transport.abort()

    async def until_gone(self) -> None:
        """Return when the other side hangs up. Only while it has nothing left to send but must wait for an answer."""
        await self._wire.until_gone()

    async def _send(self, event: h11.Event) -> None:
        if self.gone:
            return
        try:
            await self._wire.send(event)
        except ConnectionError:
            self.gone = True
        except h11.LocalProtocolError:
            # More or less than the Content-Length the function declared: only a broken connection can show it.
            self.abort()


class Server:
    """Listens, and hands each request to `application`."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self, host: str, port: int = 0) -> None:
        """Listen on `port`, or on any free one. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._accept, host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and break every connection."""
        if self._server is not None:
            self._server.close()
        await self.disconnect()

    async def disconnect(self) -> None:
        """Break every connection, but go on listening."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs this in a task"
        self._tasks.add(task)
        try:
            await _serve(_Wire(reader, writer), self._application)
        except asyncio.CancelledError:
            pass  # only `disconnect` cancels; a cancelled callback would be reported as an error by asyncio
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


class _Wire:
    """A server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=1024 * 1024)

    async def next_event(self) -> Any:
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                if isinstance(event, h11.ConnectionClosed):
                    raise PeerGoneError
                return event
            if self.http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            try:
                data = await self.reader.read(_READ)
            except ConnectionError:
                raise PeerGoneError from None
            if not data and self.http.their_state is h11.SEND_BODY:
                raise PeerGoneError
            self.http.receive_data(data)

    async def send(self, event: h11.Event) -> None:
        data = self.http.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def discard(self) -> None:
        """Say goodbye, and read what the other side is still sending."""
        try:
            self.writer.write_eof()
            while await self.reader.read(_READ):
                pass
        except OSError:
            return

    async def until_gone(self) -> None:
        try:
            while data := await self.reader.read(_READ):
                self.http.receive_data(data)
        except ConnectionError:
            return


async def _serve(wire: _Wire, application: Application) -> None:
    """Answer one request after the other until somebody closes the connection."""
    while True:
        try:
            request = await wire.next_event()
            if not isinstance(request, h11.Request):
                return
            await application(Exchange(wire, request))
        except (PeerGoneError, ConnectionError):
            return
        except h11.RemoteProtocolError as error:
            await _refuse(wire, error)
            return
        if wire.http.our_state is not h11.DONE or wire.http.their_state is not h11.DONE:
            # An answer given before the request was read to its end: what is left of it must not reset the answer.
            await wire.discard()
            return
        wire.http.start_next_cycle()


async def _refuse(wire: _Wire, error: h11.RemoteProtocolError) -> None:
    if wire.http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
        return
    text = f"not HTTP as expected: {error}\n".encode()
    headers = [("content-length", str(len(text))), ("connection", "close")]
    try:
        await wire.send(h11.Response(status_code=error.error_status_hint, headers=headers))
        await wire.send(h11.Data(data=text))
        await wire.send(h11.EndOfMessage())
    except ConnectionError:
        return
