"""Executions of state machines in moto's interpreter, whose Lambda is the function under test in its own process."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import boto3
import pytest
from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.utils import TMP_THREADS

_serial = count(1)


@dataclass
class Lambda:
    """Lambda as the interpreter sees it: each invocation goes to the function; its answer may get lost."""

    client: Any
    lose: int = 0
    """How many answers still get lost on their way back."""
    invocations: list[Mapping[str, Any]] = field(default_factory=list)

    def invoke(self, **parameters: Any) -> Any:
        self.invocations.append(json.loads(parameters["Payload"]))
        answer = self.client.invoke(**parameters)
        if self.lose:
            self.lose -= 1
            # The interpreter has no names for Lambda's own failures, so this one brings the name it has on AWS.
            failure = {"errorType": "Lambda.ServiceException", "errorMessage": "the connection broke"}
            return {
                "StatusCode": 200,
                "FunctionError": "Unhandled",
                "Payload": io.BytesIO(json.dumps(failure).encode()),
            }
        return answer


@dataclass
class Pauses:
    """Stands in for the clock that the interpreter waits by between two attempts."""

    seconds: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


@dataclass(frozen=True)
class Execution:
    """An execution that has ended. ``output`` is its last state's, ``visited`` the names of its states in order."""

    status: str
    output: Any
    error: str | None
    cause: Any
    visited: tuple[str, ...]


class StepFunctions:
    """Runs executions one after the other."""

    def __init__(self, client: Any, invoked: Lambda, pauses: Pauses) -> None:
        self._client = client
        self.invoked = invoked
        self.pauses = pauses

    async def run(self, definition: Mapping[str, Any], given: Mapping[str, Any]) -> Execution:
        """Runs ``definition`` on the input ``given``, to its end."""
        return await asyncio.to_thread(self._run, definition, given)

    def _run(self, definition: Mapping[str, Any], given: Mapping[str, Any]) -> Execution:
        name = f"machine-{next(_serial)}"
        machine = self._client.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/states"
        )
        execution = self._client.start_execution(
            stateMachineArn=machine["stateMachineArn"], name=name, input=json.dumps(given)
        )["executionArn"]
        for thread in TMP_THREADS:
            thread.join(50)
        TMP_THREADS.clear()
        ended = self._client.describe_execution(executionArn=execution)
        history = self._client.get_execution_history(executionArn=execution)["events"]
        return Execution(
            status=ended["status"],
            output=json.loads(ended["output"]) if "output" in ended else None,
            error=ended.get("error"),
            cause=json.loads(ended["cause"]) if ended.get("cause") else None,
            visited=tuple(
                event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event
            ),
        )


def step_functions(
    monkeypatch: pytest.MonkeyPatch, session: boto3.session.Session, client: Any, function_url: str
) -> StepFunctions:
    """Step Functions behind ``client``, whose tasks call the function at ``function_url``."""
    invoked, pauses = Lambda(session.client("lambda", endpoint_url=function_url)), Pauses()
    made: Callable[..., Any] = lambda **_: invoked  # noqa: E731
    monkeypatch.setitem(default_user_config["stepfunctions"], "execute_state_machine", True)
    monkeypatch.setattr(lambda_eval_utils, "boto_client_for", made)
    monkeypatch.setattr(retrier_decl, "time", pauses)
    return StepFunctions(client, invoked, pauses)
