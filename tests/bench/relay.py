"""What everything is compared with: a bare relay, httpx on one side and a minimal HTTP server on the other.

It reads nothing of what it passes on, and it is a process of its own: ``python -m tests.bench.relay <provider's url>``.
Its first line on standard output is its port. ``GET /cpu`` answers with the CPU seconds it has used.
"""

from __future__ import annotations

import asyncio
import sys
import time

import httpx

_OK = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n%b\r\n\r\n"


class Relay:
    """Passes every POST on to the same path of ``upstream``."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._client = httpx.AsyncClient(trust_env=False)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept for as long as its client keeps it."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, path, _ = head.split(b" ", 2)
                if method == b"GET":
                    writer.write(_document(str(time.process_time()).encode()))
                else:
                    await self._pass_on(path.decode(), await reader.readexactly(_content_length(head)), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client is done
        finally:
            writer.close()

    async def _pass_on(self, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        async with self._client.stream("POST", self._upstream + path, content=body, headers=headers) as response:
            if "content-length" in response.headers:
                writer.write(_document(b"".join([chunk async for chunk in response.aiter_raw()])))
                return
            writer.write(_OK % (b"text/event-stream", b"transfer-encoding: chunked"))
            async for chunk in response.aiter_raw():
                writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                await writer.drain()
            writer.write(b"0\r\n\r\n")


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _document(body: bytes) -> bytes:
    return _OK % (b"application/json", b"content-length: %d" % len(body)) + body


async def main() -> None:
    """Serves until it is told to stop."""
    server = await asyncio.start_server(Relay(sys.argv[1]).connected, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
