"""Many invocations in one event loop: nothing is shared, and one that breaks hurts no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from stream_runtime import Context, Response, trace_id
from tests.runtime.bodies import Body
from tests.runtime.conftest import Serve
from tests.runtime.events import URL_EVENT
from tests.runtime.scripted_api import NEXT, ScriptedRuntimeApi, unchunk

MANY = 32


async def test_thirty_two_streams_run_at_once_and_keep_to_themselves(api: ScriptedRuntimeApi, serve: Serve) -> None:
    all_begun = asyncio.Event()
    running: set[str] = set()

    async def handler(_: dict[str, object], context: Context) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield context.request_id.encode()
            running.add(context.request_id)
            if len(running) == MANY:
                all_begun.set()
            await all_begun.wait()  # nobody goes on before all have begun
            if context.request_id == "id-13":
                raise RuntimeError("unlucky")
            yield str(trace_id.get()).encode()

        return Response(200, {}, body())

    for number in range(MANY):
        api.invoke(URL_EVENT, f"id-{number}", headers=(f"Lambda-Runtime-Trace-Id: Root={number}",))
    async with serve(handler, concurrency=MANY):
        sent = [unchunk((await api.answer(f"id-{number}")).body) for number in range(MANY)]
        await api.asked_for_next(2 * MANY)
    for number, answer in enumerate(sent):
        if number == 13:
            assert answer.trailers["Lambda-Runtime-Function-Error-Type"] == "RuntimeError"
        else:
            assert answer.chunks[2:] == [f"id-{number}".encode(), f"Root={number}".encode()]
            assert answer.trailers == {}
    assert len({each.connection for each in api.matching(NEXT)}) == MANY


async def test_a_body_that_never_waits_leaves_the_others_their_turn(api: ScriptedRuntimeApi, serve: Serve) -> None:
    other_done = asyncio.Event()

    async def handler(_: dict[str, object], context: Context) -> object:
        async def greedy() -> AsyncIterator[bytes]:
            while not other_done.is_set():
                yield b"more"

        if context.request_id == "id-greedy":
            return Response(200, {}, greedy())
        other_done.set()
        return "served"

    api.invoke(URL_EVENT, "id-greedy")
    async with serve(handler, concurrency=2):
        await api.begun(b"more", "id-greedy")
        api.invoke({}, "id-other")
        assert (await api.answer("id-other")).body == b'"served"'
        await api.answer("id-greedy")


async def test_context_variables_do_not_outlive_their_invocation(api: ScriptedRuntimeApi, serve: Serve) -> None:
    async def handler(_: dict[str, object], __: Context) -> object:
        seen = trace_id.get()
        trace_id.set("left behind")
        return seen

    api.invoke({}, "id-1", headers=("Lambda-Runtime-Trace-Id: Root=1",))
    api.invoke({}, "id-2")
    async with serve(handler):
        assert json.loads((await api.answer("id-1")).body) == "Root=1"
        assert json.loads((await api.answer("id-2")).body) is None


async def test_a_stream_that_is_cut_leaves_its_neighbours_alone(api: ScriptedRuntimeApi, serve: Serve) -> None:
    go_on = asyncio.Event()
    cut, whole = Body(b"cut me", go_on, b"x" * 100_000), Body(b"whole", go_on, b"end")

    async def handler(_: dict[str, object], context: Context) -> Response:
        return Response(200, {}, cut if context.request_id == "id-1" else whole)

    api.cut_at = b"cut me"
    api.invoke(URL_EVENT, "id-1")
    api.invoke(URL_EVENT, "id-2")
    async with serve(handler, concurrency=2):
        await api.begun(b"cut me", "id-1")
        await api.begun(b"whole", "id-2")
        go_on.set()
        assert unchunk((await api.answer("id-2")).body).chunks[2:] == [b"whole", b"end"]
        await cut.has_closed.wait()
    assert (cut.closed, whole.closed) == (1, 1)
