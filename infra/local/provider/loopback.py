"""A server on loopback that answers one request after another on each connection, and what became of each request.

What is answered is the server's: ``server.py`` for the scripted provider, ``infra/local/search.py`` for the search API.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from infra.local.provider.connection import Connection, HttpRequest

Outcome = Literal["answered", "abandoned", "hung up"]


@dataclass(slots=True, kw_only=True)
class Arrival:
    """A request that arrived, refused ones included.

    ``status`` is that of the answer. ``outcome`` is ``None`` while it is being answered; ``abandoned`` means that the
    client left first.
    """

    status: int | None = None
    outcome: Outcome | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    async def ended(self) -> Outcome:
        """Waits until the server is done with this request, and tells how."""
        await self._ended.wait()
        assert self.outcome is not None
        return self.outcome

    async def answer(self, connection: Connection, answering: Coroutine[object, object, None]) -> None:
        """Called by the server, once: answers, unless the client leaves first, and keeps what came of it."""
        try:
            await connection.while_client_stays(answering)
        except ConnectionError:
            self._end("abandoned")
        except asyncio.CancelledError:
            self._end("hung up")
            raise
        else:
            self._end("hung up" if connection.aborted else "answered")

    def _end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self._ended.set()


class LoopbackServer(ABC):
    """Listens on a free loopback port for as long as the context lasts, on the event loop that entered it."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        """Starts listening; ``url`` is known from here on, without a slash at its end."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops listening and drops what is still open."""
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @abstractmethod
    async def _serve(self, connection: Connection, request: HttpRequest) -> None:
        """Answers one request."""

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        connection = Connection(reader, writer)
        try:
            while (request := await connection.request()) is not None:
                await self._serve(connection, request)
        except asyncio.CancelledError:
            connection.abort()  # the server is being stopped, and nobody awaits this task's result
        finally:
            self._connections.discard(task)
            connection.close()
