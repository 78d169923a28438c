"""An environment's life, as a process: start, what goes wrong at the start, and the end."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from tests.runtime.process import WRAPPER, running
from tests.runtime.scripted_api import NEXT, ScriptedRuntimeApi, unchunk

INIT_ERROR = "POST /2018-06-01/runtime/init/error"

OBJECT = """
import asyncio
from stream_runtime import on_shutdown

class Function:
    async def start(self):
        self.ticks = asyncio.get_running_loop().create_task(asyncio.Event().wait())
        print("started", flush=True)

    async def __call__(self, event, context):
        return {"running": not self.ticks.done()}

    async def stop(self):
        print("stopped", flush=True)

@on_shutdown
def flush():
    print("flushed", flush=True)

@on_shutdown
async def broken():
    raise RuntimeError("cannot flush")

handler = Function()
"""

FAILS_TO_START = """
class Function:
    async def start(self):
        raise LookupError('no table')

    async def __call__(self, event, context): ...

handler = Function()
"""


async def test_an_object_is_started_before_the_first_invocation_and_stopped_at_sigterm(
    tmp_path: Path, api: ScriptedRuntimeApi
) -> None:
    api.invoke({})
    async with running(tmp_path, OBJECT, api.address) as process:
        assert (await api.answer()).body == b'{"running":true}'
        await api.asked_for_next(2)
        process.signal(signal.SIGTERM)
        status, out, err = await process.ended()
    assert (status, out.split()[0], sorted(out.split())) == (0, "started", ["flushed", "started", "stopped"])
    assert "cannot flush" in err


async def test_sigint_ends_it_likewise(tmp_path: Path, api: ScriptedRuntimeApi) -> None:
    async with running(tmp_path, OBJECT, api.address) as process:
        await api.asked_for_next(1)
        process.signal(signal.SIGINT)
        status, out, _ = await process.ended()
    assert (status, "stopped" in out) == (0, True)


async def test_a_shutdown_callback_that_hangs_is_cut_short(tmp_path: Path, api: ScriptedRuntimeApi) -> None:
    code = """
import asyncio, threading
from stream_runtime import on_shutdown

@on_shutdown
async def hang():
    await asyncio.to_thread(threading.Event().wait)

async def handler(event, context):
    return None
"""
    async with running(tmp_path, code, api.address) as process:
        await api.asked_for_next(1)
        process.signal(signal.SIGTERM)
        status, _, err = await process.ended()
    assert status == 0
    assert "cut short" in err


async def test_sigterm_in_a_stream_ends_it_and_closes_its_body(tmp_path: Path, api: ScriptedRuntimeApi) -> None:
    code = """
import asyncio
from stream_runtime import Response

async def body():
    try:
        yield b"first"
        await asyncio.Event().wait()
    finally:
        print("closed", flush=True)

async def handler(event, context):
    return Response(200, {}, body())
