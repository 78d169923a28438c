"""A caller of the gateway, for the demo and the tests: plain HTTP, with the time at which everything arrived."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias

import httpx

from keyway.framing.sse import SseDecoder

Json: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. ``json`` is ``None`` when the body is no JSON object."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json | None:
        """The body as a JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a streamed answer.

    ``milliseconds`` is since the request was sent; ``read`` numbers the network reads, so that events which came
    together can be told from events that came one by one.
    """

    name: str
    data: Json
    milliseconds: float
    read: int


class RefusedError(Exception):
    """The gateway answered a streamed request with an HTTP error; ``reply`` is that answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"status {reply.status}: {reply.body.decode('utf-8', 'replace')}")
        self.reply = reply


class Caller:
    """Speaks to one gateway. ``url`` is its function URL, ``invoke_url`` where direct invocations go."""

    def __init__(self, url: str, invoke_url: str, *, timeout: float = 60.0) -> None:
        self._execute = f"{url}/v1/execute"
        self._invoke = invoke_url
        limits = httpx.Limits(max_connections=None)
        self._http = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False)

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first request."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes every connection."""
        await self._http.aclose()

    async def post(self, body: Json | bytes) -> Reply:
        """``POST /v1/execute``, and the whole answer."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        return _reply(await self._http.post(self._execute, content=content, headers=headers))

    async def invoke(self, event: Json) -> Reply:
        """A direct invocation with a bare event, as Step Functions does it."""
        return _reply(await self._http.post(self._invoke, json=event))

    async def stream(self, body: Json) -> AsyncIterator[StreamEvent]:
        """``POST /v1/execute`` with ``stream`` set; each event as it arrives. Leaving the loop closes the connection.

        Raises:
            RefusedError: The answer is an HTTP error.
            httpx.HTTPError: The connection broke.
        """
        started = time.perf_counter()
        sse = SseDecoder()
        async with self._http.stream("POST", self._execute, json={**body, "stream": True}) as response:
            if response.status_code != 200:
                await response.aread()
                raise RefusedError(_reply(response))
            read = 0
            async for chunk in response.aiter_raw():
                read += 1
                milliseconds = (time.perf_counter() - started) * 1000
                for event in sse.feed(chunk):
                    yield StreamEvent(event.name, json.loads(event.data), milliseconds, read)


def _reply(response: httpx.Response) -> Reply:
    return Reply(response.status_code, response.headers, response.content)
