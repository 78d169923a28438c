"""The only socket: HTTP/1.1 to the Runtime API over asyncio and h11.

`Connection` is one TCP connection and speaks one request at a time; `Link` keeps one open and makes it again when the
other side has closed it. Neither knows what the calls mean (`messages`) nor which may follow which (`state`).

h11 because an answer that breaks is told in real HTTP trailers, which the common clients cannot send. There is no
timeout here: `next` waits for as long as nobody calls, and an invocation has its own deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import h11

from .messages import Call, Reply

_LARGEST_HEADERS = 64 * 1024
"""A client context alone may be 3.5 KB, and the Runtime API sends it as one header."""


class LinkError(Exception):
    """The connection ended before the exchange did."""


class Connection(asyncio.Protocol):
    """One connection. `write` never waits; `drain` does when the other side reads more slowly than we write."""

    def __init__(self, host: str) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEADERS)
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._lost: str | None = None
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._response: h11.Response | None = None
        self._body = bytearray()
        self._reply: Reply | None = None

    # The four calls of an exchange, in the order they are made

    def begin(self, call: Call) -> None:
        """Send a request's headers, and its body when the call has one."""
        self._response, self._reply, self._body = None, None, bytearray()
        headers = [("Host", self._host), *call.headers]
        if call.body is None:
            self._send(h11.Request(method=call.method, target=call.path, headers=headers))
            return
        if call.method != "GET":
            headers.append(("Content-Length", str(len(call.body))))
        self._send(
            h11.Request(method=call.method, target=call.path, headers=headers),
            h11.Data(data=call.body),
            h11.EndOfMessage(),
        )

    def write(self, data: bytes) -> None:
        """Send one chunk. Raises LinkError when the other side has gone, or has answered already."""
        if self._reply is not None:
            raise LinkError(f"the Runtime API answered {self._reply.status} before the stream was at its end")
        self._send(h11.Data(data=data))

    async def drain(self) -> None:
        """Wait until the other side has taken enough of what was written."""
        while self._paused and self._lost is None:
            await self._wait()

    def finish(self, trailers: Sequence[tuple[str, str]] = ()) -> None:
        """Send the last chunk, and the trailers when there are any."""
        self._send(h11.EndOfMessage(headers=list(trailers)))

    async def reply(self) -> Reply:
        """Wait for the whole answer. Raises LinkError when the connection ends before that."""
        while self._reply is None:
            if self._lost is not None:
                raise LinkError(self._lost)
            await self._wait()
        return self._reply

    async def exchange(self, call: Call) -> Reply:
        """A whole request and its whole answer. A connection left in the middle of one is of no further use."""
        try:
            self.begin(call)
            reply = await self.reply()
        except BaseException:
            self.abort()
            raise
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.close()
        return reply

    # What remains of the connection

    @property
    def usable(self) -> bool:
        """Whether a new exchange may begin here."""
        return self._lost is None and self._http.our_state is h11.IDLE

    @property
    def writable(self) -> bool:
        """Whether a chunk could be sent at once: the stream is wanted, and nothing waits in front of it."""
        return self._lost is None and self._reply is None and not self._paused

    def close(self) -> None:
        """Close once everything written has been sent."""
        self._end("the connection is closed")
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close now, without sending what is still waiting."""
        self._end("the connection was aborted")
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._receive(data)

    def eof_received(self) -> None:
        self._receive(b"")
        self._end("the Runtime API closed the connection")

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"the connection to the Runtime API broke: {error}" if error else "the connection is closed")

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()

    # Inside

    def _send(self, *events: h11.Event) -> None:
        if self._lost is not None or self._transport is None:
            raise LinkError(self._lost or "the connection was never made")
        if self._transport.is_closing():  # a write has failed just now; asyncio tells of it only on its next turn
            raise LinkError("the connection to the Runtime API broke")
        self._transport.write(b"".join(self._http.send(event) or b"" for event in events))

    def _receive(self, data: bytes) -> None:
        if self._lost is not None:
            return
        try:
            self._http.receive_data(data)
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Response):
                    self._response = event
                elif isinstance(event, h11.Data):
                    self._body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    self._complete()
                elif event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                    return
        except h11.RemoteProtocolError as error:
            self._end(f"the Runtime API does not speak HTTP as expected: {error}")
            if self._transport is not None:
                self._transport.abort()

    def _complete(self) -> None:
        assert self._response is not None, "h11 ends no message that it did not begin"
        headers = {name.decode("ascii"): value.decode("utf-8", "replace") for name, value in self._response.headers}
        self._reply = Reply(self._response.status_code, headers, bytes(self._body))
        self._wake()

    def _end(self, why: str) -> None:
        if self._lost is None:
            self._lost = why
        self._wake()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Link:
    """The way to one Runtime API, with a connection that is kept between calls."""

    def __init__(self, address: str) -> None:
        """`address` is `host:port`, as AWS_LAMBDA_RUNTIME_API has it."""
        self._address = address
        self._kept: Connection | None = None

    async def call(self, call: Call) -> Reply:
        """Make a call on the kept connection.

        A connection that has been idle may be closed by the other side just as we use it again; the call is then made
        once more on a new one. Raises LinkError when that does not help, or when nobody listens.
        """
        if self._kept is not None and self._kept.usable:
            try:
                return await self._kept.exchange(call)
            except LinkError:
                pass
        self._kept = await self.connect()
        return await self._kept.exchange(call)

    async def connect(self) -> Connection:
        """A new connection of the caller's own. Raises LinkError when nobody listens."""
        host, _, port = self._address.rpartition(":")
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: Connection(self._address), host.strip("[]"), int(port))
        except (OSError, ValueError) as error:
            raise LinkError(f"no Runtime API at {self._address}: {error}") from None
        return connection

    def close(self) -> None:
        """Give up the kept connection; the next call makes a new one."""
        if self._kept is not None:
            self._kept.abort()
            self._kept = None
