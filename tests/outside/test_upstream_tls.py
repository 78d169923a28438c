"""Addresses that callers choose: checked, pinned, and still the name's for TLS and for HTTP."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Sequence

import pytest
import trustme

from keyway.errors import InvalidRequest, ProviderUnavailable
from keyway.http_request import HttpRequest
from keyway.outside.addresses import AddressGuard
from keyway.outside.upstream import HttpUpstream
from tests.outside.raw import OK, Raw, serving

NAME = "llm.example"  # no resolver knows it
SECRET = "sk-callers-aaaabbbbccccdddd"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def authorities(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


class Resolver:
    """Answers with one address after the other, the last of them for ever."""

    def __init__(self, *answers: str) -> None:
        self._answers = answers
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return [self._answers[min(len(self.asked), len(self._answers)) - 1]]


def loopback(address: str) -> bool:
    """Stands in for ``is_public``: the one address that a test can reach."""
    return address in ("127.0.0.1", "::1")


@contextlib.asynccontextmanager
async def going_through(guard: AddressGuard, authorities: ssl.SSLContext) -> AsyncIterator[HttpUpstream]:
    upstream = HttpUpstream(guard=guard, authorities=authorities)
    yield upstream
    await upstream.aclose()


def certified(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def post(server: Raw, host: str = NAME) -> HttpRequest:
    headers = {"api-key": SECRET, "content-type": "application/json"}
    return HttpRequest("vllm", f"https://{host}:{server.port}/v1/chat", headers, b"{}", caller_chosen=True)


async def body(upstream: HttpUpstream, request: HttpRequest) -> bytes:
    answer = await upstream.send(request)
    read = await answer.read()
    await answer.aclose()
    return read


async def test_the_connection_goes_to_the_checked_address_and_speaks_of_the_name(authority, authorities):
    resolver = Resolver("127.0.0.1")
    async with (
        serving(OK, tls=certified(authority, NAME)) as server,
        going_through(AddressGuard(resolver, loopback), authorities) as upstream,
    ):
        assert await body(upstream, post(server)) == b"{}"
        assert server.names == [NAME]
        assert f"host: {NAME}:{server.port}\r\n" in server.heads[0].lower()
        assert f"api-key: {SECRET}\r\n" in server.heads[0].lower()
        assert server.heads[0].startswith("POST /v1/chat HTTP/1.1\r\n")
        assert resolver.asked == [(NAME, server.port)]


async def test_a_name_that_changes_its_answer_gains_nothing(authority, authorities):
    """The second answer is what DNS rebinding would have the connection go to."""
    resolver = Resolver("127.0.0.1", "169.254.169.254")
    async with (
        serving(OK, tls=certified(authority, NAME)) as server,
        going_through(AddressGuard(resolver, loopback), authorities) as upstream,
    ):
        assert await body(upstream, post(server)) == b"{}"
        assert len(resolver.asked) == 1, "asked once for one request"
        with pytest.raises(InvalidRequest, match="is not a public address"):
            await upstream.send(post(server))
        assert server.connections == 1


async def test_each_request_is_checked_and_no_connection_outlives_it(authority, authorities):
    resolver = Resolver("127.0.0.1")
    async with (
        serving(OK, tls=certified(authority, NAME)) as server,
        going_through(AddressGuard(resolver, loopback), authorities) as upstream,
    ):
        for _ in range(2):
            await body(upstream, post(server))
        assert len(resolver.asked) == server.connections == 2


async def test_loopback_is_refused_before_anybody_is_connected_to(authority, authorities):
    async with (
        serving(OK, tls=certified(authority, NAME, "127.0.0.1", "localhost")) as server,
        going_through(AddressGuard(Resolver("127.0.0.1")), authorities) as upstream,
    ):
        with pytest.raises(InvalidRequest, match=rf"^azureEndpoint: {NAME} is not a public address$"):
            await upstream.send(post(server))
    async with (
        serving(OK, tls=certified(authority, "127.0.0.1", "localhost")) as server,
        going_through(AddressGuard(), authorities) as upstream,
    ):
        for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001"):
            with pytest.raises((InvalidRequest, ProviderUnavailable)):
                await upstream.send(post(server, host))
        assert server.connections == 0


@pytest.mark.parametrize("certificate", ["other.example", "127.0.0.1"])
async def test_a_certificate_of_somebody_else_will_not_do(authority, authorities, certificate):
    async with (
        serving(OK, tls=certified(authority, certificate)) as server,
        going_through(AddressGuard(Resolver("127.0.0.1"), loopback), authorities) as upstream,
    ):
        with pytest.raises(ProviderUnavailable, match=r"^vllm could not be reached\.$"):
            await upstream.send(post(server))
        assert server.heads == [], "the key was not sent"


async def test_nor_does_one_that_no_trusted_authority_has_signed(authorities):
    async with (
        serving(OK, tls=certified(trustme.CA(), NAME)) as server,
        going_through(AddressGuard(Resolver("127.0.0.1"), loopback), authorities) as upstream,
    ):
        with pytest.raises(ProviderUnavailable, match=r"^vllm could not be reached\.$"):
            await upstream.send(post(server))
        assert server.heads == []


@pytest.mark.parametrize("status", [302, 307, 308])
async def test_a_redirect_is_not_followed_with_the_key(authority, authorities, status):
    tls = certified(authority, NAME)
    async with serving(OK, tls=certified(authority, NAME)) as elsewhere:
        head = f"HTTP/1.1 {status} Moved\r\nlocation: https://{NAME}:{elsewhere.port}/\r\ncontent-length: 0\r\n\r\n"
        async with (
            serving(head.encode(), tls=tls) as server,
            going_through(AddressGuard(Resolver("127.0.0.1"), loopback), authorities) as upstream,
        ):
            answer = await upstream.send(post(server))
            assert answer.status == status
            await answer.aclose()
        assert elsewhere.connections == 0


@pytest.mark.parametrize("status", [200, 302, 500])
async def test_a_packed_answer_is_not_unpacked(authority, authorities, status):
    """Two kilobytes, packed twice, unpack to two gigabytes."""
    answer = f"HTTP/1.1 {status} Whatever\r\ncontent-length: 100000\r\ncontent-encoding: gzip, gzip\r\n\r\n".encode()
    guard = AddressGuard(Resolver("127.0.0.1"), loopback)
    async with serving(answer, tls=certified(authority, NAME)) as server, going_through(guard, authorities) as upstream:
        with pytest.raises(ProviderUnavailable, match="an encoding that it was not asked for"):
            await upstream.send(post(server))
        await server.left.wait()
        assert "\r\naccept-encoding: identity\r\n" in server.heads[0].lower()


async def test_no_cookie_goes_from_one_callers_host_to_anothers(authority, authorities):
    setting = b"HTTP/1.1 200 OK\r\nset-cookie: a=b; Domain=example; Path=/\r\ncontent-length: 2\r\n\r\n{}"
    async with (
        serving(setting, tls=certified(authority, NAME, "other.example")) as server,
        going_through(AddressGuard(Resolver("127.0.0.1"), loopback), authorities) as upstream,
    ):
        await body(upstream, post(server))
        await body(upstream, post(server, "other.example"))
        await body(upstream, post(server))
        assert len(server.heads) == 3
        assert not [head for head in server.heads if "cookie" in head.lower()]


async def test_an_international_name_is_written_as_dns_writes_it(authority, authorities):
    ascii_name = "xn--strae-oqa.example"  # with a sharp s, which older rules wrote as two
    resolver = Resolver("127.0.0.1")
    async with (
        serving(OK, tls=certified(authority, ascii_name)) as server,
        going_through(AddressGuard(resolver, loopback), authorities) as upstream,
    ):
        assert await body(upstream, post(server, ascii_name)) == b"{}"
        assert resolver.asked == [(ascii_name, server.port)]
        assert server.names == [ascii_name]


async def test_a_port_that_is_not_named_is_that_of_https(authorities):
    resolver = Resolver("10.0.0.1")
    async with going_through(AddressGuard(resolver), authorities) as upstream:
        with pytest.raises(InvalidRequest):
            await upstream.send(HttpRequest("vllm", f"https://{NAME}/v1", {}, b"", caller_chosen=True))
    assert resolver.asked == [(NAME, 443)]


async def test_an_address_of_version_6_is_connected_to_as_such(authorities):
    with socket.socket(socket.AF_INET6) as free:
        try:
            free.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        port = free.getsockname()[1]
    async with going_through(AddressGuard(Resolver("::1"), loopback), authorities) as upstream:
        with pytest.raises(ProviderUnavailable, match=r"^vllm could not be reached\.$"):
            await upstream.send(HttpRequest("vllm", f"https://{NAME}:{port}/", {}, b"", caller_chosen=True))
