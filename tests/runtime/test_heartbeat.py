"""A silent stream gives a sign of life, between its chunks and nowhere else."""

from __future__ import annotations

import asyncio

from stream_runtime import Context, Response
from tests.runtime.bodies import Body
from tests.runtime.conftest import Serve
from tests.runtime.events import URL_EVENT
from tests.runtime.scripted_api import ScriptedRuntimeApi, unchunk

PING = b": ping\n\n"


async def test_a_silent_body_is_filled_with_heartbeats(api: ScriptedRuntimeApi, serve: Serve) -> None:
    go_on = asyncio.Event()

    async def handler(_: dict[str, object], __: Context) -> Response:
        return Response(200, {}, Body(b"one", go_on, b"two"), heartbeat=PING)

    api.invoke(URL_EVENT)
    async with serve(handler, heartbeat_after=0.01):
        await api.begun(b"one\r\n8\r\n" + PING + b"\r\n8\r\n" + PING)
        go_on.set()
        sent = unchunk((await api.answer()).body)
    prelude, nuls, first, *pings, last = sent.chunks
    assert prelude.startswith(b"{")
    assert nuls == bytes(8)
    assert (first, last) == (b"one", b"two")
    assert set(pings) == {PING}


async def test_nothing_is_sent_before_the_handler_has_answered(api: ScriptedRuntimeApi, serve: Serve) -> None:
    async def handler(_: dict[str, object], __: Context) -> Response:
        await asyncio.sleep(0.1)  # ten heartbeats long
        assert not api.matching("POST")
        return Response(200, {}, b"ok", heartbeat=PING)

    api.invoke(URL_EVENT)
    async with serve(handler, heartbeat_after=0.01):
        sent = unchunk((await api.answer()).body)
    assert sent.chunks[-1] == b"ok"
    assert PING not in sent.chunks


async def test_a_response_without_a_heartbeat_gets_none(api: ScriptedRuntimeApi, serve: Serve) -> None:
    pause = asyncio.Event()

    async def handler(_: dict[str, object], __: Context) -> Response:
        asyncio.get_running_loop().call_later(0.1, pause.set)
        return Response(200, {}, Body(b"one", pause, b"two"))

    api.invoke(URL_EVENT)
    async with serve(handler, heartbeat_after=0.01):
        sent = unchunk((await api.answer()).body)
    assert sent.chunks[2:] == [b"one", b"two"]


async def test_a_heartbeat_on_a_broken_connection_is_quietly_left_out(api: ScriptedRuntimeApi, serve: Serve) -> None:
    failures: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
    go_on = asyncio.Event()
    body = Body(b"one", go_on, b"two")

    async def handler(_: dict[str, object], __: Context) -> Response:
        return Response(200, {}, body, heartbeat=PING)

    api.cut_at = PING
    api.invoke(URL_EVENT)
    async with serve(handler, heartbeat_after=0.01):
        await api.begun(PING)
        asyncio.get_running_loop().call_later(0.1, go_on.set)
        await body.has_closed.wait()
    assert failures == []
