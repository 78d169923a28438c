"""An invocation that runs over is ended by the runtime itself, and the environment goes on."""

from __future__ import annotations

import asyncio
import json

import pytest

from stream_runtime import Context, Response
from tests.runtime.bodies import Body
from tests.runtime.conftest import Serve
from tests.runtime.events import BARE_EVENT, URL_EVENT
from tests.runtime.scripted_api import NEXT, ScriptedRuntimeApi, unchunk


@pytest.fixture(autouse=True)
def _all_may_be_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the end of a function's time and the deadline lie seconds, in which a busy machine may say so."""
    monkeypatch.setattr("stream_runtime.loop._LARGEST_RESERVE", 1.0)


async def test_a_stream_that_runs_over_ends_in_a_trailer(api: ScriptedRuntimeApi, serve: Serve) -> None:
    body = Body(b"first", asyncio.Event())

    async def handler(_: dict[str, object], __: Context) -> Response:
        return Response(200, {}, body)

    api.invoke(URL_EVENT, seconds=10)
    async with serve(handler, deadline_reserve=9.3):
        sent = unchunk((await api.answer()).body)
        await body.has_closed.wait()
        await api.asked_for_next(2)
    assert sent.chunks[-1] == b"first"
    assert sent.trailers["Lambda-Runtime-Function-Error-Type"] == "Runtime.DeadlineExceeded"
    assert body.closed == 1


async def test_a_url_event_without_an_answer_at_its_deadline_is_a_504(api: ScriptedRuntimeApi, serve: Serve) -> None:
    async def handler(_: dict[str, object], __: Context) -> object:
        await asyncio.Event().wait()
        return None

    api.invoke(URL_EVENT, seconds=10)
    async with serve(handler, deadline_reserve=9.3):
        prelude, _, body = unchunk((await api.answer()).body).chunks
    assert json.loads(prelude)["statusCode"] == 504
    assert json.loads(body)["error"]["type"] == "Runtime.DeadlineExceeded"


async def test_a_bare_event_without_an_answer_at_its_deadline_is_an_error(
    api: ScriptedRuntimeApi, serve: Serve
) -> None:
    async def handler(_: dict[str, object], __: Context) -> object:
        await asyncio.Event().wait()
        return None

    api.invoke(BARE_EVENT, seconds=10)
    async with serve(handler, deadline_reserve=9.3):
        assert json.loads((await api.answer(call="error")).body)["errorType"] == "Runtime.DeadlineExceeded"


async def test_a_timeout_of_the_handlers_own_is_not_taken_for_the_deadline(
    api: ScriptedRuntimeApi, serve: Serve
) -> None:
    async def handler(_: dict[str, object], __: Context) -> object:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
        return None

    api.invoke(BARE_EVENT)
    async with serve(handler):
        assert json.loads((await api.answer(call="error")).body)["errorType"] == "TimeoutError"


async def test_a_handler_that_ignores_its_cancellation_is_left_behind_and_cannot_answer_any_more(
    api: ScriptedRuntimeApi, serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    let_go = asyncio.Event()
    body = Body(b"too late")

    async def handler(event: dict[str, object], __: Context) -> object:
        while "after" not in event and not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue
        return "alive" if "after" in event else Response(200, {}, body)

    api.invoke(URL_EVENT, seconds=0.3)
    async with serve(handler, deadline_reserve=0.1):
        api.invoke({"after": True}, "id-2")
        assert (await api.answer("id-2")).body == b'"alive"'
        let_go.set()
        await body.has_closed.wait()
        await api.asked_for_next(3)
    assert len({each.connection for each in api.matching(NEXT)}) == 2
    assert not api.matching("POST /2018-06-01/runtime/invocation/id-1/")
    assert body.closed == 1
    left, undelivered = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert left["message"] == "the function ignores its cancellation and was left behind"
    assert undelivered["reason"] == "the answer came after its connection was given up"


async def test_closing_the_body_may_take_until_the_deadline_and_no_longer(
    api: ScriptedRuntimeApi, serve: Serve
) -> None:
    cancelled = asyncio.Event()

    class Draining(Body):
        async def aclose(self) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

    async def handler(_: dict[str, object], __: Context) -> Response:
        return Response(200, {}, Draining(b"all"))

    api.invoke(URL_EVENT, seconds=1)
    async with serve(handler, deadline_reserve=0.2):
        assert unchunk((await api.answer()).body).trailers == {}
        await cancelled.wait()
        await api.asked_for_next(2)


async def test_a_deadline_years_away_is_no_trouble(api: ScriptedRuntimeApi, serve: Serve) -> None:
    async def handler(_: dict[str, object], __: Context) -> object:
        return 1

    api.invoke(BARE_EVENT, seconds=10 * 365 * 86400)
    async with serve(handler):
        assert (await api.answer()).body == b"1"
