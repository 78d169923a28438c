"""What the answers of tools that speak HTTP come to, over real sockets: outputs, refusals, and what stays secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from keyway.outside.http_tools import HttpTools
from keyway.outside.upstream import HttpUpstream
from keyway.tools.executor import Key, ToolFailure
from tests.outside.http_jobs import SECRET, failure, job, reply, said
from tests.outside.raw import serving

NOW = 1_700_000_000.0


@pytest.fixture
async def tools() -> AsyncIterator[HttpTools]:
    upstream = HttpUpstream()
    yield HttpTools(upstream, now=lambda: NOW)
    await upstream.aclose()


# What an answer comes to.

OUTPUTS: dict[str, tuple[bytes, object]] = {
    "an object": (b'{"a": [1, 2.5, null, true, "\xc3\xa9"]}', {"a": [1, 2.5, None, True, "\u00e9"]}),
    "an array": (b" [1]\n", [1]),
    "a text": (b'"x"', "x"),
    "null": (b"null", None),
    "nothing": (b"", {}),
    "white space": (b" \r\n", {}),
    "a byte order mark": (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
    "only a byte order mark": (b"\xef\xbb\xbf", {}),
    "half a character": (b'"\\ud800"', "\ud800"),
}


@pytest.mark.parametrize("case", OUTPUTS)
async def test_an_answer_is_its_json(tools, case):
    body, output = OUTPUTS[case]
    for status in (200, 201, 203):
        async with serving(reply(body, status)) as server:
            assert await tools.run(job(server.url)) == output


async def test_no_content_is_an_empty_object(tools):
    async with serving(b"HTTP/1.1 204 No Content\r\n\r\n") as server:
        for _ in range(2):
            assert await tools.run(job(server.url)) == {}
        assert server.connections == 1


NO_JSON = {
    "a page": (b"<html>Sign in</html>", "something that is not JSON"),
    "half of it": (b'{"a": 1', "something that is not JSON"),
    "two of it": (b"{}{}", "something that is not JSON"),
    "NaN": (b'{"a": NaN}', "JSON that holds NaN, which is no number in JSON"),
    "infinity": (b'{"a": -Infinity}', "JSON that holds -Infinity, which is no number in JSON"),
    "more than a float holds": (b'{"a": 1e999}', "JSON that holds 1e999, which is too large a number"),
    "more digits than Python reads": (b"1" * 5_000, "something that is not JSON"),
    "another encoding": ('{"a": "\u00e9"}'.encode("latin-1"), "something that is not JSON"),
    "two bytes for each character": ('{"a": 1}'.encode("utf-16"), "something that is not JSON"),
    "depth without end": (b"[" * 100_000, "JSON that is nested deeper than 100 levels"),
}


@pytest.mark.parametrize("case", NO_JSON)
async def test_what_is_not_json_is_a_failure(tools, case):
    body, what = NO_JSON[case]
    async with serving(reply(body)) as server:
        for _ in range(2):
            found = await failure(tools, job(server.url, max_response_bytes=200_000))
            assert said(found) == (f"web_search answered with {what}", None, None, False)
        assert server.connections == 1, "the answer was read to its end, and its connection used again"


async def test_a_service_that_repeats_the_key_does_not_tell_it(tools):
    echo = {"headers": {"authorization": f"Bearer {SECRET}"}, SECRET: ["x", SECRET * 2]}
    hidden = {"headers": {"authorization": "Bearer [redacted]"}, "[redacted]": ["x", "[redacted][redacted]"]}
    slashed = json.dumps(echo).replace("/", "\\/")  # as PHP writes it
    in_url = json.dumps({"url": "https://x/?k=tk-hosted%2Faaaabbbbccccdddd%2B%3D%3D&a=1"})
    for body, output in (
        (json.dumps(echo), hidden),
        (slashed, hidden),
        (in_url, {"url": "https://x/?k=[redacted]&a=1"}),
    ):
        async with serving(reply(body)) as server:
            assert await tools.run(job(server.url, key=Key(SECRET, "x-key"))) == output
            assert await tools.run(job(server.url, {"k": SECRET}, key=Key(SECRET))) == output
    quoting = 'a"b\\c'
    async with serving(reply(json.dumps([quoting, 1]))) as server:
        assert await tools.run(job(server.url, key=Key(quoting, "x-key"))) == ["[redacted]", 1]


async def test_an_answer_has_a_length(tools):
    longest = b'"' + b"x" * 998 + b'"'
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e8\r\n" + longest + b"\r\n0\r\n\r\n"
    for answer in (reply(longest), chunked):
        async with serving(answer) as server:
            assert await tools.run(job(server.url)) == "x" * 998
            found = await failure(tools, job(server.url, max_response_bytes=999))
            assert said(found) == ("web_search answered with more than 999 bytes", None, None, False)


async def test_an_answer_without_end_is_not_read_to_it():
    tools = HttpTools(HttpUpstream(linger=3_600))  # an answer that is only closed may come to its end
    written = 0

    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"3e8\r\n" + b" " * 1_000 + b"\r\n")
            written += 1_000
            await writer.drain()

    async with serving(endless) as server:
        found = await failure(tools, job(server.url, max_response_bytes=100_000))
        assert found.message == "web_search answered with more than 100000 bytes"
        await server.left.wait()
    assert written < 20_000_000, "what the sockets' buffers hold, and no more"


# What a refusal comes to.

REFUSALS: dict[str, tuple[int, Any, str]] = {
    "nothing": (500, b"", "web_search answered with status 500"),
    "a text": (400, "no\n such \x1b[1mitem\0", "web_search answered with status 400: no such [1mitem"),
    "a page": (502, "<html><b>Bad gateway</b></html>", "web_search answered with status 502"),
    "a page after a blank line": (404, "\n<!DOCTYPE html>", "web_search answered with status 404"),
    "no text": (500, b"\xff\xfe\x00", "web_search answered with status 500: \ufffd\ufffd"),
    "an error that is a text": (400, {"error": "bad query"}, "web_search answered with status 400: bad query"),
    "an error that is an object": (
        422,
        {"error": {"code": 7, "message": "bad query"}, "message": "no"},
        "web_search answered with status 422: bad query",
    ),
    "an error that only says there is one": (
        400,
        {"error": True, "message": "bad query"},
        "web_search answered with status 400: bad query",
    ),
    "a detail": (404, {"detail": "no such item"}, "web_search answered with status 404: no such item"),
    "details": (422, {"detail": [{"loc": ["q"], "msg": "missing"}]}, "web_search answered with status 422: missing"),
    "errors": (400, {"errors": [{"message": "one"}, {"message": "two"}]}, "web_search answered with status 400: one"),
    "a title": (403, {"type": "about:blank", "title": "Forbidden"}, "web_search answered with status 403: Forbidden"),
    "an array": (400, [{"message": "one"}], "web_search answered with status 400: one"),
    "JSON without a message": (400, {"code": 7}, 'web_search answered with status 400: {"code": 7}'),
    "JSON in JSON in JSON": (
        400,
        {"error": {"error": {"error": {"error": {"error": "x"}}}}},
        'web_search answered with status 400: {"error": {"error": {"error": {"error": {"error": "x"}}}}}',
    ),
    "a number": (418, "5", "web_search answered with status 418: 5"),
    "a long one": (400, {"error": "x" * 5_000}, f"web_search answered with status 400: {'x' * 300}"),
    "a very long one": (400, "y" * 200_000, f"web_search answered with status 400: {'y' * 300}"),
    "depth without end": (400, "[" * 60_000, f"web_search answered with status 400: {'[' * 300}"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refusal_is_told_in_the_tools_own_words(tools, case):
    status, body, message = REFUSALS[case]
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    async with serving(reply(content, status)) as server:
        assert said(await failure(tools, job(server.url))) == (message, status, None, False)


async def test_a_refusal_is_not_read_for_ever(tools):
    """What is told of it fits into its beginning; the rest, here a gigabyte that never comes, is not waited for."""
    beginning = b"HTTP/1.1 500 Whatever\r\ncontent-length: 1000000000\r\n\r\n" + b"z" * 100_000
    async with serving(beginning) as server:
        found = await asyncio.wait_for(failure(tools, job(server.url)), 20)
        assert said(found) == (f"web_search answered with status 500: {'z' * 300}", 500, None, False)
        await server.left.wait()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("retry-after: 7", 7.0),
        ("Retry-After-Ms: 1500", 1.5),
        ("retry-after: Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("retry-after: soon", None),
    ],
)
async def test_a_refusal_may_say_when_to_come_again(tools, header, seconds):
    async with serving(reply("", 429, header)) as server:
        found = await failure(tools, job(server.url))
        assert said(found) == ("web_search answered with status 429", 429, seconds, False)


async def test_a_refusal_that_quotes_the_key_does_not_tell_it(tools):
    for words in (f"key {SECRET} is wrong", f"key {SECRET[:12]}... is wrong", "x" * 295 + SECRET, f"{SECRET} " * 200):
        for body in (words, json.dumps({"error": words})):
            for status in (401, 500):
                async with serving(reply(body, status)) as server:
                    for key in (Key(SECRET, "x-key", "Bearer "), Key(SECRET)):
                        found = await failure(tools, job(server.url, {"k": SECRET}, key=key))
                        assert not any(SECRET[start : start + 8] in found.message for start in range(len(SECRET) - 7))
                        assert SECRET[:5] not in found.message, "not even what the end of a message leaves of it"
                        assert "[reda" in found.message


KEY = "tk+live/abc+def/ghi=="
SPELLINGS = [
    json.dumps({"echo": KEY}),
    json.dumps({"echo": KEY}).replace("+", "\\u002B").replace("=", "\\u003d"),
    json.dumps({"echo": {"deep": [f"?key={quote(KEY, safe='')}&x"]}}),
    json.dumps({"echo": quote(KEY, safe="").replace("%2B", "%2b")}),
    json.dumps({"echo": {KEY: 1}}),
    json.dumps({"echo": json.dumps({"key": KEY}).replace("/", "\\/")}),
]


@pytest.mark.parametrize("spelling", range(len(SPELLINGS)))
@pytest.mark.parametrize("status", [200, 400])
async def test_a_key_is_told_in_no_spelling(tools, spelling, status):
    body = SPELLINGS[spelling] if status == 200 else SPELLINGS[spelling].replace('"echo"', '"error"')
    async with serving(reply(body, status)) as server:
        try:
            told = json.dumps(await tools.run(job(server.url, key=Key(KEY, "x-key"))))
        except ToolFailure as failed:
            told = failed.message
    for written in (KEY, quote(KEY, safe=""), "live/abc", "live%2", "live\\"):
        assert written not in told
    assert "[redacted]" in told


async def test_an_answer_is_only_so_deep(tools):
    for levels, deep in ((100, False), (101, True)):
        body = (
            "[" * (levels // 2)
            + '{"a":' * (levels - levels // 2)
            + "1"
            + "}" * (levels - levels // 2)
            + "]" * (levels // 2)
        )
        async with serving(reply(body)) as server:
            if deep:
                found = await failure(tools, job(server.url))
                assert found.message == "web_search answered with JSON that is nested deeper than 100 levels"
            else:
                assert json.dumps(await tools.run(job(server.url)), separators=(",", ":")) == body


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(tools, status):
    async with serving(reply()) as elsewhere, serving(reply("", status, f"location: {elsewhere.url}/hush")) as server:
        found = await failure(tools, job(server.url, key=Key(SECRET, "x-key")))
        message = f"web_search answered with status {status}, a redirect, which is not followed"
        assert said(found) == (message, status, None, False)
        assert elsewhere.connections == 0
