"""Runs tools that are Lambda functions: one synchronous invocation each.

A function is given ``{"tool", "arguments", "context": {"requestId", "workspaceId"?, ...}}`` and returns its output, any
JSON. It fails by an exception of its own, or by returning ``{"success": false, "error": "..."}``; what it returns as
``{"success": true, "output": ...}`` is the output alone.

An invocation cannot be called back: when its tool's time is over, or its exchange is cancelled, nobody waits for it any
more, but the function runs on in AWS, and until it has ended it keeps one of the threads here. Nothing is invoked twice
here either, because a retried invocation runs the tool again; ``status`` 503 is said only where the function certainly
did not run. How many functions may run at once in an account is AWS's affair, and is told as 429.

The client is that of the function's own region, for Lambda answers for no other. How long one waits for an answer is
each tool's own, so the client's patience is longer than any function's.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyway.chat import LambdaExecutor
from keyway.outside.aws import Aws, AwsError
from keyway.outside.tool_answers import decoded, quoted, too_long
from keyway.tools.executor import Job, ToolFailure

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_lambda.client import LambdaClient

_CLIENTS = 16
"""More clients than this, two for each region, are no operator's."""

_PATIENCE = 910.0
"""Seconds: Lambda's longest run is 900."""

_BUSY = frozenset({"TooManyRequestsException", "ThrottlingException"})
_NOT_RUN = frozenset({"ConnectTimeoutError", "EndpointConnectionError", "EC2ThrottledException"})


@dataclass(frozen=True, slots=True, repr=False)
class _Returned:
    """What Lambda answered; ``payload`` is one byte longer than allowed when it was cut."""

    failed: bool
    payload: bytes


class LambdaTools:
    """Runs functions (an ``Executor``, see ``tools/executor.py``). One per environment.

    Args:
        endpoint: Lambda's address, for tests and local systems; boto3's own settings otherwise.
        session: boto3's session, where there is one already.
        threads: Invocations under way at once, for each client. Further ones wait, and their time is running.
    """

    def __init__(self, *, endpoint: str | None = None, session: Session | None = None, threads: int = 64) -> None:
        self._endpoints = {"lambda": endpoint} if endpoint is not None else {}
        self._session = session
        self._threads = threads
        self._clients: dict[tuple[str, bool], Aws] = {}

    async def run(self, job: Job) -> object:
        """See ``Executor.run``."""
        executor = job.executor
        assert isinstance(executor, LambdaExecutor)
        payload, aws = _payload(job), self._aws(executor.function, job)
        try:
            async with asyncio.timeout(executor.timeout_seconds):
                returned = await aws.call(
                    "lambda", lambda client: _invoke(client, executor.function, payload, job.max_response_bytes + 1)
                )
        except TimeoutError:
            raise ToolFailure(
                f"{job.tool} did not answer within {executor.timeout_seconds:g} seconds; it may still be running",
                timed_out=True,
            ) from None
        except AwsError as error:
            raise _failure(job, error) from None
        return _output(job, returned)

    def restored(self) -> None:
        """After a SnapStart restore: connections are dead, so clients are made anew."""
        for aws in self._clients.values():
            aws.restored()

    def stop(self) -> None:
        """Closes the clients. Does not wait for functions that are running."""
        for aws in self._clients.values():
            aws.stop()

    def _aws(self, function: str, job: Job) -> Aws:
        region = function.split(":")[3]
        # Functions that came with requests have threads of their own: an operator's tools never wait for them.
        kept = region, job.trusted
        if kept not in self._clients:
            if len(self._clients) == _CLIENTS:
                raise ToolFailure(f"{job.tool} was not called: its function is in one region too many")
            self._clients[kept] = Aws(
                region=region,
                endpoints=self._endpoints,
                connect_timeout=5.0,
                read_timeout=_PATIENCE,
                attempts=1,
                threads=self._threads,
                session=self._session,
            )
        return self._clients[kept]


def _payload(job: Job) -> bytes:
    event = {
        "tool": job.tool,
        "arguments": dict(job.arguments),
        "context": {"requestId": job.request_id, **job.caller.ids},
    }
    try:
        return json.dumps(event, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        raise ToolFailure(f"{job.tool} was not called: the arguments are not JSON", sent=False) from None


def _invoke(client: LambdaClient, function: str, payload: bytes, longest: int) -> _Returned:
    answer = client.invoke(FunctionName=function, InvocationType="RequestResponse", Payload=payload)
    body = answer["Payload"]
    try:
        return _Returned("FunctionError" in answer, body.read(longest))
    finally:
        body.close()


def _output(job: Job, returned: _Returned) -> object:
    if len(returned.payload) > job.max_response_bytes:
        raise too_long(job)
    output = decoded(returned.payload, job)
    if returned.failed:
        raise _failed(job, output)
    match output:
        case {"success": False}:
            raise _failed(job, output)
        case {"success": True, "output": result}:
            return result
    return output


def _failed(job: Job, said: object) -> ToolFailure:
    words = quoted(said, job)
    return ToolFailure(f"{job.tool} failed{f': {words}' if words else ''}")


def _failure(job: Job, error: AwsError) -> ToolFailure:
    if error.code in _BUSY:
        return ToolFailure(f"{job.tool} is invoked too often at the moment ({error.code})", status=429)
    status = 503 if error.code in _NOT_RUN else None
    return ToolFailure(f"{job.tool} could not be invoked ({error.code})", status=status)
