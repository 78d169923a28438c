"""Every way an invocation can end: the body is closed once, the caller is told once, the poller goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest

from stream_runtime import Context, Response
from tests.runtime.bodies import Body
from tests.runtime.conftest import Serve
from tests.runtime.events import BARE_EVENT, URL_EVENT
from tests.runtime.scripted_api import ScriptedRuntimeApi, unchunk

TYPE = "Lambda-Runtime-Function-Error-Type"


async def _served_afterwards(api: ScriptedRuntimeApi) -> bool:
    """Whether the environment still answers."""
    api.invoke({"after": True}, "id-after")
    return (await api.answer("id-after")).body == b'"alive"'


def _answering(body: Body) -> Callable[[dict[str, object], Context], object]:
    async def handler(event: dict[str, object], _: Context) -> object:
        return "alive" if "after" in event else Response(200, {}, body)

    return handler


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        (Body(), None),
        (Body(b"a", b"b"), None),
        (Body(b"a", RuntimeError("late")), "RuntimeError"),
        (Body(RuntimeError("at once")), "RuntimeError"),
        (Body(b"a", SystemExit(3)), "SystemExit"),
        (Body(b"a", "text"), "Runtime.InvalidResponse"),  # type: ignore[arg-type]
        (Body(b"a", TimeoutError("the body's own")), "TimeoutError"),
    ],
    ids=["empty", "drained", "breaks late", "breaks at once", "exits", "yields text", "times out itself"],
)
async def test_a_body_is_closed_once_whatever_it_does(
    api: ScriptedRuntimeApi, serve: Serve, body: Body, error_type: str | None
) -> None:
    api.invoke(URL_EVENT)
    async with serve(_answering(body)):
        sent = unchunk((await api.answer()).body)
        assert await _served_afterwards(api)
    assert sent.trailers.get(TYPE) == error_type
    assert body.closed == 1


async def test_a_body_that_was_never_iterated_is_closed(api: ScriptedRuntimeApi, serve: Serve) -> None:
    body = Body(b"never")
    api.invoke(BARE_EVENT)  # a Response is no answer to this
    async with serve(_answering(body)):
        document = json.loads((await api.answer(call="error")).body)
        assert await _served_afterwards(api)
    assert document["errorType"] == "Runtime.InvalidResponse"
    assert "return a JSON value" in document["errorMessage"]
    assert body.closed == 1


async def test_a_body_is_closed_when_the_socket_breaks(
    api: ScriptedRuntimeApi, serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    go_on = asyncio.Event()
    body = Body(b"first", go_on, *[b"x" * 65536] * 500)
    api.cut_at = b"first"
    api.invoke(URL_EVENT)
    async with serve(_answering(body)):
        await api.begun(b"first")
        go_on.set()
        await body.has_closed.wait()
        assert await _served_afterwards(api)
    assert body.closed == 1
    (line,) = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert line["message"] == "the answer could not be delivered"
    assert line["requestId"] == "id-1"


async def test_a_body_is_closed_when_the_poller_is_cancelled_and_the_caller_is_told(
    api: ScriptedRuntimeApi, serve: Serve
) -> None:
    body = Body(b"first", asyncio.Event())
    api.invoke(URL_EVENT)
    async with serve(_answering(body)):
        await api.begun(b"first")
    assert body.closed == 1
    assert unchunk((await api.answer()).body).trailers[TYPE] == "Runtime.Shutdown"


async def test_a_body_whose_reader_is_slow_waits_and_is_closed_when_cancelled(
    api: ScriptedRuntimeApi, serve: Serve
) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        try:
            while True:
                taken += 1
                yield b"x" * 65536
        finally:
            closed.set()

    closed = asyncio.Event()
    api.hold_at = b"xxxx"

    async def handler(_: dict[str, object], __: Context) -> Response:
        return Response(200, {}, body())

    api.invoke(URL_EVENT, seconds=1.0)
    async with serve(handler):
        await closed.wait()
        # Socket buffers hold a few MB; without back-pressure the body would have been asked for thousands of chunks.
        assert taken < 500


async def test_a_body_that_cannot_be_closed_is_noted_and_harms_nothing(
    api: ScriptedRuntimeApi, serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    class Stubborn(Body):
        async def aclose(self) -> None:
            await super().aclose()
            raise OSError("will not close")

    body = Stubborn(b"a")
    api.invoke(URL_EVENT)
    async with serve(_answering(body)):
        assert unchunk((await api.answer()).body).trailers == {}
        assert await _served_afterwards(api)
    assert body.closed == 1
    assert "will not close" in capfd.readouterr().err


async def test_the_caller_has_the_end_of_the_stream_before_the_body_is_closed(
    api: ScriptedRuntimeApi, serve: Serve
) -> None:
    class Slow(Body):
        async def aclose(self) -> None:
            await api.answer()
            await super().aclose()

    body = Slow(b"a")
    api.invoke(URL_EVENT)
    async with serve(_answering(body)):
        await body.has_closed.wait()


async def test_a_fault_is_logged_as_one_json_line_with_its_traceback(
    api: ScriptedRuntimeApi, serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    async def handler(_: dict[str, object], __: Context) -> object:
        try:
            raise OSError("the cause")
        except OSError as error:
            raise KeyError("the effect") from error

    api.invoke(BARE_EVENT)
    async with serve(handler):
        document = json.loads((await api.answer(call="error")).body)
    (line,) = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (line["level"], line["requestId"], line["errorType"]) == ("ERROR", "id-1", "KeyError")
    trace = "\n".join(line["stackTrace"])
    assert "the cause" in trace
    assert "test_endings.py" in trace
    assert "stream_runtime/loop.py" not in trace
    assert document["stackTrace"] == line["stackTrace"]


async def test_an_expected_error_is_logged_without_a_traceback(
    api: ScriptedRuntimeApi, serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    class RefusedError(Exception):
        expected = True

    async def handler(_: dict[str, object], __: Context) -> object:
        raise RefusedError("no")

    api.invoke(BARE_EVENT)
    async with serve(handler):
        await api.answer(call="error")
    (line,) = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert line["level"] == "WARNING"
    assert "stackTrace" not in line


@pytest.mark.parametrize(
    ("event", "answer", "error_type"),
    [
        (b"{not json", None, "Runtime.UnmarshalError"),
        (BARE_EVENT, object(), "Runtime.MarshalError"),
        (BARE_EVENT, float("nan"), "Runtime.MarshalError"),
    ],
    ids=["event is not JSON", "answer is not JSON", "answer is NaN"],
)
async def test_what_is_not_json_is_an_error_of_its_own_name(
    api: ScriptedRuntimeApi, serve: Serve, event: object, answer: object, error_type: str
) -> None:
    async def handler(event: dict[str, object], _: Context) -> object:
        return "alive" if "after" in event else answer

    api.invoke(event)
    async with serve(handler):
        assert json.loads((await api.answer(call="error")).body)["errorType"] == error_type
        assert await _served_afterwards(api)


async def test_a_handler_that_is_not_async_is_told_so(api: ScriptedRuntimeApi, serve: Serve) -> None:
    def handler(_: dict[str, object], __: Context) -> object:
        return {"plain": True}

    api.invoke(BARE_EVENT)
    async with serve(handler):
        assert "async function" in json.loads((await api.answer(call="error")).body)["errorMessage"]


async def test_an_answer_that_is_refused_is_logged_and_the_poller_goes_on(
    api: ScriptedRuntimeApi, serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    api.replies["POST /2018-06-01/runtime/invocation/id-1/response"] = (413, b"too large")
    api.invoke(BARE_EVENT)

    async def handler(_: dict[str, object], __: Context) -> object:
        return "alive"

    async with serve(handler):
        await api.answer()
        assert await _served_afterwards(api)
    (line,) = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (line["status"], line["reply"]) == (413, "too large")


async def test_a_stream_answered_before_its_end_is_given_up(
    api: ScriptedRuntimeApi, serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    api.answer_at = b"first"

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"first"
                await asyncio.sleep(0)
        finally:
            closed.set()

    closed = asyncio.Event()

    async def handler(event: dict[str, object], _: Context) -> object:
        return "alive" if "after" in event else Response(200, {}, endless())

    api.invoke(URL_EVENT)
    async with serve(handler):
        await closed.wait()
        assert await _served_afterwards(api)
    assert "answered 413 before the stream was at its end" in capfd.readouterr().err


async def test_a_connection_closed_while_the_handler_ran_does_not_cost_the_answer(
    api: ScriptedRuntimeApi, serve: Serve
) -> None:
    async def handler(event: dict[str, object], _: Context) -> object:
        return event

    api.close_after_next = True
    api.invoke({"n": 1})
    api.invoke({"n": 2}, "id-2")
    async with serve(handler):
        assert (await api.answer()).body == b'{"n":1}'
        assert (await api.answer("id-2")).body == b'{"n":2}'
