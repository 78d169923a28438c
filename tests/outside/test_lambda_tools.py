"""Tools that are Lambda functions, through boto3 to a stand-in of Lambda's Invoke: what they get, what comes of it."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

import boto3
import pytest

from keyway.chat import Caller, LambdaExecutor
from keyway.outside.lambda_tools import LambdaTools
from keyway.tools.executor import Job, Key, ToolFailure
from tests.outside.conftest import until
from tests.outside.servers import LEAK, Reply, Server

SOURCES = Path(__file__).resolve().parents[2] / "layers" / "keyway" / "python"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:tickets:live"
SECRET = "tk-hosted/aaaabbbbccccdddd"

Function: TypeAlias = Callable[[Any], Reply]


def refused(status: int, code: str, **body: str) -> Reply:
    """As Lambda refuses: the code in a header, and a message that quotes the ARN."""
    content = {"Type": "User", "Message": f"{LEAK} {ARN}", **body}
    return Reply(status, json.dumps(content).encode(), {"x-amzn-ErrorType": code, "content-type": "application/json"})


class Functions(Server):
    """Lambda's Invoke (API of 2015-03-31): ``functions`` by ARN, each from an event to the payload it returns."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        self.events: list[Any] = []
        self.headers: list[dict[str, str]] = []
        super().__init__()
        self._http.socket.listen(128)  # all of a test's calls may come at once

    def answer(self, operation: str, request: BaseHTTPRequestHandler, body: bytes) -> Reply:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        called = re.fullmatch(r"2015-03-31/functions/([^/]+)/invocations", operation)
        if called is None or request.command != "POST":
            return refused(404, "UnknownOperationException")
        function = self.functions.get(unquote(called[1]))
        if function is None:
            return refused(404, "ResourceNotFoundException")
        event = json.loads(body)
        self.events.append(event)
        return function(event)


def returns(payload: object) -> Function:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return lambda _event: Reply(200, content, {"X-Amz-Executed-Version": "$LATEST", "content-type": "application/json"})


def raises(payload: object, kind: str = "Unhandled") -> Function:
    return lambda _event: Reply(200, json.dumps(payload).encode(), {"X-Amz-Function-Error": kind})


@pytest.fixture
def lambdas() -> Iterator[Functions]:
    server = Functions()
    yield server
    server.close()


@pytest.fixture
def tools(lambdas: Functions, session: boto3.session.Session) -> Iterator[LambdaTools]:
    made = LambdaTools(endpoint=lambdas.url, session=session)
    yield made
    lambdas.permit()
    made.stop()


def job(arguments: dict[str, Any] | None = None, *, arn: str = ARN, seconds: float = 20.0, **fields: Any) -> Job:
    executor = LambdaExecutor.model_validate({"type": "lambda", "function": arn, "timeoutSeconds": seconds})
    usual: dict[str, Any] = {"key": None, "trusted": True, "max_response_bytes": 1_000, "caller": Caller()}
    return Job(
        tool="open_tickets",
        executor=executor,
        arguments=arguments or {},
        place="tools[0].executor",
        request_id="request-1",
        **(usual | fields),
    )


async def failure(tools: LambdaTools, wanted: Job) -> ToolFailure:
    with pytest.raises(ToolFailure) as found:
        await tools.run(wanted)
    assert found.value.__cause__ is None
    for secret in (LEAK, SECRET, "123456789012", "arn:"):
        assert secret not in f"{found.value.message} {found.value!r}"
    return found.value


def said(found: ToolFailure) -> tuple[object, ...]:
    return (found.message, found.status, found.timed_out)


async def test_a_function_is_given_the_arguments_and_for_whom(tools, lambdas):
    lambdas.functions[ARN] = returns({"open": 3})
    whole = Caller.model_validate(
        {"workspaceId": "w", "userId": "u", "orgId": "o", "workflowId": "f", "chatId": "c", "apiKey": SECRET}
    )
    assert await tools.run(job({"state": "open", "n": 1.0, "name": "\u00e9"}, caller=whole)) == {"open": 3}
    assert await tools.run(job()) == {"open": 3}
    assert lambdas.events == [
        {
            "tool": "open_tickets",
            "arguments": {"state": "open", "n": 1.0, "name": "\u00e9"},
            "context": {
                "requestId": "request-1",
                "workspaceId": "w",
                "userId": "u",
                "orgId": "o",
                "workflowId": "f",
                "chatId": "c",
            },
        },
        {"tool": "open_tickets", "arguments": {}, "context": {"requestId": "request-1"}},
    ]
    assert lambdas.headers[0]["x-amz-invocation-type"] == "RequestResponse"


async def test_a_function_is_invoked_in_its_own_region(tools, lambdas):
    other = "arn:aws:lambda:us-west-2:123456789012:function:tickets"
    lambdas.functions = {ARN: returns(1), other: returns(2)}
    assert [await tools.run(job(arn=arn)) for arn in (ARN, other, ARN)] == [1, 2, 1]
    regions = [re.search(r"/([a-z0-9-]+)/lambda/", head["authorization"]) for head in lambdas.headers]
    assert [region and region[1] for region in regions] == ["eu-west-1", "us-west-2", "eu-west-1"]


