"""The way to a provider over a real socket: what is sent, what comes back, and how a broken connection is told."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator

import pytest

from keyway.errors import InvalidRequest, ProviderUnavailable
from keyway.http_request import HttpRequest
from keyway.outside.upstream import HttpAnswer, HttpUpstream
from tests.outside.raw import OK, serving

SECRET = "sk-callers-aaaabbbbccccdddd"


def post(url: str, *, caller_chosen: bool = False, provider: str = "acme") -> HttpRequest:
    headers = {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": "keyway/test",
        "authorization": f"Bearer {SECRET}",
    }
    return HttpRequest(provider, url, headers, b'{"a":1}', caller_chosen)


@pytest.fixture
async def upstream() -> AsyncIterator[HttpUpstream]:
    made = HttpUpstream()
    yield made
    await made.aclose()


async def whole(answer: HttpAnswer) -> bytes:
    body = b""
    while data := await answer.read():
        body += data
    await answer.aclose()
    return body


async def test_a_request_on_the_wire(upstream):
    async with serving(OK) as server:
        answer = await upstream.send(post(f"{server.url}/v1/chat?api-version=1"))
        assert (answer.status, await whole(answer)) == (200, b"{}")
        start, *headers = server.heads[0].rstrip().split("\r\n")
        assert start == "POST /v1/chat?api-version=1 HTTP/1.1"
        assert sorted(line.lower() for line in headers) == [
            "accept-encoding: identity",
            "accept: */*",
            f"authorization: bearer {SECRET}",
            "connection: keep-alive",
            "content-length: 7",
            "content-type: application/json",
            f"host: 127.0.0.1:{server.port}",
            "user-agent: keyway/test",
        ]
        assert server.bodies == [b'{"a":1}']


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_a_request_may_have_another_method_and_no_body(upstream, method):
    async with serving(OK) as server:
        await whole(await upstream.send(HttpRequest("acme", f"{server.url}/x", {"a": "b"}, b"", method=method)))
        assert server.heads[0].startswith(f"{method} /x HTTP/1.1\r\n")
        length = "content-length: 0" if method in ("PUT", "PATCH") else None
        said = [line.lower() for line in server.heads[0].split("\r\n") if line.lower().startswith("content-")]
        assert said == ([length] if length else [])
        await whole(await upstream.send(HttpRequest("acme", f"{server.url}/x", {}, b"[]", method=method)))
        assert server.bodies == [b"", b"[]"]


async def test_an_answer_that_is_abandoned_is_closed_at_once():
    upstream = HttpUpstream(linger=3_600)  # an answer that is only closed may come to its end

    async def more_and_more(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"3\r\none\r\n")
            await writer.drain()

    async with serving(more_and_more) as server:
        answer = await upstream.send(post(server.url))
        assert await answer.read()
        await answer.abandon()
        await server.left.wait()
        await answer.aclose()


async def test_a_name_of_a_model_stays_one_step_of_the_path(upstream):
    async with serving(OK) as server:
        await whole(await upstream.send(post(f"{server.url}/model/arn%3Aaws%3Ax%2Fy/converse")))
        assert server.heads[0].startswith("POST /model/arn%3Aaws%3Ax%2Fy/converse HTTP/1.1\r\n")


async def test_header_names_are_found_in_lower_case(upstream):
    async with serving(b"HTTP/1.1 429 No\r\nRetry-After: 3\r\ncontent-length: 0\r\n\r\n") as server:
        answer = await upstream.send(post(server.url))
        assert (answer.status, answer.headers.get("retry-after"), await whole(answer)) == (429, "3", b"")


async def test_each_piece_is_there_as_soon_as_it_was_sent(upstream):
    go_on = asyncio.Event()

    async def slow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await go_on.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")

    async with serving(slow) as server:
        answer = await upstream.send(post(server.url))
        assert await answer.read() == b"one"
        go_on.set()
        assert await answer.read() == b"two"
        assert await answer.read() == b""
        assert await answer.read() == b""
        await answer.aclose()
        await answer.aclose()


async def test_a_stream_that_is_compressed_all_the_same_is_read(upstream):
    packed = gzip.compress(b"hello")
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    async with serving(head + packed) as server:
        assert await whole(await upstream.send(post(server.url))) == b"hello"
    async with serving(head + b"\0" * len(packed)) as server:
        answer = await upstream.send(post(server.url))
        with pytest.raises(ProviderUnavailable, match=r"^The connection to acme broke\.$"):
            await whole(answer)


async def test_a_connection_is_used_again_when_its_answer_was_read(upstream):
    async with serving(OK) as server:
        for _ in range(3):
            await whole(await upstream.send(post(server.url)))
        assert (server.connections, len(server.heads)) == (1, 3)


async def test_an_answer_that_is_not_wanted_any_more_costs_its_connection(upstream):
    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await asyncio.Event().wait()

    async def until_the_client_leaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        assert await reader.read() == b""

    async with serving(until_the_client_leaves) as server:
        answer = await upstream.send(post(server.url))
        assert await answer.read() == b"one"
        await answer.aclose()
        await server.left.wait()
    async with serving(endless) as server:
        answer = await upstream.send(post(server.url))
        assert await answer.read() == b"one"
        reading = asyncio.ensure_future(answer.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await answer.aclose()


async def test_nobody_there(upstream):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ProviderUnavailable, match=r"^acme could not be reached\.$") as found:
            await upstream.send(post(f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert (found.value.provider, found.value.retryable, found.value.upstream_status) == ("acme", True, None)
    assert found.value.__cause__ is None


BREAKS = {
    "before the head": None,
    "in the head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a status that is none": b"HTTP/1.1 abc\r\n\r\n",
}


@pytest.mark.parametrize("where", BREAKS)
async def test_a_connection_that_breaks_before_the_answer(upstream, where):
    async def then_close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(BREAKS[where] or b"")
        await writer.drain()
        writer.close()

    async with serving(then_close if BREAKS[where] else None) as server:
        with pytest.raises(ProviderUnavailable, match=r"^The connection to acme broke\.$"):
            await upstream.send(post(server.url))


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ],
)
async def test_a_connection_that_breaks_in_the_answer(upstream, begun):
    async def then_close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        await writer.drain()
        writer.close()

    async with serving(then_close) as server:
        answer = await upstream.send(post(server.url))
        assert await answer.read() == b"half"
        with pytest.raises(ProviderUnavailable, match=r"^The connection to acme broke\.$"):
            await answer.read()
        await answer.aclose()


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"])
async def test_silence_has_an_end(begun):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        await reader.read()

    impatient = HttpUpstream(patience=0.05)
    async with serving(silent) as server:
        with pytest.raises(ProviderUnavailable, match=r"^acme did not answer in time\.$"):
            await (await impatient.send(post(server.url))).read()
        await server.left.wait()
    await impatient.aclose()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_like_any_other(upstream, status):
    async with serving(OK) as elsewhere:
        head = f"HTTP/1.1 {status} Moved\r\nlocation: {elsewhere.url}/x\r\ncontent-length: 0\r\n\r\n"
        async with serving(head.encode()) as server:
            answer = await upstream.send(post(server.url))
            assert answer.status == status
            await whole(answer)
            assert len(server.heads) == 1
        assert (elsewhere.connections, elsewhere.heads) == (0, []), "the key went nowhere else"


async def test_no_cookie_goes_from_one_callers_request_to_anothers(upstream):
    setting = b"HTTP/1.1 200 OK\r\nset-cookie: session=alice; Path=/\r\nset-cookie: b=c\r\ncontent-length: 2\r\n\r\n{}"
    async with serving(setting) as server:
        for _ in range(2):
            await whole(await upstream.send(post(server.url)))
        assert len(server.heads) == 2
        assert not [head for head in server.heads if "cookie" in head.lower()]


async def test_the_machines_proxy_settings_are_nobodys_business(upstream, monkeypatch):
    async with serving(OK) as proxy, serving(OK) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        await whole(await upstream.send(post(server.url)))
        assert (proxy.connections, server.connections) == (0, 1)


@pytest.mark.parametrize("url", ["http://[::1", "http://x\r\ny/", "http://h:port/"])
async def test_what_is_no_url_is_the_requests_fault(upstream, url):
    with pytest.raises(InvalidRequest, match=r"^the address of acme is not a URL$"):
        await upstream.send(post(url))


async def test_a_header_that_cannot_be_sent_is_not_shown(upstream):
    async with serving(OK) as server:
        request = HttpRequest("acme", server.url, {"x-key": f"{SECRET}\r\nx: y"}, b"")
        with pytest.raises(ProviderUnavailable) as found:
            await upstream.send(request)
        assert SECRET not in str(found.value)
        assert server.heads == []


async def test_when_many_hosts_have_a_client_each_further_ones_keep_no_connection(upstream):
    """A request may choose a region and so a host; no number of them makes an environment grow for ever."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        for number in range(64):
            with pytest.raises(ProviderUnavailable):
                await upstream.send(post(f"http://127.0.1.{number}:{port}"))
    async with serving(OK) as server:
        for _ in range(2):
            assert await whole(await upstream.send(post(server.url))) == b"{}"
        assert server.connections == 2


async def test_after_a_snapshot_connections_are_made_anew(upstream):
    async with serving(OK) as server:
        await upstream.prepare()
        await whole(await upstream.send(post(server.url)))
        await upstream.aclose()
        await whole(await upstream.send(post(server.url)))
        assert server.connections == 2
