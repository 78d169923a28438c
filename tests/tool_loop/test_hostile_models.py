"""Models and hosts that write what nobody can pass on, or without end: the exchange goes on or ends, and is settled."""

from __future__ import annotations

import json

import pytest

from infra.local.provider import Call, Say, Script, Verbatim
from keyway.answer import ToolRun
from keyway.doors.native.answer import answer_json
from keyway.errors import InvalidRequest, ProviderProtocolError
from keyway.strict_json import loads
from keyway.turn import MAX_BYTES, MAX_CALLS
from tests.exchange.toolset import Toolset
from tests.matrix.stage import Stage
from tests.matrix.ways import WAYS, Way
from tests.tool_loop.stories import TURN

pytestmark = pytest.mark.asyncio(loop_scope="module")

BY_ID = {way.id: way for way in WAYS}
WITH_TOOLS = [way for way in WAYS if not way.id.endswith("-research")]
DOCUMENT_ARGUMENTS = {"google", "vertex"}
"""Whose protocol has arguments as JSON, not as text: what is no JSON there breaks the answer."""

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
    if way.wire.startswith("openai") or (streamed and way.wire in ("anthropic_messages", "bedrock_converse")):
        await assert_answered(on, way, Call("search", arguments), streamed=streamed)
        return
    # Here they are part of the answer's own JSON, and so it is the answer that is none.
    toolset = Toolset()
    on.provider.reply(Script(Call("search", json.loads(arguments)), tokens=TURN))
    outcome = await on.ask(way, QUESTION, streamed=streamed, toolset=toolset)
    assert isinstance(outcome.error, ProviderProtocolError)
    assert toolset.tools.jobs == []


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
async def test_an_answer_with_more_calls_than_any_model_makes_is_broken_off(on: Stage, way: Way, streamed: bool):
    on.provider.reply(Script(*(Call("search", {"city": str(number)}) for number in range(MAX_CALLS + 1)), tokens=TURN))
    toolset = Toolset()
    outcome = await on.ask(way, QUESTION, streamed=streamed, toolset=toolset)
    assert isinstance(outcome.error, ProviderProtocolError)
    assert outcome.error.message == f"{way.provider} sent more than {MAX_CALLS} tool calls in one answer."
    assert toolset.tools.jobs == []
    assert len(outcome.lines.exchanges) == 1


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
