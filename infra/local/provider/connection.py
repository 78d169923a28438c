"""One HTTP/1.1 connection of the scripted provider. h11 keeps the grammar; this file moves the bytes.

Every write is flushed before the next, so that one frame is one chunk on the wire. While an answer is being
made the connection is also listened to, because a client that leaves has to be noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass

import h11

_READ = 65_536


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A whole request. Header names are in lower case; ``path`` has no query, ``query`` no question mark."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """A server's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)
        self.aborted = False

    async def request(self) -> HttpRequest | None:
        """The next request; ``None`` when the client has no more, or speaks no HTTP."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        if self._http.our_state is not h11.IDLE or self.aborted:
            return None
        head: h11.Request | None = None
        body: list[bytes] = []
        try:
            while True:
                match event := self._http.next_event():
                    case h11.Request():
                        head = event
                        if self._http.they_are_waiting_for_100_continue:
                            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
                    case h11.Data():
                        body.append(bytes(event.data))
                    case h11.EndOfMessage():
                        assert head is not None
                        path, _, query = head.target.decode().partition("?")
                        return HttpRequest(
                            head.method.decode(),
                            path,
                            query,
                            {name.decode(): value.decode("latin-1") for name, value in head.headers},
                            b"".join(body),
                        )
                    case h11.NEED_DATA:
                        self._http.receive_data(await self._reader.read(_READ))
                    case _:
                        return None
        except (h11.RemoteProtocolError, ConnectionError):
            return None

    async def start(self, status: int, content_type: str, headers: Mapping[str, str]) -> None:
        """The head of a streamed answer."""
        await self._send(_head(status, {"content-type": content_type, **headers}))

    async def write(self, data: bytes) -> None:
        """One chunk of a streamed answer."""
        await self._send(h11.Data(data=data))

    async def end(self) -> None:
        """The end of the answer, as HTTP sees it."""
        await self._send(h11.EndOfMessage())

    async def document(self, status: int, content_type: str, body: bytes, headers: Mapping[str, str]) -> None:
        """A whole answer of known length."""
        length = {"content-type": content_type, "content-length": str(len(body))}
        await self._send(_head(status, {**length, **headers}))
        await self.write(body)
        await self.end()

    def abort(self) -> None:
        """Drops the connection at once."""
        self.aborted = True
        self._writer.transport.abort()

    def close(self) -> None:
        """Ends the connection when everything written has left."""
        self._writer.close()

    async def while_client_stays(self, answering: Coroutine[object, object, None]) -> None:
        """Runs ``answering`` to its end. Raises ``ConnectionError``, and stops it, when the client leaves first."""
        answer = asyncio.ensure_future(answering)
        heard = asyncio.ensure_future(self._reader.read(_READ))
        try:
            await asyncio.wait({answer, heard}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                if not (data := heard.result()):
                    raise ConnectionResetError("the client left")
                self._http.receive_data(data)  # its next request came early
            await answer
        finally:
            answer.cancel()
            heard.cancel()
            await asyncio.gather(answer, heard, return_exceptions=True)

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data and not self.aborted:
            self._writer.write(data)
            await self._writer.drain()


def _head(status: int, headers: Mapping[str, str]) -> h11.Response:
    return h11.Response(status_code=status, headers=list(headers.items()))
