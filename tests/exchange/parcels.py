"""Requests ready to be delivered, and an upstream in memory that answers them as it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx

from keyway.catalog import Catalog
from keyway.chat import ChatRequest
from keyway.delivery import Delivery
from keyway.destination import destination
from keyway.errors import KeywayError
from keyway.http_request import HttpRequest
from keyway.keys.credential import Credential
from keyway.outside.signing import AwsSigner
from keyway.parcel import Parcel
from keyway.ports import Signer, Upstream
from keyway.sanitise import sanitise
from keyway.wire.registry import wire as wire_called

CATALOG = Catalog.load()
SECRET = "sk-callers-aaaabbbbccccdddd"


def parcel(
    provider_id: str = "openai",
    model_id: str | None = None,
    *,
    base_url: str | None = None,
    credential: Credential | None = None,
    **said: Any,
) -> Parcel:
    """A request to ``provider_id``, as the exchange would have it delivered."""
    provider = CATALOG.provider(provider_id)
    message = {"role": "user", "content": "Hello"}
    request = ChatRequest.model_validate(
        {"provider": provider_id, "model": model_id or provider.default_model, "messages": [message], **said}
    )
    model = CATALOG.model(provider, request.model)
    base_urls = {provider_id: base_url} if base_url else {}
    goes_to = destination(provider, model, CATALOG.spoken(provider, model), request, base_urls)
    wire = wire_called(goes_to.wire)
    outgoing = wire.encode(sanitise(request, model), model, wire.dialect(goes_to.dialect))
    return Parcel(
        provider,
        wire,
        goes_to,
        outgoing,
        credential or Credential(SECRET, "caller"),
        request.bedrock_access_key_id,
    )


@dataclass
class Reply:
    """An HTTP answer. ``breaks`` cuts its body off with an error of the network."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: KeywayError | None = None


Answering: TypeAlias = Callable[[HttpRequest], Reply | KeywayError]


class Memory:
    """An ``Upstream`` that answers by a function; it remembers requests and counts what was closed."""

    def __init__(self, answering: Answering | list[Reply | KeywayError]) -> None:
        self._answering = answering
        self.sent: list[HttpRequest] = []
        self.closed = 0

    async def send(self, request: HttpRequest) -> _Answer:
        self.sent.append(request)
        if isinstance(self._answering, list):
            reply = self._answering[min(len(self.sent), len(self._answering)) - 1]
        else:
            reply = self._answering(request)
        if isinstance(reply, KeywayError):
            raise reply
        return _Answer(reply, self)


class _Answer:
    def __init__(self, reply: Reply, upstream: Memory) -> None:
        self.status = reply.status
        self.headers: Mapping[str, str] = httpx.Headers(dict(reply.headers))
        self._reply = reply
        self._upstream = upstream
        self._left = [reply.body] if reply.body else []

    async def read(self) -> bytes:
        if self._left:
            return self._left.pop()
        if self._reply.breaks:
            raise self._reply.breaks
        return b""

    async def aclose(self) -> None:
        self._upstream.closed += 1


class Pauses(list[float]):
    """Stands in for sleeping: remembers how long it should have been."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def delivery(upstream: Upstream, pauses: Pauses | None = None, *, signer: Signer | None = None) -> Delivery:
    """A delivery without chance and without waiting."""
    return Delivery(
        upstream,
        signer or AwsSigner(),
        now=lambda: 1_700_000_000.0,
        chance=lambda: 0.0,
        sleep=pauses if pauses is not None else Pauses(),
    )
