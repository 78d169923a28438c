"""The answer to one invocation, on its way out.

Every step goes through the table in `state`, so an answer cannot be given twice or in an order the Runtime API forbids.
Whole answers and refusals use the poller's own connection; a stream has a connection to itself, closed when it is over.
The handler, the deadline and the closing of the body are `loop`'s business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from . import log, messages
from .failure import Failure
from .heartbeat import Heartbeat
from .invocation import Invocation
from .link import Connection, Link, LinkError
from .messages import Reply
from .response import PRELUDE_END, InvalidResponseError, Response
from .state import Move, State, after

_CHUNKS_A_TURN = 64
"""A body that never has to wait would keep the event loop for itself; after so many chunks the others get a turn."""


class Answer:
    """One invocation's answer. Raises LinkError from any step when the connection goes away."""

    def __init__(self, invocation: Invocation, link: Link, heartbeat_after: float) -> None:
        self._invocation = invocation
        self._link = link
        self._heartbeat_after = heartbeat_after
        self._state = State.RECEIVED
        self._stream: Connection | None = None
        self._wrote = 0

    async def respond(self, body: bytes) -> None:
        """The whole answer at once."""
        self._move(Move.RESPOND)
        self._check(await self._link.call(messages.buffered_response(self._invocation, body)))

    async def stream(self, response: Response) -> None:
        """Prelude, body, end. An exception of the body passes through, and leaves the stream open for `fail`."""
        connection = self._stream = await self._link.connect()
        self._move(Move.OPEN)
        connection.begin(messages.streaming_response(self._invocation))
        connection.write(response.prelude())
        connection.write(PRELUDE_END)
        if isinstance(response.body, bytes):
            self._write(connection, response.body)
            await connection.drain()
        else:
            await self._write_all(connection, response.body, response.heartbeat)
        if not self._wrote and response.may_have_content:
            # Function URLs have been seen to keep a caller waiting for the first byte of a body that never had one.
            self._write(connection, b"\n")
        self._move(Move.FINISH)
        connection.finish()
        self._check(await connection.reply())
        connection.close()

    async def fail(self, failure: Failure, *, from_url: bool) -> None:
        """Tell the failure in the way that is still open: an HTTP error, the `error` call, or trailers."""
        if self._state is State.STREAMING:
            assert self._stream is not None, "a stream has its connection"
            self._move(Move.BREAK_OFF)
            self._stream.finish(failure.trailers(self._invocation.context.request_id))
            self._check(await self._stream.reply())
            self._stream.close()
        elif self._state is State.RECEIVED and from_url:
            body = failure.public_document(self._invocation.context.request_id)
            await self.stream(Response(failure.status, {"content-type": "application/json"}, body))
        elif self._state is State.RECEIVED:
            self._move(Move.REFUSE)
            self._check(await self._link.call(messages.invocation_error(self._invocation, failure)))

    def lose(self) -> None:
        """Let go of the connection, whatever was on it. Harmless after the end."""
        if self._state in {State.RECEIVED, State.STREAMING}:
            self._move(Move.LOSE)
        if self._stream is not None:
            self._stream.abort()

    async def _write_all(self, connection: Connection, body: AsyncIterator[bytes], frame: bytes | None) -> None:
        def beat() -> None:
            # Bytes still waiting to be taken are sign enough; and a lost connection is found out by the next chunk.
            if connection.writable:
                self._write(connection, frame or b"")

        with Heartbeat(self._heartbeat_after, beat) as heartbeat:
            async for chunk in body:
                self._write(connection, chunk)
                heartbeat.touch()
                await connection.drain()
                if self._wrote % _CHUNKS_A_TURN == 0:
                    await asyncio.sleep(0)

    def _write(self, connection: Connection, chunk: bytes) -> None:
        """Send one chunk at once. An empty one is left out: in HTTP it would be the last."""
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise InvalidResponseError(f"the body yielded a {type(chunk).__name__}: bytes are expected")
        if chunk:
            self._move(Move.WRITE)
            connection.write(bytes(chunk))
            self._wrote += 1

    def _move(self, move: Move) -> None:
        if self._state is State.LOST:
            raise LinkError("the answer came after its connection was given up")
        self._state = after(self._state, move)

    def _check(self, reply: Reply) -> None:
        """An answer that the Runtime API did not take cannot be given again; it can only be written down."""
        if reply.status != 202:
            log.line(
                "ERROR",
                "the Runtime API did not take the answer",
                requestId=self._invocation.context.request_id,
                status=reply.status,
                reply=reply.body[:500].decode("utf-8", "replace"),
            )
