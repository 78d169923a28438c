"""The way to the providers: httpx, and nothing but httpx.

One client per provider address, because the pool looks at all its connections on every request; keys travel in
the headers of each request, so clients are shared by everybody. Redirects are never followed: a key is sent where
the operator said, and nowhere else. A failure of the network is our ``ProviderUnavailable``.

Nothing here knows a protocol; deciding what an answer means is ``wire/``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

import httpx

from keyway.dispatch import HttpRequest
from keyway.errors import ProviderUnavailable

_TIMEOUT = httpx.Timeout(connect=5.0, read=120.0, write=30.0, pool=5.0)
"""Seconds. ``read`` is between two reads, keep-alive comments included; the exchange's deadline bounds the whole."""

_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=64, keepalive_expiry=30.0)
"""More connections than an environment ever has requests in flight: the pool never makes one wait for another."""

_LINGER = 0.25
"""Seconds to wait for the end of an answer that has said all it has to say, so that its connection can be reused."""


class HttpUpstream:
    """Sends requests to providers (an ``Upstream``, see ``ports.py``)."""

    def __init__(self) -> None:
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._tls: ssl.SSLContext | None = None

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """Sends ``request`` and returns when the head of the answer is there.

        Raises:
            ProviderUnavailable: The provider could not be reached, or hung up before it answered.
        """
        url = httpx.URL(request.url)
        client = self._client(url)
        with _translated(request.provider):
            response = await client.send(
                client.build_request("POST", url, headers=request.headers, content=request.content), stream=True
            )
        return HttpAnswer(response, request.provider)

    def tls(self) -> ssl.SSLContext:
        """The certificate authorities. Loading them takes tens of milliseconds: call it before they are needed."""
        if self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)
        return self._tls

    async def aclose(self) -> None:
        """Closes every connection. After a restored snapshot they are dead anyway; new ones open on demand."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    def _client(self, url: httpx.URL) -> httpx.AsyncClient:
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        client = self._clients.get(origin)
        if client is None:
            client = self._clients[origin] = httpx.AsyncClient(
                # A plain-text address (a provider on loopback, say) has no use for the authorities.
                verify=self.tls() if url.scheme == "https" else False,
                timeout=_TIMEOUT,
                limits=_LIMITS,
                follow_redirects=False,
                trust_env=False,
            )
        return client


class HttpAnswer:
    """A provider's answer whose body is still arriving."""

    def __init__(self, response: httpx.Response, provider: str) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._provider = provider
        # Raw bytes are the fast path; a provider that compresses although asked not to is decoded as it arrives.
        self._chunks: AsyncIterator[bytes] = (
            response.aiter_bytes() if "content-encoding" in response.headers else response.aiter_raw()
        )
        self._ended = False

    async def read(self) -> bytes:
        """What the next network read brings, as soon as it is there; ``b""`` at the end.

        Raises:
            ProviderUnavailable: The connection broke.
        """
        with _translated(self._provider):
            chunk = await anext(self._chunks, b"")
        self._ended = not chunk
        return chunk

    async def aclose(self) -> None:
        """Gives the connection back. An answer that is not at its end within a moment costs its connection."""
        if not self._response.is_closed and not self._ended:
            try:
                async with asyncio.timeout(_LINGER):
                    while await self.read():
                        pass
            except (TimeoutError, ProviderUnavailable):
                pass  # the answer was whole without it; closing the connection below is all that is left to do
        await self._response.aclose()


@contextmanager
def _translated(provider: str) -> Iterator[None]:
    """Turns httpx's exceptions into ours. Their text is not passed on: it may quote a header."""
    try:
        yield
    except httpx.TimeoutException as error:
        kind = "connect" if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout) else "answer"
        raise ProviderUnavailable(f"{provider} did not {kind} in time.", provider=provider) from None
    except httpx.ConnectError:
        raise ProviderUnavailable(f"{provider} could not be reached.", provider=provider) from None
    except (httpx.TransportError, httpx.StreamError, httpx.DecodingError):
        raise ProviderUnavailable(f"The connection to {provider} broke.", provider=provider) from None
