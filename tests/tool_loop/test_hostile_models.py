"""Models and hosts that write what nobody can pass on, or without end: the exchange goes on or ends, and is settled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.provider import Call, Say, Script, Verbatim
from keyway.answer import Answer, ToolRun
from keyway.doors.native.answer import answer_json
from keyway.errors import InvalidRequest, ProviderProtocolError
from keyway.events import ToolCall
from keyway.strict_json import loads
from keyway.turn import MAX_BYTES, MAX_CALLS
from tests.exchange.toolset import Toolset
from tests.matrix.stage import Stage
from tests.matrix.ways import WAYS, Way
from tests.tool_loop.stories import TURN

pytestmark = pytest.mark.asyncio(loop_scope="module")

BY_ID = {way.id: way for way in WAYS}
WITH_TOOLS = [way for way in WAYS if not way.id.endswith("-research")]

by_way = pytest.mark.parametrize("way", WITH_TOOLS, ids=[way.id for way in WITH_TOOLS])
either_way = pytest.mark.parametrize("streamed", [True, False], ids=["stream", "document"])
QUESTION = {"messages": [{"role": "user", "content": "Hi"}], "tools": [{"id": "search"}]}


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {"city": "Paris"}
    for _ in range(levels - 1):
        value = {"city": value}
    return value


DEEP = {"101 levels": nested(101), "150 levels": nested(150)}
NUMBERS = {"1e999": '{"city": "Paris", "n": 1e999}', "NaN": '{"city": "Paris", "n": NaN}'}


@by_way
@either_way
@pytest.mark.parametrize("arguments", DEEP.values(), ids=DEEP)
async def test_arguments_that_are_nested_too_deep_are_answered_and_not_run(
    on: Stage, way: Way, streamed: bool, arguments: dict[str, object]
):
    await assert_answered(on, way, Call("search", arguments), streamed=streamed)


@by_way
@either_way
@pytest.mark.parametrize("arguments", NUMBERS.values(), ids=NUMBERS)
async def test_arguments_with_numbers_that_are_none_are_answered_and_not_run(
    on: Stage, way: Way, streamed: bool, arguments: str
):
    as_text = way.wire.startswith("openai") or (streamed and way.wire in ("anthropic_messages", "bedrock_converse"))
    written: Any = arguments if as_text else json.loads(arguments)  # elsewhere they are part of the answer's own JSON
    await assert_answered(on, way, Call("search", written), streamed=streamed)


UNREAD = {
    "anthropic": b"""{"type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "score": -Infinity, "content": [{"type": "text", "text": "Hi."}],
        "usage": {"input_tokens": 3, "output_tokens": 2}}""",
    "google": b"""{"candidates": [{"finishReason": "STOP", "avgLogprobs": NaN,
        "content": {"parts": [{"text": "Hi."}]}}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}}""",
    "mistral": b"""{"choices": [{"index": 0, "finish_reason": "stop", "logprobs": {"content": [{"logprob": -1e999}]},
        "message": {"role": "assistant", "content": "Hi."}}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}""",
    "bedrock": b"""{"output": {"message": {"role": "assistant", "content": [{"text": "Hi."}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
        "metrics": {"latencyMs": Infinity}}""",
}


@pytest.mark.parametrize("name", UNREAD)
async def test_a_number_that_nobody_reads_costs_no_answer(on: Stage, name: str):
    """Some hosts write -Infinity for the logarithm of nothing."""
    on.provider.reply(Verbatim(200, UNREAD[name], "application/json"))
    outcome = await on.ask(BY_ID[name], {"messages": QUESTION["messages"]}, streamed=False)
    assert outcome.error is None
    assert outcome.answer is not None
    assert outcome.answer.content == "Hi."
    assert outcome.answer.usage is not None
    assert outcome.answer.usage.total == 5


async def assert_answered(on: Stage, way: Way, made: Call, *, streamed: bool) -> None:
    toolset = Toolset()
    on.provider.reply(Script(Say("I look."), made, tokens=TURN))
    on.provider.script(Say("Done."), tokens=TURN)
    outcome = await on.ask(way, QUESTION, streamed=streamed, toolset=toolset)
    assert outcome.error is None
    assert toolset.tools.jobs == []
    assert outcome.answer is not None
    (run,) = outcome.answer.tool_calls
    assert isinstance(run, ToolRun)
    assert isinstance(run.result, dict)
    assert run.result["message"] == "The arguments are not a JSON object. Write them again."
    loads(json.dumps(answer_json(outcome.answer)))
    for received in on.provider.requests:
        loads(json.dumps(received.body))


@by_way
@either_way
async def test_of_more_calls_than_any_model_makes_the_first_are_looked_at_and_all_are_paid_for(
    on: Stage, way: Way, streamed: bool
):
    made = [Call("ask_user", {"what": str(number)}) for number in range(MAX_CALLS + 2)]
    on.provider.reply(Script(Say("I ask."), *made, tokens=TURN))
    asks = {**QUESTION, "tools": [{"id": "ask_user"}]}
    outcome = await on.ask(way, asks, streamed=streamed, toolset=Toolset())
    assert outcome.error is None
    assert outcome.answer is not None
    assert [call.arguments["what"] for call in calls_of(outcome.answer)] == [str(each) for each in range(MAX_CALLS)]
    assert outcome.answer.usage is not None
    assert outcome.answer.usage.total == TURN.input + TURN.output
    assert outcome.lines.charged == outcome.answer.cost.total
    assert outcome.lines.exchanges[0]["warnings"] == [
        f"2 calls beyond the first {MAX_CALLS} of an answer were left out"
    ]


def calls_of(answer: Answer) -> list[ToolCall]:
    calls = [call for call in answer.tool_calls if isinstance(call, ToolCall)]
    assert len(calls) == len(answer.tool_calls)
    return calls


async def test_an_answer_without_end_is_broken_off(on: Stage):
    """Whoever brings an endpoint may send without end, and memory has one."""
    on.provider.reply(Verbatim(200, b" " * (MAX_BYTES + 1), "text/event-stream"))
    outcome = await on.ask(BY_ID["vllm"], QUESTION, streamed=True)
    assert isinstance(outcome.error, ProviderProtocolError)
    assert outcome.error.message == "vllm sent more than 64 MiB in one answer."


UNWRITABLE = {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}}


@either_way
async def test_a_schema_that_cannot_be_asked_for_is_refused_before_anything_is_paid_for(on: Stage, streamed: bool):
    """Though it is asked for only when the tools have run."""
    toolset = Toolset()
    asks = {**QUESTION, "responseFormat": {"schema": UNWRITABLE}}
    outcome = await on.ask(BY_ID["azure-openai"], asks, streamed=streamed, toolset=toolset)
    assert isinstance(outcome.error, InvalidRequest)
    assert on.provider.requests == []
    assert not outcome.lines.metrics