async def test_there_is_an_end_to_regions(tools, lambdas):
    arns = [f"arn:aws:lambda:moon-{number}:123456789012:function:f" for number in range(17)]
    lambdas.functions = {arn: returns(1) for arn in arns}
    for arn in arns[:16]:
        assert await tools.run(job(arn=arn)) == 1
    found = await failure(tools, job(arn=arns[16]))
    assert found.message == "open_tickets was not called: its function is in one region too many"
    assert await tools.run(job(arn=arns[0])) == 1


OUTPUTS: dict[str, tuple[object, object]] = {
    "an object": ({"a": [1, 2.5, None]}, {"a": [1, 2.5, None]}),
    "null": (None, None),
    "a text": ("x", "x"),
    "nothing": (b"", {}),
    "success with an output": ({"success": True, "output": [1], "took": 5}, [1]),
    "success with no output": ({"success": True, "output": None}, None),
    "success without an output": ({"success": True, "items": []}, {"success": True, "items": []}),
    "a success that is not true or false": ({"success": "false", "output": 1}, {"success": "false", "output": 1}),
    "an output without success": ({"output": 1}, {"output": 1}),
}


@pytest.mark.parametrize("case", OUTPUTS)
async def test_what_a_function_returns_is_the_output(tools, lambdas, case):
    payload, output = OUTPUTS[case]
    lambdas.functions[ARN] = returns(payload)
    assert await tools.run(job()) == output


