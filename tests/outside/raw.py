"""A server on loopback whose answers are bytes, with TLS or without, and which keeps what it was sent."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

Answering: TypeAlias = bytes | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Raw:
    """``heads`` are requests as they came, ``names`` what each connection called the server in its TLS greeting."""

    port: int = 0
    connections: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has closed its connection."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def serving(*answers: Answering, tls: ssl.SSLContext | None = None) -> AsyncIterator[Raw]:
    """Answers request after request with ``answers``, the last of them for ever; ``None`` drops the connection."""
    raw = Raw()
    tasks: set[asyncio.Task[None]] = set()

    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: raw.names.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        raw.connections += 1
        try:
            while head := await _head(reader):
                length = re.search(r"(?i)^content-length: (\d+)", head, re.MULTILINE)
                raw.heads.append(head)
                raw.bodies.append(await reader.readexactly(int(length[1]) if length else 0))
                answer = answers[min(len(raw.heads), len(answers)) - 1]
                if answer is None:
                    writer.transport.abort()
                    return
                if callable(answer):
                    await answer(reader, writer)
                else:
                    writer.write(answer)
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            raw.left.set()
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""
