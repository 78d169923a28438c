"""Two state machines, executed: the one in docs/step-functions.md, word for word, and the one that is deployed.

moto interprets them; their Lambda is the function in a process of its own, and the provider is a socket away.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.local.provider import Refusal, Say, ScriptedProvider
from infra.local.system import LocalSystem
from keyway.errors import KeywayError
from tests.infra.templates import synthesised
from tests.local.asking import WORKSPACE, assert_charged_once, assert_failed_once, for_good, total
from tests.step_functions.states import StepFunctions, step_functions

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "step-functions.md"
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]
MACHINE: dict[str, Any] = next(example for example in EXAMPLES if "StartAt" in example)
FUNCTION = MACHINE["States"]["Ask"]["Resource"]
NAMED: dict[str, Any] = next(example for example in EXAMPLES if example.get("Type") == "Pass")

REQUEST = {"provider": "openai", "model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello?"}]}
RATE_LIMITED = for_good(Refusal(429, "rate_limit_error", "Slow down."))


@dataclass(frozen=True)
class Machine:
    """A definition, and an input that it takes."""

    definition: Mapping[str, Any]
    given: Mapping[str, Any]


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Machine:
    """The example of infra/stacks, as it is synthesised. Its input is a request."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    templates = synthesised(base / "synthesised" / "default")
    found = templates.one("AWS::StepFunctions::StateMachine", "Example").properties["DefinitionString"]
    text = "".join(part if isinstance(part, str) else FUNCTION for part in found["Fn::Join"][1])
    return Machine(json.loads(text), {**REQUEST, "workspaceId": WORKSPACE})


@pytest.fixture(scope="session")
def documented() -> Machine:
    return Machine(MACHINE, {"question": "Hello?", "workspaceId": WORKSPACE})


@pytest.fixture(params=["documented", "deployed"])
def machine(request: pytest.FixtureRequest) -> Machine:
    found: Machine = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def states(
    monkeypatch: pytest.MonkeyPatch, session: boto3.session.Session, operator: Any, system: LocalSystem
) -> Iterator[StepFunctions]:
    made = step_functions(monkeypatch, session, operator("stepfunctions"), system.url)
    yield made
    made.invoked.client.close()


async def test_an_answer_is_the_tasks_result(
    states: StepFunctions, machine: Machine, system: LocalSystem, provider: ScriptedProvider
) -> None:
    provider.script(Say("Good "), Say("day."))
    execution = await states.run(machine.definition, machine.given)
    assert (execution.status, execution.visited[-1]) == ("SUCCEEDED", "Answered")
    reply = execution.output["reply"]
    assert (reply["content"], reply["finishReason"]) == ("Good day.", "stop")
    assert_charged_once(reply, await system.lines.about(reply["requestId"]))
    assert execution.output.items() >= machine.given.items()


async def test_a_rate_limit_is_tried_again_after_the_pause_that_retry_says(
    states: StepFunctions, machine: Machine, system: LocalSystem, provider: ScriptedProvider
) -> None:
    provider.reply(RATE_LIMITED)
    provider.script(Say("Now."))
    execution = await states.run(machine.definition, machine.given)
    assert (execution.status, execution.visited[-1]) == ("SUCCEEDED", "Answered")
    assert len(states.pauses.seconds) == 1
    assert len(provider.requests) == 2
    reply = execution.output["reply"]
    assert_charged_once(reply, await system.lines.about(reply["requestId"]))


async def test_a_refused_key_is_caught_by_its_name_and_not_tried_again(
    states: StepFunctions, machine: Machine, system: LocalSystem, provider: ScriptedProvider
) -> None:
    provider.reply(Refusal(401, "invalid_request_error", "Incorrect API key provided."))
    execution = await states.run(machine.definition, machine.given)
    assert (execution.status, execution.visited[-1]) == ("FAILED", "KeyNeedsAttention")
    assert execution.error == "AuthFailed"
    assert execution.cause["errorType"] == "AuthFailed"
    assert execution.cause["stackTrace"] == []
    assert states.pauses.seconds == []
    assert_failed_once(await system.lines.about(execution.cause["requestId"]), "auth")


async def test_a_large_answer_goes_through_s3(
    states: StepFunctions, machine: Machine, system: LocalSystem, provider: ScriptedProvider, operator: Any
) -> None:
    text = "é" * 150_000
    provider.script(Say(text))
    execution = await states.run(machine.definition, machine.given)
    assert (execution.status, execution.visited[-1]) == ("SUCCEEDED", "AnsweredInS3")
    assert len(json.dumps(execution.output)) < 4_096
    reply = execution.output["reply"]
    place = reply["answer"]
    stored = operator("s3").get_object(Bucket=place["bucket"], Key=place["key"])
    content = stored["Body"].read()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (place["bytes"], place["sha256"])
    whole = json.loads(content)
    assert whole["content"] == text
    same = ("model", "finishReason", "tokens", "cost", "credential", "requestId")
    assert {name: reply[name] for name in same} == {name: whole[name] for name in same}
    assert_charged_once(reply, await system.lines.about(reply["requestId"]))


@pytest.mark.parametrize("text", ["Once.", "once more " * 30_000])
async def test_a_task_whose_answer_got_lost_is_charged_once(
    states: StepFunctions, machine: Machine, system: LocalSystem, provider: ScriptedProvider, text: str
) -> None:
    states.invoked.lose = 2
    provider.script(Say(text))
    execution = await states.run(machine.definition, machine.given)
    assert execution.status == "SUCCEEDED"
    assert len(provider.requests) == 1
    first, second, third = states.invoked.invocations
    assert first == second == third
    reply = execution.output["reply"]
    assert_charged_once(reply, await system.lines.about(reply["requestId"]))
    charged = [line for line in system.lines.all if '"CostCharged"' in line and reply["requestId"] in line]
    assert len(charged) == 1


async def test_two_executions_are_two_tasks(
    states: StepFunctions, machine: Machine, provider: ScriptedProvider
) -> None:
    for text in ("One.", "Two."):
        provider.script(Say(text))
        assert (await states.run(machine.definition, machine.given)).output["reply"]["content"] == text


async def test_where_the_input_is_the_request_a_pass_state_names_the_task(
    states: StepFunctions, provider: ScriptedProvider
) -> None:
    ask = {name: part for name, part in MACHINE["States"]["Ask"].items() if name != "Parameters"}
    definition = {"StartAt": "Name", "States": {**MACHINE["States"], "Name": NAMED, "Ask": ask}}
    states.invoked.lose = 1
    provider.script(Say("Hi."))
    execution = await states.run(definition, {**REQUEST, "workspaceId": WORKSPACE, "of the machine itself": 1})
    assert execution.status == "SUCCEEDED"
    assert total(execution.output["reply"]) > 0
    assert len(states.invoked.invocations) == 2
    assert len(provider.requests) == 1


async def test_the_page_tells_of_every_error() -> None:
    table = PAGE.read_text().partition("## Errors")[2].partition("## A state machine")[0]
    assert set(re.findall(r"`([A-Z]\w+)`", table)) >= {kind.__name__ for kind in KeywayError.__subclasses__()}


async def test_what_may_pass_is_retried_and_nothing_else(machine: Machine) -> None:
    names = {name for retrier in machine.definition["States"]["Ask"]["Retry"] for name in retrier["ErrorEquals"]}
    ours = {name for name in names if "." not in name}
    # A lack of time is not cured by trying the same again.
    assert ours == {kind.__name__ for kind in KeywayError.__subclasses__() if kind.retryable} - {"DeadlineExceeded"}