FAILURES: dict[str, tuple[Function, str]] = {
    "an exception": (
        raises({"errorMessage": "no such\nqueue", "errorType": "KeyError", "stackTrace": ["File app.py"]}),
        "open_tickets failed: no such queue",
    ),
    "one that was foreseen": (raises({"errorMessage": "no", "errorType": "E"}, "Handled"), "open_tickets failed: no"),
    "an exit": (raises({"errorType": "Runtime.ExitError", "errorMessage": "exit 1"}), "open_tickets failed: exit 1"),
    "no message": (raises({"errorType": "E"}), "open_tickets failed"),
    "no object": (raises(None), "open_tickets failed"),
    "a text": (raises("broken"), "open_tickets failed: broken"),
    "a long message": (raises({"errorMessage": "x" * 900}), f"open_tickets failed: {'x' * 300}"),
    "no success": (returns({"success": False, "error": "queue is closed"}), "open_tickets failed: queue is closed"),
    "no success, with a message": (returns({"success": False, "message": "closed"}), "open_tickets failed: closed"),
    "no success, with an object": (
        returns({"success": False, "error": {"message": "closed"}, "output": 1}),
        "open_tickets failed: closed",
    ),
    "no success and no word": (returns({"success": False}), "open_tickets failed"),
    "no JSON": (returns(b"<html>"), "open_tickets answered with something that is not JSON"),
    "NaN": (returns(b'{"a": NaN}'), "open_tickets answered with JSON that holds NaN, which is no number in JSON"),
    "an exception that is no JSON": (
        lambda _event: Reply(200, b"<html>", {"X-Amz-Function-Error": "Unhandled"}),
        "open_tickets answered with something that is not JSON",
    ),
    "too much": (returns(b'"' + b"x" * 999 + b'"'), "open_tickets answered with more than 1000 bytes"),
    "a long exception": (raises({"errorMessage": "x" * 1_001}), "open_tickets answered with more than 1000 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
async def test_a_function_that_says_no(tools, lambdas, case):
    lambdas.functions[ARN], message = FAILURES[case]
    assert said(await failure(tools, job())) == (message, None, False)
    assert len(lambdas.events) == 1


async def test_the_longest_answer_is_read(tools, lambdas):
    lambdas.functions[ARN] = returns(b'"' + b"x" * 998 + b'"')
    assert await tools.run(job()) == "x" * 998


async def test_a_function_that_repeats_the_key_does_not_tell_it(tools, lambdas):
    held = {"arguments": {"apiKey": SECRET}, "key": Key(SECRET)}
    lambdas.functions[ARN] = lambda event: returns(event)({})
    output = await tools.run(job(**held))
    assert output["arguments"] == {"apiKey": "[redacted]"}
    assert lambdas.events[0]["arguments"] == {"apiKey": SECRET}
    lambdas.functions[ARN] = raises({"errorMessage": f"bad key {SECRET}"})
    assert (await failure(tools, job(**held))).message == "open_tickets failed: bad key [redacted]"


REFUSALS: dict[str, tuple[Reply, str, int | None]] = {
    "not there": (refused(404, "ResourceNotFoundException"), "could not be invoked (ResourceNotFoundException)", None),
    "not allowed": (refused(403, "AccessDeniedException"), "could not be invoked (AccessDeniedException)", None),
    "too many at once": (
        refused(429, "TooManyRequestsException", Reason="ReservedFunctionConcurrentInvocationLimitExceeded"),
        "is invoked too often at the moment (TooManyRequestsException)",
        429,
    ),
    "throttled": (
        refused(400, "ThrottlingException"),
        "is invoked too often at the moment (ThrottlingException)",
        429,
    ),
    "no machine": (refused(502, "EC2ThrottledException"), "could not be invoked (EC2ThrottledException)", 503),
    "broken": (refused(500, "ServiceException"), "could not be invoked (ServiceException)", None),
    "too large": (refused(413, "RequestTooLargeException"), "could not be invoked (RequestTooLargeException)", None),
    "a page": (Reply(502, b"<html>"), "could not be invoked (502)", None),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_function_that_lambda_does_not_run(tools, lambdas, case):
    reply, message, status = REFUSALS[case]
    lambdas.faults = {f"2015-03-31/functions/{ARN.replace(':', '%3A')}/invocations": reply}
    assert said(await failure(tools, job())) == (f"open_tickets {message}", status, False)
    assert len(lambdas.asked) == 1, "asked once: a second time might run it a second time"


async def test_a_function_that_is_not_there_is_named_by_lambda(tools, lambdas):
    found = await failure(tools, job())
    assert found.message == "open_tickets could not be invoked (ResourceNotFoundException)"
    assert lambdas.events == []


async def test_a_connection_that_breaks_is_not_tried_again(tools, lambdas):
    """The function has run: what is lost is its answer, so this is nothing to be tried again (no 503)."""
    lambdas.functions[ARN] = returns(1)
    lambdas.fault = "hung up"
    found = await failure(tools, job())
    assert said(found) == ("open_tickets could not be invoked (ConnectionClosedError)", None, False)
    assert len(lambdas.events) == 1


async def test_nobody_there(nobody, session):
    tools = LambdaTools(endpoint=nobody, session=session)
    found = await failure(tools, job())
    assert said(found) == ("open_tickets could not be invoked (EndpointConnectionError)", 503, False)
    tools.stop()


async def test_arguments_that_are_not_json_go_nowhere(tools, lambdas):
    found = await failure(tools, job({"n": float("nan")}))
    assert said(found) == ("open_tickets was not called: the arguments are not JSON", None, False)
    assert lambdas.asked == []


async def test_a_function_has_its_time_and_no_more(tools, lambdas):
    lambdas.functions[ARN] = returns(1)
    lambdas.fault = "slow"
    found = await failure(tools, job(seconds=0.1))
    message = "open_tickets did not answer within 0.1 seconds; it may still be running"
    assert said(found) == (message, None, True)
    lambdas.fault = None
    assert await tools.run(job()) == 1, "others are not held up"


async def test_nobody_waits_for_a_function_whose_call_was_cancelled_but_it_runs_on(tools, lambdas):
    ended = threading.Event()

    def slow(_event: object) -> Reply:
        ended.set()
        return returns(1)({})

    lambdas.functions[ARN] = slow
    lambdas.fault = "slow"
    running = asyncio.create_task(tools.run(job()))
    await until(lambda: len(lambdas.asked) == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not ended.is_set()
    lambdas.permit()
    await until(ended.is_set)


async def test_calls_run_side_by_side(tools, lambdas):
    together = threading.Barrier(40)

    def meets(event: Any) -> Reply:
        together.wait(30)  # until all of them are there; a call that waited for another would break it
        return returns(event["arguments"]["n"])({})

    lambdas.functions[ARN] = meets
    assert await asyncio.gather(*(tools.run(job({"n": n})) for n in range(40))) == list(range(40))


async def test_functions_of_requests_hold_up_no_function_of_the_operators(lambdas, session):
    """Whoever gives up on a slow function leaves it running, and a thread with it."""
    tools = LambdaTools(endpoint=lambdas.url, session=session, threads=1)
    let_go = threading.Event()

    def slow(_event: object) -> Reply:
        let_go.wait(30)
        return returns(1)({})

    lambdas.functions = {ARN: slow, f"{ARN}2": returns(2)}
    try:
        assert (await failure(tools, job(trusted=False, seconds=0.1))).timed_out
        assert await tools.run(job(arn=f"{ARN}2")) == 2
    finally:
        let_go.set()
        tools.stop()


async def test_functions_are_invoked_after_a_restore(tools, lambdas):
    lambdas.functions[ARN] = returns(1)
    for _ in range(2):
        assert await tools.run(job()) == 1
        tools.restored()


def test_importing_it_imports_nothing_slow():
    code = (
        "import sys; from keyway.outside.lambda_tools import LambdaTools\n"
        "LambdaTools()\n"
        "print([name for name in ('boto3', 'botocore', 'uritemplate', 'simpleeval') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=SOURCES, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
