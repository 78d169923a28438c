"""The guard of addresses that callers choose: public ones only, resolved once, and pinned.

A name is resolved here and the connection goes to the address that was checked, so that a name which resolves to
something else a moment later (DNS rebinding) gains nothing. Every address of a name has to be public: loopback,
private, link-local (a cloud's metadata service), shared, multicast and reserved ones are refused.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias

from keyway.errors import InvalidRequest, ProviderUnavailable

if TYPE_CHECKING:
    from concurrent.futures import Executor

Lookup: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Resolves a host name and port to IP addresses. Raises ``OSError`` when there is none."""


_THREADS = 16
"""Names of callers that are looked up at once. A slow name holds its thread for as long as its servers like, whoever
has given up meanwhile; so these threads are not those in which the names of providers are looked up."""


@cache
def _threads() -> Executor:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only for requests that bring an address

    return ThreadPoolExecutor(_THREADS, thread_name_prefix="callers-names")


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """What the operating system's resolver says, asked in a thread."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_threads(), ask)
    return [str(address[0]) for *_ignored, address in found]


def is_public(address: str) -> bool:
    """Whether ``address`` (an IP address as text) can be reached by, and belongs to, anybody on the Internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(ip.packed[-4:])))
        # An IPv4 address in a tunnel's coat is judged by what is in the coat, too.
        if ip not in _UNICAST or (ip.sixtofour is not None and not is_public(str(ip.sixtofour))):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All IPv6 addresses that IANA has given out. Outside of it ``ipaddress`` calls some global that are no such thing:
loopback in its oldest IPv4 form (``::7f00:1``), site-local ones, what a network translates to as it pleases."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""How a network that has only IPv6 writes the IPv4 addresses of the Internet (RFC 6052)."""


class AddressGuard:
    """Resolves hosts that callers name.

    Args:
        lookup: How names are resolved.
        allowed: Which addresses will do.
    """

    def __init__(self, lookup: Lookup = system_lookup, allowed: Callable[[str], bool] = is_public) -> None:
        self._lookup = lookup
        self._allowed = allowed

    async def pin(self, host: str, port: int, *, provider: str, field: str) -> str:
        """The one address to connect to for ``host``.

        Args:
            provider: Who is expected there, as error messages say it.
            field: Where in the request the host was named.

        Raises:
            InvalidRequest: The host has an address that is not public.
            ProviderUnavailable: The host has no address.
        """
        try:
            addresses = await self._lookup(host, port)
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            raise ProviderUnavailable(f"{provider} could not be reached: {host} has no address.", provider=provider)
        if not all(map(self._allowed, addresses)):
            raise InvalidRequest(f"{field}: {host} is not a public address")
        return addresses[0]
