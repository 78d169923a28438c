"""A Runtime API on a real socket that says what a test tells it to say, and keeps every byte it is sent.

It reads HTTP by hand, so that what a test compares is what was on the wire, chunk sizes included.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

NEXT = "GET /2018-06-01/runtime/invocation/next"


@dataclass
class Request:
    """One request as its bytes were."""

    connection: int
    head: bytes = b""
    body: bytes = b""
    complete: bool = False

    @property
    def line(self) -> str:
        return self.head.partition(b"\r\n")[0].decode().removesuffix(" HTTP/1.1")

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode().rstrip("\r\n").split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@dataclass
class Chunked:
    """A chunked body taken apart by hand."""

    chunks: list[bytes] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)
    complete: bool = False


def unchunk(raw: bytes) -> Chunked:
    found = Chunked()
    while True:
        size, end, rest = raw.partition(b"\r\n")
        if not end:
            return found
        length = int(size, 16)
        if length == 0:
            lines, ended, _ = (b"\r\n" + rest).partition(b"\r\n\r\n")
            if ended:
                fields = lines.decode().strip("\r\n").split("\r\n") if lines.strip() else []
                found.trailers = dict(line.split(": ", 1) for line in fields)
                found.complete = True
            return found
        if len(rest) < length + 2:
            return found
        found.chunks.append(rest[:length])
        raw = rest[length + 2 :]


class ScriptedRuntimeApi:
    """Hands out the invocations it was given, one to each poller that asks.

    It is the Runtime API of one environment, as a real one is: a poller that was killed while it asked still has its
    turn, so what is meant for another process needs an API of its own.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.address = ""
        self.replies: dict[str, tuple[int, bytes]] = {}
        """What to answer to a request line that begins so; anything else gets a 202."""
        self.cut_at: bytes | None = None
        """Break the connection of a stream when this has arrived."""
        self.hold_at: bytes | None = None
        """Stop reading a stream when this has arrived, until `release` is set."""
        self.release = asyncio.Event()
        self.answer_at: bytes | None = None
        """Answer a stream with 413 when this has arrived, and go on reading."""
        self.close_after_next = False
        """Close the connection on which an invocation was handed out."""
        self.hang_up_on_next = 0
        """So many calls of `next` are answered by closing the connection."""
        self._invocations: asyncio.Queue[tuple[list[str], bytes, float]] = asyncio.Queue()
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def invoke(
        self, event: object, request_id: str = "id-1", *, seconds: float = 60, headers: tuple[str, ...] = ()
    ) -> None:
        """Give an invocation to whoever asks next, with so many `seconds` from then on. `event` may be bytes."""
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        lines = [
            f"Lambda-Runtime-Aws-Request-Id: {request_id}",
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:f",
            *headers,
        ]
        self._invocations.put_nowait((lines, payload, seconds))

    async def request(self, line: str, *, count: int = 1) -> Request:
        """Wait for the `count`th complete request whose line begins with `line`."""
        return (await self.until(lambda: [each for each in self.matching(line) if each.complete], count))[count - 1]

    async def answer(self, request_id: str = "id-1", *, call: str = "response") -> Request:
        return await self.request(f"POST /2018-06-01/runtime/invocation/{request_id}/{call}")

    async def begun(self, marker: bytes, request_id: str = "id-1") -> Request:
        """Wait until a stream, complete or not, has brought `marker`."""
        line = f"POST /2018-06-01/runtime/invocation/{request_id}/response"
        return (await self.until(lambda: [each for each in self.matching(line) if marker in each.body]))[0]

    async def asked_for_next(self, count: int) -> None:
        await self.until(lambda: self.matching(NEXT), count)

    def matching(self, line: str) -> list[Request]:
        return [each for each in self.requests if each.line.startswith(line)]

    async def until(self, found: Callable[[], list[Request]], count: int = 1) -> list[Request]:
        async with self._changed:
            await self._changed.wait_for(lambda: len(found()) >= count)
        return found()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[ScriptedRuntimeApi]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        try:
            yield self
        finally:
            server.close()
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        try:
            while await self._one(number, reader, writer):
                pass
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            if not writer.is_closing():
                writer.transport.abort()

    async def _one(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = Request(number)
        request.head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(request)
        await self._notify()
        if request.line == NEXT:
            return await self._next(request, writer)
        if "transfer-encoding" in request.headers:
            while not unchunk(request.body).complete:
                data = await reader.read(65536)
                if not data:
                    return False
                request.body += data
                await self._notify()
                if self.cut_at is not None and self.cut_at in request.body:
                    return False
                if self.answer_at is not None and self.answer_at in request.body:
                    writer.write(b"HTTP/1.1 413 Said\r\nContent-Length: 0\r\n\r\n")
                    self.answer_at = None
                if self.hold_at is not None and self.hold_at in request.body:
                    await self.release.wait()
        else:
            request.body = await reader.readexactly(int(request.headers.get("content-length", "0")))
        request.complete = True
        await self._notify()
        status, body = next((self.replies[line] for line in self.replies if request.line.startswith(line)), (202, b""))
        extra = "Lambda-Extension-Identifier: ext-1\r\n" if request.line.endswith("/register") else ""
        if request.line == "GET /2020-01-01/extension/event/next":
            await reader.read()
            return False
        writer.write(f"HTTP/1.1 {status} Said\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    async def _next(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        request.complete = True
        if self.hang_up_on_next:
            self.hang_up_on_next -= 1
            return False
        lines, payload, seconds = await self._invocations.get()
        deadline = f"Lambda-Runtime-Deadline-Ms: {int((time.time() + seconds) * 1000)}"
        head = "\r\n".join(["HTTP/1.1 200 OK", *lines, deadline, f"Content-Length: {len(payload)}", "", ""])
        writer.write(head.encode() + payload)
        if self.close_after_next:
            writer.close()
        return not self.close_after_next

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
