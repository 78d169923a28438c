"""The local Lambda, through its port, as a caller sees it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from stream_runtime.local import LocalLambda, StartError
from tests.runtime.client import TruncatedError, calling, fetch

Local: TypeAlias = Callable[..., AbstractAsyncContextManager[LocalLambda]]


class Lines:
    """What the function printed, to be waited for."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._came = asyncio.Event()

    def __call__(self, line: str) -> None:
        self.all.append(line)
        self._came.set()

    async def until(self, line: str, count: int = 1) -> None:
        while self.all.count(line) < count:
            self._came.clear()
            await self._came.wait()


@pytest.fixture
def out() -> Lines:
    return Lines()


@pytest.fixture
def err() -> Lines:
    return Lines()


@pytest.fixture
def local(out: Lines, err: Lines) -> Local:
    @asynccontextmanager
    async def serving(handler: str = "served.handler", **options: object) -> AsyncIterator[LocalLambda]:
        folder = Path(__file__).parent
        settings = {"python_path": [folder], "task_root": folder, "on_stdout": out, "on_stderr": err, **options}
        async with LocalLambda(handler, **settings) as running:  # type: ignore[arg-type]
            yield running

    return serving


async def test_the_first_byte_is_here_before_the_second_chunk_is_made(local: Local, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with local() as running, calling(f"{running.url}/gated?{gate}") as answer:
        assert await answer.until(b"first;") == b"first;"
        gate.touch()
        assert await answer.body() == b"second"
        assert answer.status == 202
        assert answer.header("content-type") == "text/plain"
        assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]