"""
    api.invoke({"version": "2.0", "requestContext": {"http": {}}})
    async with running(tmp_path, code, api.address) as process:
        await api.begun(b"first")
        process.signal(signal.SIGTERM)
        status, out, _ = await process.ended()
    trailers = unchunk((await api.answer()).body).trailers
    assert trailers["Lambda-Runtime-Function-Error-Type"] == "Runtime.Shutdown"
    assert (status, out) == (0, "closed\n")


async def test_an_internal_extension_is_registered_before_the_first_next(
    tmp_path: Path, api: ScriptedRuntimeApi
) -> None:
    api.replies["POST /2020-01-01/extension/register"] = (200, b"{}")
    async with running(tmp_path, OBJECT, api.address):
        waiting = await api.until(lambda: api.matching("GET /2020-01-01/extension/event/next"))
        await api.asked_for_next(1)
    register = api.matching("POST /2020-01-01/extension/register")[0]
    assert register.headers["lambda-extension-name"] == "stream-runtime"
    assert register.body == b'{"events":[]}'
    assert waiting[0].headers["lambda-extension-identifier"] == "ext-1"
    lines = [each.line for each in api.requests]
    assert lines.index(register.line) < lines.index(NEXT)


async def test_an_extension_that_cannot_be_registered_is_noted_and_no_more(
    tmp_path: Path, api: ScriptedRuntimeApi
) -> None:
    api.replies["POST /2020-01-01/extension/register"] = (404, b"")
    async with running(tmp_path, OBJECT, api.address) as process:
        await api.asked_for_next(1)
        process.signal(signal.SIGTERM)
        status, _, err = await process.ended()
    assert status == 0
    assert "no notice of shutdown" in err


@pytest.mark.parametrize(
    ("code", "handler", "error_type", "said"),
    [
        ("import there_is_no_such_module", "app.handler", "ModuleNotFoundError", "there_is_no_such_module"),
        ("def broken(:", "app.handler", "SyntaxError", "app.py"),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound", "'handler' in"),
        ("handler = 1", "app.handler", "Runtime.HandlerNotFound", "is a int"),
        ("", "app", "Runtime.HandlerNotFound", "module.attribute is expected"),
        ("raise SystemExit('KEYS is not set')", "app.handler", "SystemExit", "KEYS is not set"),
        (
            "class Wrong(Exception):\n    expected = True\nraise Wrong('KEYS is not set')",
            "app.handler",
            "Wrong",
            "Wrong: KEYS is not set",
        ),
        (FAILS_TO_START, "app.handler", "LookupError", "no table"),
    ],
    ids=["no module", "syntax", "no handler", "not callable", "no dot", "exits", "expected", "start"],
)
async def test_a_function_that_cannot_start_says_why_and_ends(
    tmp_path: Path, api: ScriptedRuntimeApi, *, code: str, handler: str, error_type: str, said: str
) -> None:
    async with running(tmp_path, code, api.address, handler=handler) as process:
        status, _, err = await process.ended()
    request = await api.request(INIT_ERROR)
    assert status == 1
    assert request.headers["lambda-runtime-function-error-type"] == error_type
    assert json.loads(request.body)["errorType"] == error_type
    assert err.count("\n") < 40
    assert f"{handler} could not be started" in err
    assert said in err
    assert not api.matching(NEXT)


async def test_a_handler_in_a_folder_may_be_named_as_lambda_names_it(tmp_path: Path, api: ScriptedRuntimeApi) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "deep.py").write_text("async def handler(event, context):\n    return 'deep'\n")
    api.invoke({})
    async with running(tmp_path, "", api.address, handler="inner/deep.handler"):
        assert (await api.answer()).body == b'"deep"'


@pytest.mark.parametrize(
    ("variables", "seen"),
    [({}, b'["Root=1","Root=1"]'), ({"AWS_LAMBDA_MAX_CONCURRENCY": "2"}, b'[null,"Root=1"]')],
)
async def test_the_trace_reaches_the_process_only_where_there_is_one_invocation_at_a_time(
    tmp_path: Path, api: ScriptedRuntimeApi, variables: dict[str, str], seen: bytes
) -> None:
    code = """
import os
from stream_runtime import trace_id

async def handler(event, context):
    return [os.environ.get("_X_AMZN_TRACE_ID"), trace_id.get()]
"""
    api.invoke({}, headers=("Lambda-Runtime-Trace-Id: Root=1",))
    async with running(tmp_path, code, api.address, **variables):
        assert (await api.answer()).body == seen


async def test_the_kill_switch_runs_the_original_command_untouched(tmp_path: Path) -> None:
    original = (str(WRAPPER), sys.executable, "-c", "import sys; print(sys.argv[1:], sys.path[1:2])", "a b", "$c")
    async with running(tmp_path, "", None, *original, STREAM_RUNTIME_DISABLED="1", PYTHONPATH="/somewhere") as process:
        status, out, _ = await process.ended()
    assert (status, out) == (0, "['a b', '$c'] ['/somewhere']\n")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "AWS_LAMBDA_RUNTIME_API is not set"),
        ({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "AWS_LAMBDA_MAX_CONCURRENCY": "many"}, "AWS_LAMBDA_MAX_CONCURRENCY"),
        ({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "STREAM_RUNTIME_HEARTBEAT_SECONDS": "-1"}, "HEARTBEAT_SECONDS"),
    ],
)
async def test_a_wrong_variable_is_named(tmp_path: Path, variables: dict[str, str], said: str) -> None:
    async with running(tmp_path, "", None, **variables) as process:
        status, _, err = await process.ended()
    assert status == 1
    assert said in err
    assert err.count("\n") == 1
