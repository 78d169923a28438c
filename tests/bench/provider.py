"""The benchmark's provider: bytes made beforehand, one write for each step, and the next step when the client has it.

Without that lockstep a fast sender fills the socket, and a slow reader looks cheap because it reads much at once.
It also stands for Secrets Manager, which the gateway asks once for its hosted keys.
"""

from __future__ import annotations

import asyncio
import json
from typing import Self

from infra.local.provider.vendors import VENDORS
from tests.bench.answers import ASKED, TOOL_PATH, WORD, Rendered

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n%b\r\n\r\n"
_STREAM_TYPES = {True: b"application/vnd.amazon.eventstream", False: b"text/event-stream"}
_STREAMED = (b":streamGenerateContent", b"/converse-stream")
"""Paths that ask for a stream, where the body does not."""

_FOUND = json.dumps({"found": ["a gateway"]}).encode()
"""What the tool says."""

_SECRET = json.dumps(
    {
        "Name": "hosted",
        "SecretString": json.dumps({asked.key: f"sk-bench-{name}" for name, asked in ASKED.items() if asked.key}),
    }
).encode()


class PacedProvider:
    """The server. ``answer`` is what every request is answered with; ``taken`` hears what its client got of it.

    With ``calling``, every other request for a document is answered with that call of a tool instead.
    """

    def __init__(self) -> None:
        self.answer: Rendered | None = None
        self.calling: bytes | None = None
        self._documents = 0
        self._tail = b""
        self._behind = 0
        self.url = ""
        self._server: asyncio.Server | None = None
        self._turn = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def base_urls(self) -> dict[str, str]:
        """Each provider's base URL."""
        return {name: f"{self.url}/{name}{VENDORS[name].base_path}" for name in ASKED}

    def taken(self, piece: bytes) -> None:
        """The client has one more piece of the answer; when it has all that was sent, the next step follows."""
        text = self._tail + piece
        self._tail = text[1 - len(WORD) :]
        self._behind -= text.count(WORD)
        if self._behind <= 0:
            self._turn.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_content_length(head))
                if b"secretsmanager" in head:
                    writer.write(_document(_SECRET))
                elif TOOL_PATH.encode() in head:
                    writer.write(_document(_FOUND))
                elif b'"stream":true' in body.replace(b": ", b":") or any(path in head for path in _STREAMED):
                    await self._play(writer, framed=b"/bedrock/" in head)
                else:
                    assert self.answer is not None
                    self._documents += 1
                    calls = self.calling is not None and self._documents % 2
                    writer.write(_document(self.calling if self.calling and calls else self.answer.document))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client is done
        finally:
            writer.close()

    async def _play(self, writer: asyncio.StreamWriter, *, framed: bool) -> None:
        assert self.answer is not None
        first, *others = self.answer.steps
        self._turn.clear()
        self._tail, self._behind = b"", first.count(WORD)
        writer.write(_HEAD % (_STREAM_TYPES[framed], b"transfer-encoding: chunked") + first)
        for step in others:
            await self._turn.wait()
            self._turn.clear()
            self._behind = step.count(WORD)
            writer.write(step)
            await writer.drain()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _document(body: bytes) -> bytes:
    return _HEAD % (b"application/json", b"content-length: %d" % len(body)) + body
