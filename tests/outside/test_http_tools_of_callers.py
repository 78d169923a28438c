"""Tools that came with a request, over TLS and through the guard: public, pinned, and without any key of ours."""

from __future__ import annotations

import gzip
import re
import ssl
from collections.abc import AsyncIterator, Sequence

import pytest
import trustme

from keyway.outside.addresses import AddressGuard
from keyway.outside.http_tools import HttpTools
from keyway.outside.upstream import HttpUpstream
from keyway.tools.executor import Key
from tests.outside.http_jobs import SECRET, failure, job, reply, said
from tests.outside.raw import serving

NAME = "tool.example"  # no resolver knows it


@pytest.fixture
async def tools() -> AsyncIterator[HttpTools]:
    upstream = HttpUpstream()
    yield HttpTools(upstream)
    await upstream.aclose()


PACKED = gzip.compress(b"[" + b" " * 100_000 + b"]")


# Tools that came with the request.


class Resolver:
    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return [self._addresses[min(len(self.asked), len(self._addresses)) - 1]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME, "127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
async def callers(authority: trustme.CA) -> AsyncIterator[tuple[HttpTools, Resolver]]:
    """Tools through a guard to which this machine is public, under one name, once; the second answer is another."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    resolver = Resolver("127.0.0.1", "169.254.169.254")
    guard = AddressGuard(resolver, lambda address: address == "127.0.0.1")
    upstream = HttpUpstream(guard=guard, authorities=trusting)
    yield HttpTools(upstream), resolver
    await upstream.aclose()


async def test_a_callers_tool_is_reached_at_the_address_that_was_checked(callers, tls):
    tools, resolver = callers
    async with serving(reply('{"a":1}'), tls=tls) as server:
        wanted = job(f"https://{NAME}:{server.port}/x{{?q}}", {"q": "a"}, method="GET", trusted=False)
        assert await tools.run(wanted) == {"a": 1}
        assert server.names == [NAME]
        assert server.heads[0].startswith("GET /x?q=a HTTP/1.1\r\n")
        assert f"host: {NAME}:{server.port}\r\n" in server.heads[0].lower()
        assert resolver.asked == [(NAME, server.port)]
        # A name that resolves to something else a moment later gains nothing.
        found = await failure(tools, wanted)
        message = f"tools[0].executor.url: {NAME} is not a public address"
        assert said(found) == (message, None, None, False)
        assert server.connections == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"])
async def test_a_callers_tool_is_public(authority, tls, host):
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    upstream = HttpUpstream(authorities=trusting)
    async with serving(reply(), tls=tls) as server:
        found = await failure(HttpTools(upstream), job(f"https://{host}:{server.port}/x", trusted=False))
        not_public = r"tools\[0\]\.executor\.url: \S+ is not a public address"
        unknown = r"web_search could not be reached: \S+ has no address\."
        assert re.fullmatch(f"{not_public}|{unknown}", found.message)
        assert server.connections == 0
    await upstream.aclose()


async def test_a_callers_tool_speaks_https(callers):
    tools, resolver = callers
    async with serving(reply()) as server:
        found = await failure(tools, job(f"http://{NAME}:{server.port}/x", trusted=False))
        assert said(found) == ("tools[0].executor.url: must begin with https://", None, None, False)
        assert (server.connections, resolver.asked) == (0, [])


async def test_no_key_is_sent_to_a_callers_tool(callers, tls):
    tools, _ = callers
    async with serving(reply(), tls=tls) as server:
        wanted = job(f"https://{NAME}:{server.port}/", trusted=False, key=Key(SECRET, "x-key"))
        found = await failure(tools, wanted)
        assert found.message == "web_search was not called: no key is sent to an address that came with the request"
        assert server.connections == 0


@pytest.mark.parametrize("status", [200, 302, 400, 500])
async def test_a_callers_tool_may_not_pack_what_nobody_asked_to_be_packed(callers, tls, status):
    """A few kilobytes unpack to many megabytes, whatever may be read of them."""
    async with serving(reply(PACKED, status, "content-encoding: gzip"), tls=tls) as server:
        found = await failure(callers[0], job(f"https://{NAME}:{server.port}/", trusted=False))
        message = "web_search answered in an encoding that it was not asked for."
        assert said(found) == (message, None, None, False)


async def test_what_an_operators_tool_packs_is_as_long_as_it_is_unpacked(tools):
    async with serving(reply(PACKED, 200, "content-encoding: gzip")) as server:
        assert await tools.run(job(server.url, max_response_bytes=100_002)) == []
        assert (await failure(tools, job(server.url))).message == "web_search answered with more than 1000 bytes"
    async with serving(reply("[1]", 200, "content-encoding: identity")) as server:
        assert await tools.run(job(server.url)) == [1]
