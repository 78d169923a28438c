"""The way to the providers and to tools that speak HTTP: httpx, and nothing but httpx.

One client per address, because the pool looks at all its connections on every request; keys travel in
the headers of each request, so clients are shared by everybody. Redirects are never followed: a key is sent where
the operator said, and nowhere else. A failure of the network is our ``ProviderUnavailable``.

An address that came with a request is resolved once, by ``addresses.py``, and the connection goes to exactly the
address that was checked there; the name is kept for TLS and for the ``Host`` header.

Nothing here knows a protocol; deciding what an answer means is ``wire/``, or ``http_tools.py`` for a tool's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from http.cookiejar import DefaultCookiePolicy

import httpx

from keyway.errors import InvalidRequest, ProviderUnavailable
from keyway.http_request import HttpRequest
from keyway.outside.addresses import AddressGuard

_PATIENCE = 600.0
"""Seconds of silence after which a provider is given up: what the vendors' own SDKs wait. A model that thinks for
minutes says nothing meanwhile unless it streams, and to ask it again is to pay again. The exchange's deadline bounds
the whole."""

_CLIENTS = 64
"""Hosts that have a client of their own. A request may choose its region and so its host; beyond this many, hosts share
the client of the addresses that callers choose."""

_LIMITS = httpx.Limits(max_connections=1_024, max_keepalive_connections=64, keepalive_expiry=30.0)
"""More connections than an environment ever has requests in flight: the pool never makes one wait for another."""

_UNKEPT = httpx.Limits(max_connections=1_024, max_keepalive_connections=0)


class HttpUpstream:
    """Sends requests to providers (an ``Upstream``, see ``ports.py``).

    Args:
        guard: Looks at addresses that callers choose.
        authorities: Whose certificates are trusted; the public authorities by default.
        patience: Seconds of silence after which a provider is given up. A keep-alive comment breaks the silence.
        linger: Seconds to wait for the end of an answer that has said all it has to say, so that its connection can be
            reused.
    """

    def __init__(
        self,
        *,
        guard: AddressGuard | None = None,
        authorities: ssl.SSLContext | None = None,
        patience: float = _PATIENCE,
        linger: float = 0.25,
    ) -> None:
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._guard = guard or AddressGuard()
        self._authorities = authorities
        self._linger = linger
        self._timeout = httpx.Timeout(connect=5.0, read=patience, write=30.0, pool=5.0)

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """Sends ``request`` and returns when the head of the answer is there.

        Raises:
            InvalidRequest: The caller chose an address that is not a public one.
            ProviderUnavailable: The provider could not be reached, or hung up before it answered; or one that the
                caller chose packs its answer, which two kilobytes could unpack to fill all memory.
        """
        try:
            url = httpx.URL(request.url)
        except httpx.InvalidURL:
            raise InvalidRequest(f"the address of {request.recipient} is not a URL") from None
        client = self._client(url, caller_chosen=request.caller_chosen)
        message = client.build_request(request.method, url, headers=request.headers, content=request.content)
        if request.caller_chosen:
            host = url.raw_host.decode("ascii")  # as DNS and certificates write it
            address = await self._guard.pin(host, url.port or 443, provider=request.recipient, field=request.chosen_in)
            message.extensions["sni_hostname"] = host  # the certificate is still the name's
            message.url = url.copy_with(host=address)  # the Host header was made from the name
            message.headers["accept-encoding"] = "identity"
        try:
            response = await client.send(message, stream=True)
        except _BROKEN as error:
            raise _unavailable(error, request.recipient) from None
        answer = HttpAnswer(response, request.recipient, linger=self._linger)
        if request.caller_chosen and answer.headers.get("content-encoding", "identity") != "identity":
            await answer.abandon()
            what = f"{request.recipient} answered in an encoding that it was not asked for."
            raise ProviderUnavailable(what, provider=request.recipient)
        return answer

    async def prepare(self) -> None:
        """Loads what the first request would otherwise wait for: a tenth of a second of certificates and code.

        httpx imports its transport with its first client, and anyio its asyncio half with its first call.
        """
        import anyio.lowlevel  # noqa: PLC0415 - part of what is loaded here rather than at import

        await httpx.AsyncClient(verify=self._tls(), trust_env=False).aclose()
        await anyio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Closes every connection. After a restored snapshot they are dead anyway; new ones open on demand."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    def _client(self, url: httpx.URL, *, caller_chosen: bool) -> httpx.AsyncClient:
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        kept = not caller_chosen and (origin in self._clients or len(self._clients) < _CLIENTS)
        if not kept:
            # One client for all addresses of callers, and no connection of it is kept: there is no end to their number,
            # and the next request's name may resolve elsewhere.
            origin = f"any over {url.scheme}"
        client = self._clients.get(origin)
        if client is None:
            client = self._clients[origin] = httpx.AsyncClient(
                # A plain-text address (a provider on loopback, say) has no use for the authorities.
                verify=self._tls() if url.scheme == "https" else False,
                timeout=self._timeout,
                limits=_LIMITS if kept else _UNKEPT,
                follow_redirects=False,
                trust_env=False,
            )
            # The client is everybody's: what a provider sets for one caller's request must not go out with another's.
            client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        return client

    def _tls(self) -> ssl.SSLContext:
        if self._authorities is None:
            self._authorities = httpx.create_ssl_context(trust_env=False)
        return self._authorities


class HttpAnswer:
    """A provider's answer whose body is still arriving."""

    def __init__(self, response: httpx.Response, provider: str, *, linger: float) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._provider = provider
        self._linger = linger
        # The bare stream is the fast path; a provider that compresses although asked not to is decoded as it arrives.
        chunks = response.aiter_bytes() if "content-encoding" in response.headers else response.stream
        assert isinstance(chunks, AsyncIterable)
        self._chunks: AsyncIterator[bytes] = aiter(chunks)
        self._ended = False
        self._broken = False

    async def read(self) -> bytes:
        """What the next network read brings, as soon as it is there; ``b""`` at the end.

        Raises:
            ProviderUnavailable: The connection broke.
        """
        try:
            chunk = await anext(self._chunks, b"")
        except _BROKEN as error:
            self._broken = True
            raise _unavailable(error, self._provider) from None
        except BaseException:
            self._broken = True  # the next read would say that this was the end
            raise
        self._ended = not chunk
        return chunk

    async def abandon(self) -> None:
        """Closes the connection at once, whatever is still to come."""
        self._broken = True
        await self.aclose()

    async def aclose(self) -> None:
        """Gives the connection back. An answer that is not at its end within a moment costs its connection."""
        try:
            if not self._response.is_closed and not self._ended and not self._broken:
                try:
                    async with asyncio.timeout(self._linger):
                        while await self.read():
                            pass
                except (TimeoutError, ProviderUnavailable):
                    pass  # the answer was whole without it; closing the connection below is all that is left to do
            await self._response.aclose()
        finally:
            if self._broken or not self._ended:
                # httpcore, cancelled twice, leaves the connection open: for it, what was begun to be closed is closed.
                await asyncio.shield(self._response.extensions["network_stream"].aclose())


_BROKEN = (httpx.TransportError, httpx.StreamError, httpx.DecodingError)
"""What httpx raises when a connection cannot be made, breaks, or falls silent."""


def _unavailable(error: Exception, provider: str) -> ProviderUnavailable:
    """httpx's exception as ours. Its text is not passed on: it may quote a header."""
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            what = f"{provider} did not connect in time."
        case httpx.TimeoutException():
            what = f"{provider} did not answer in time."
        case httpx.ConnectError():
            what = f"{provider} could not be reached."
        case _:
            what = f"The connection to {provider} broke."
    return ProviderUnavailable(what, provider=provider)
