"""Asking for work: the connection is kept, made again when it was closed, and given up when nobody is there."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

from stream_runtime import Context
from stream_runtime.invocation import MalformedInvocationError
from stream_runtime.loop import RuntimeApiGoneError, poll
from tests.runtime.conftest import SETTINGS, Serve
from tests.runtime.scripted_api import NEXT, ScriptedRuntimeApi


async def echo(event: dict[str, object], _: Context) -> object:
    return event


async def test_a_connection_the_other_side_closed_is_made_again(api: ScriptedRuntimeApi, serve: Serve) -> None:
    api.hang_up_on_next = 2
    api.invoke({"n": 1})
    async with serve(echo):
        assert (await api.answer()).body == b'{"n":1}'
    assert len(api.matching(NEXT)) >= 3


async def test_a_runtime_api_that_always_hangs_up_is_given_up(api: ScriptedRuntimeApi) -> None:
    api.hang_up_on_next = 1000
    with pytest.raises(RuntimeApiGoneError):
        await poll(replace(SETTINGS, runtime_api=api.address), echo, lambda _: None)
    assert len(api.matching(NEXT)) == 5


async def test_a_runtime_api_that_is_not_there_is_named() -> None:
    with socket.socket() as taken:  # nobody listens there, and nobody else can
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RuntimeApiGoneError, match=address):
            await poll(replace(SETTINGS, runtime_api=address), echo, lambda _: None)


@pytest.mark.parametrize(
    ("head", "error", "message"),
    [
        (b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\noops", RuntimeApiGoneError, "answered 500 to `next`: oops"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", MalformedInvocationError, "Aws-Request-Id"),
        (
            b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r\r\nContent-Length: 2\r\n\r\n{}",
            MalformedInvocationError,
            "Deadline-Ms",
        ),
    ],
    ids=["refused", "no request id", "no deadline"],
)
async def test_a_reply_that_is_no_invocation_ends_the_poller(head: bytes, error: type[Exception], message: str) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        with pytest.raises(error, match=message):
            await poll(replace(SETTINGS, runtime_api=f"{host}:{port}"), echo, lambda _: None)


async def test_what_does_not_speak_http_is_an_error_and_not_a_hang() -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        with pytest.raises(RuntimeApiGoneError, match="HTTP"):
            await poll(replace(SETTINGS, runtime_api=f"{host}:{port}"), echo, lambda _: None)


async def test_a_six_megabyte_event_arrives_whole(api: ScriptedRuntimeApi, serve: Serve) -> None:
    async def length(event: dict[str, object], _: Context) -> object:
        return len(str(event["text"]))

    api.invoke({"text": "x" * (6 * 1024 * 1024 - 20)})
    async with serve(length):
        assert (await api.answer()).body == b"6291436"
