"""Tools that speak HTTP, over real sockets: what they are sent, how long they have, and when a network fails them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from keyway import __version__
from keyway.outside.http_tools import HttpTools
from keyway.outside.upstream import HttpUpstream
from keyway.tools.executor import Key
from tests.outside.http_jobs import SECRET, failure, job, reply, said
from tests.outside.raw import Raw, serving


@pytest.fixture
async def tools() -> AsyncIterator[HttpTools]:
    upstream = HttpUpstream()
    yield HttpTools(upstream)
    await upstream.aclose()


# What is sent.


def head(server: Raw, number: int = 0) -> tuple[str, list[str]]:
    start, *lines = server.heads[number].rstrip().split("\r\n")
    named = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    return start, sorted(f"{name}: {value}" for name, value in named if name not in ("host", "connection"))


async def test_a_request_without_a_body(tools):
    async with serving(reply()) as server:
        wanted = job(
            f"{server.url}/items/{{id}}{{?limit}}",
            {"id": "a/b", "limit": 5, "unused": 1},
            method="GET",
            headers={"X-Team": "{id}", "x-none": "{none}"},
            key=Key(SECRET, "Authorization", "Bearer "),
        )
        assert await tools.run(wanted) == {}
        assert head(server) == (
            "GET /items/a%2Fb?limit=5 HTTP/1.1",
            [
                "accept-encoding: identity",
                "accept: application/json",
                f"authorization: Bearer {SECRET}",
                f"user-agent: keyway/{__version__}",
                "x-team: a/b",
            ],
        )
        assert server.bodies == [b""]


async def test_a_request_with_the_arguments_as_its_body(tools):
    async with serving(reply()) as server:
        for method in ("POST", "PUT", "PATCH"):
            await tools.run(job(f"{server.url}/x", {"q": "\u00e9", "n": 1}, method=method))
        assert [start.split()[0] for start in server.heads] == ["POST", "PUT", "PATCH"]
        assert server.bodies == [b'{"q":"\\u00e9","n":1}'] * 3
        assert "content-type: application/json" in head(server)[1]


async def test_a_request_with_a_body_of_its_own(tools):
    async with serving(reply()) as server:
        headers = {"Accept": "text/json", "User-Agent": "search/1", "Content-Type": "application/x-json"}
        await tools.run(job(f"{server.url}/x", {"q": [1]}, method="DELETE", body={"a": "{q}"}, headers=headers))
        assert server.bodies == [b'{"a":[1]}']
        assert head(server)[1] == [
            "accept-encoding: identity",
            "accept: text/json",
            "content-length: 9",
            "content-type: application/x-json",
            "user-agent: search/1",
        ]


async def test_a_key_among_the_arguments_has_no_header(tools):
    async with serving(reply()) as server:
        await tools.run(job(f"{server.url}/x{{?k}}", {"k": "a b"}, method="GET", key=Key("a b")))
        assert server.heads[0].startswith("GET /x?k=a%20b HTTP/1.1\r\n")
        assert "a b" not in server.heads[0]


async def test_the_key_wins_over_a_header_of_the_same_name(tools):
    async with serving(reply()) as server:
        await tools.run(job(server.url, headers={"x-key": "none"}, key=Key(SECRET, "X-Key")))
        assert [line for line in head(server)[1] if line.startswith("x-key")] == [f"x-key: {SECRET}"]


@pytest.mark.parametrize("secret", ["abc\r\nx: y", "abc\n", " abc", "\u00e9", "a\0b"])
async def test_a_key_that_no_header_may_carry_is_not_sent(tools, secret):
    async with serving(reply()) as server:
        found = await failure(tools, job(server.url, key=Key(secret, "x-key")))
        assert said(found) == (
            "web_search was not called: its key holds characters that no HTTP header may carry",
            None,
            None,
            False,
        )
        assert server.connections == 0


async def test_without_its_arguments_a_tool_is_not_called(tools):
    async with serving(reply()) as server:
        found = await failure(tools, job(f"{server.url}/items/{{id}}"))
        message = "web_search was not called: the argument id is missing, and the URL needs it"
        assert said(found) == (message, None, None, False)
        found = await failure(tools, job(server.url, {"a": "x\r\ny: z"}, headers={"x": "{a}"}))
        assert "the argument a would put characters into the header x that it cannot carry" in found.message
        assert server.connections == 0


# Networks, time, and leaving.


async def test_nobody_there(tools):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = await failure(tools, job(f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert said(found) == ("web_search could not be reached.", None, None, False)


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf"])
async def test_a_connection_that_breaks(tools, begun):
    async def then_close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        await writer.drain()
        writer.close()

    async with serving(then_close) as server:
        found = await failure(tools, job(server.url))
    assert said(found) == ("The connection to web_search broke.", None, None, False)


async def test_of_a_refusal_that_breaks_off_the_status_is_known(tools):
    async def then_close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 No\r\ncontent-length: 99\r\n\r\nno such ite")
        await writer.drain()
        writer.close()

    async with serving(then_close) as server:
        found = await failure(tools, job(server.url))
    assert said(found) == ("web_search answered with status 400: no such ite", 400, None, False)


SILENCES = {
    "before the head": b"",
    "in the body": b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf",
    "in a refusal": b"HTTP/1.1 500 No\r\ncontent-length: 99\r\n\r\nhalf",
}


@pytest.mark.parametrize("where", SILENCES)
async def test_a_tool_has_its_time_and_no_more(tools, where):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SILENCES[where])
        await reader.read()

    async with serving(silent) as server:
        found = await failure(tools, job(server.url, timeoutSeconds=0.1))
        assert said(found) == ("web_search did not answer within 0.1 seconds", None, None, True)
        await server.left.wait()


async def test_the_time_is_for_the_whole_answer(tools):
    """A tool that goes on saying something is not given more."""

    async def drop_by_drop(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"1\r\n \r\n")
            await writer.drain()
            await asyncio.sleep(0)

    async with serving(drop_by_drop) as server:
        found = await failure(tools, job(server.url, timeoutSeconds=0.1, max_response_bytes=100_000_000))
        assert found.timed_out
        await server.left.wait()


@pytest.mark.parametrize("where", SILENCES)
async def test_when_nobody_waits_any_more_the_connection_is_closed_at_once(where):
    tools = HttpTools(HttpUpstream(linger=3_600))  # an answer that is only closed may come to its end
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SILENCES[where])
        await writer.drain()
        arrived.set()
        await reader.read()

    async with serving(silent) as server:
        running = asyncio.create_task(tools.run(job(server.url)))
        await arrived.wait()
        for _ in range(20):  # on to wherever it waits
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await server.left.wait()