async def test_many_streams_run_at_once_in_one_environment(local: Local, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async def one(running: LocalLambda) -> bytes:
        async with calling(f"{running.url}/gated?{gate}") as answer:
            first = await answer.until(b"first;")
            begun.append(first)
            if len(begun) == 16:
                gate.touch()
            return first + await answer.body()

    begun: list[bytes] = []
    async with local(concurrency=16) as running:
        assert await asyncio.gather(*(one(running) for _ in range(16))) == [b"first;second"] * 16
        assert len(running.pids) == 1


async def test_a_request_becomes_a_function_url_event(local: Local) -> None:
    async with local() as running:
        _, body = await fetch(
            f"{running.url}/event/a%20b?x=1&x=2&y=%20",
            "PUT",
            b'{"text": "\xc3\xa9"}',
            [("X-Two", "1"), ("X-Two", "2"), ("Cookie", "a=1; b=2"), ("User-Agent", "test")],
        )
        # the function gives its event back only for the bare path
        assert body == b"null"
        _, body = await fetch(
            f"{running.url}/event?x=1&x=2&y=%20",
            "PUT",
            '{"text": "é"}'.encode(),
            [("X-Two", "1"), ("X-Two", "2"), ("Cookie", "a=1; b=2"), ("User-Agent", "test")],
        )
    event = json.loads(body)
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == ("2.0", "/event", "x=1&x=2&y=%20")
    assert event["queryStringParameters"] == {"x": "1,2", "y": " "}
    assert event["headers"]["x-two"] == "1,2"
    assert event["cookies"] == ["a=1", "b=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"text": "é"}', False)
    http = event["requestContext"]["http"]
    assert http == {
        "method": "PUT", "path": "/event", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test",
    }  # fmt: skip
    assert event["requestContext"]["domainName"] == running.url.removeprefix("http://")


async def test_a_body_that_is_not_text_arrives_as_base64(local: Local) -> None:
    async with local() as running:
        _, body = await fetch(f"{running.url}/event", "POST", b"\xff\0\xfe")
    event = json.loads(body)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\0\xfe"


async def test_a_head_request_and_a_204_have_no_body(local: Local) -> None:
    async with local() as running:
        assert await fetch(f"{running.url}/pid", "HEAD") == (200, b"")
        assert await fetch(f"{running.url}/empty") == (204, b"")
        assert (await fetch(f"{running.url}/pid"))[0] == 200


async def test_a_direct_invocation_is_answered_whole(local: Local) -> None:
    context = base64.b64encode(b'{"custom":{"k":"v"}}').decode()
    async with local() as running:
        status, body = await fetch(running.invoke_url, "POST", b'{"do":"context"}', [("X-Amz-Client-Context", context)])
    answer = json.loads(body)
    assert (status, answer["client"]) == (200, {"custom": {"k": "v"}})
    assert 890 < answer["left"] <= 900


async def test_a_function_that_fails_is_a_200_with_a_header_for_invoke_and_a_500_for_the_url(local: Local) -> None:
    async with local() as running:
        async with calling(running.invoke_url, "POST", b'{"do":"fail"}') as answer:
            document = json.loads(await answer.body())
            assert (answer.status, answer.header("x-amz-function-error")) == (200, "Unhandled")
        assert (document["errorType"], document["errorMessage"]) == ("LookupError", "nothing there")
        status, body = await fetch(f"{running.url}/fail")
        assert (status, json.loads(body)["error"]["type"]) == (500, "LookupError")


async def test_a_stream_that_breaks_ends_for_the_caller_and_the_function_goes_on(local: Local) -> None:
    async with local() as running:
        assert await fetch(f"{running.url}/break") == (200, b"half")
        assert (await fetch(f"{running.url}/pid"))[0] == 200


async def test_what_is_not_json_is_refused_before_the_function(local: Local) -> None:
    async with local() as running:
        status, body = await fetch(running.invoke_url, "POST", b"{not json")
    assert status == 400
    assert "not JSON" in json.loads(body)["Message"]


async def test_a_body_above_six_megabytes_is_refused(local: Local) -> None:
    async with local() as running:
        assert (await fetch(f"{running.url}/event", "POST", b"x" * (6 * 1024 * 1024 + 1)))[0] == 413
        assert (await fetch(f"{running.url}/pid"))[0] == 200


async def test_environments_serve_side_by_side_and_the_rest_queue_in_order(
    local: Local, tmp_path: Path, out: Lines
) -> None:
    gate = tmp_path / "gate"
    async with local(environments=2) as running:
        assert len(set(running.pids)) == 2
        calls = [asyncio.create_task(fetch(f"{running.url}/wait?{gate}")) for _ in range(5)]
        await out.until("waiting", 2)
        gate.touch()
        pids = [json.loads(body)["pid"] for _, body in await asyncio.gather(*calls)]
        assert set(pids) == set(running.pids)


async def test_a_queue_that_is_full_answers_429(local: Local, tmp_path: Path, out: Lines) -> None:
    gate = tmp_path / "gate"
    async with local(queue=0) as running:
        held = asyncio.create_task(fetch(f"{running.url}/wait?{gate}"))
        await out.until("waiting")
        assert (await fetch(f"{running.url}/pid"))[0] == 429
        async with calling(running.invoke_url, "POST", b"{}") as answer:
            assert (answer.status, answer.header("x-amzn-errortype")) == (429, "TooManyRequestsException")
        gate.touch()
        assert (await held)[0] == 200


async def test_an_environment_that_dies_is_a_502_and_is_started_again(local: Local) -> None:
    async with local() as running:
        (before,) = running.pids
        assert (await fetch(f"{running.url}/die"))[0] == 502
        status, body = await fetch(f"{running.url}/pid")
        assert (status, json.loads(body)["pid"] == before) == (200, False)
        async with calling(running.invoke_url, "POST", b'{"do":"die"}') as answer:
            assert answer.header("x-amz-function-error") == "Unhandled"
            assert json.loads(await answer.body())["errorType"] in {"Runtime.ExitError", "Runtime.TruncatedResponse"}


async def test_an_environment_that_dies_in_a_stream_truncates_it(local: Local, tmp_path: Path) -> None:
    async with local() as running, calling(f"{running.url}/gated?{tmp_path}/never") as answer:
        await answer.until(b"first;")
        (pid,) = running.pids
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(TruncatedError):
            await answer.body()


async def test_an_invocation_that_runs_over_is_a_504_and_its_environment_is_replaced(local: Local) -> None:
    async with local(timeout=3) as running:
        (before,) = running.pids
        assert (await fetch(f"{running.url}/hang"))[0] == 504
        status, body = await fetch(f"{running.url}/pid")
        assert (status, json.loads(body)["pid"] == before) == (200, False)


async def test_a_caller_that_leaves_is_not_noticed_by_the_function(
    local: Local, tmp_path: Path, out: Lines, err: Lines
) -> None:
    gate = tmp_path / "gate"
    async with local() as running:
        async with calling(f"{running.url}/drain?{gate}") as answer:
            await answer.until(b"first")
            answer.leave()
        gate.touch()
        await out.until("drained")
        assert (await fetch(f"{running.url}/pid"))[0] == 200
    assert err.all[:-1] == []  # the last line tells of the end


async def test_a_response_broken_on_purpose_is_seen_on_both_sides(local: Local, tmp_path: Path, err: Lines) -> None:
    gate = tmp_path / "gate"
    async with local() as running:
        assert running.break_responses() == 0
        async with calling(f"{running.url}/drain?{gate}") as answer:
            await answer.until(b"first")
            assert running.break_responses() == 1
            with pytest.raises(TruncatedError):
                await answer.body()
        gate.touch()
        assert (await fetch(f"{running.url}/pid"))[0] == 200
    assert json.loads(err.all[0])["message"] == "the answer could not be delivered"


async def test_output_goes_line_by_line_to_whom_it_may_concern(local: Local, out: Lines, err: Lines) -> None:
    async with local() as running:
        await fetch(f"{running.url}/lines")
        await out.until('{"_aws": {}}')
        await err.until("a word of its own")


async def test_the_function_sees_lambdas_variables_and_what_it_was_given_and_nothing_else(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_DEVELOPER", "x")
    async with local(environment={"GIVEN": "yes"}, concurrency=3, memory=1024) as running:
        seen = json.loads((await fetch(f"{running.url}/environment"))[1])
    assert "A_SECRET_OF_THE_DEVELOPER" not in seen
    assert seen["GIVEN"] == "yes"
    assert seen["_HANDLER"] == "served.handler"
    assert seen["AWS_LAMBDA_MAX_CONCURRENCY"] == "3"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "1024"


async def test_a_function_that_cannot_start_says_so_to_whoever_starts_it(local: Local) -> None:
    with pytest.raises(StartError, match="there_is_none"):
        async with local("there_is_none.handler", environments=2):
            pass


async def test_every_process_has_ended_when_the_local_lambda_has(local: Local) -> None:
    async with local(environments=2) as running:
        pids = running.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
