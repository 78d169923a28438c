"""Conversations that no vendor would have had by itself: tools nobody offered, and turns made elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from infra.local.provider import Call, Say, Script, Think, words
from keyway.chat import Json
from keyway.doors.native.answer import answer_json
from tests.matrix.features import PARIS, ROME, TOKENS, TOOLS
from tests.matrix.not_offered import MODES, Mode, source
from tests.matrix.stage import Stage
from tests.matrix.ways import WAYS, Way

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITH_TOOLS = {way.id: way for way in WAYS if not any(source(way.id, "tool call", mode) for mode in MODES)}
MOVERS = (
    "openai",
    "azure-openai-chat",
    "anthropic",
    "google",
    "bedrock",
    "mistral",
    "deepseek",
    "openrouter",
    "ollama",
)
"""One of each protocol, and of each rule for ids and for what comes back."""
UNOFFERED = ("send_mail", {"to": "everybody"})
MUST_NOT = {"tools": [*TOOLS["tools"], {"id": "send_mail", "usageControl": "none"}]}

by_way = pytest.mark.parametrize("way", WITH_TOOLS.values(), ids=WITH_TOOLS)
by_mode = pytest.mark.parametrize("mode", MODES)


async def called(on: Stage, way: Way, asks: Json, *calls: Call, mode: Mode = "stream") -> list[Json]:
    """A conversation in which the model has made ``calls``, as the answer told of them, and their results."""
    question = {"role": "user", "content": "What about Paris?"}
    on.provider.reply(Script(Think("Hm."), Say("I look."), *calls, tokens=TOKENS))
    outcome = await on.ask(way, {**asks, "messages": [question]}, streamed=mode == "stream")
    assert outcome.answer is not None
    assert outcome.answer.finish_reason == "tool_calls"
    told = json.loads(json.dumps(answer_json(outcome.answer)))
    assert [(made["name"], made["arguments"]) for made in told["toolCalls"]] == [
        (call.name, call.arguments) for call in calls
    ]
    said = {name: told[name] for name in ("content", "toolCalls", "providerExtras") if name in told}
    results = [{"role": "tool", "toolCallId": made["id"], "content": '{"sky": "blue"}'} for made in told["toolCalls"]]
    return [question, {"role": "assistant", **said}, *results]


async def goes_on(on: Stage, way: Way, asks: Json, conversation: list[Json], *, mode: Mode = "stream") -> None:
    """The vendor accepts ``conversation`` and answers it; what it was sent is the last of ``requests``."""
    on.provider.reply(Script(*words("Very well."), tokens=TOKENS))
    outcome = await on.ask(way, {**asks, "messages": conversation}, streamed=mode == "stream")
    assert outcome.error is None
    assert outcome.text == "Very well."


@by_mode
@by_way
async def test_a_conversation_with_tool_calls_goes_on(on: Stage, way: Way, mode: Mode):
    """What the answer carried comes back, word for word where it is opaque, and the vendor accepts it."""
    thinks = not source(way.id, "thinking", mode)
    asks = {**TOOLS, **(way.thinks if thinks else {})}
    conversation = await called(on, way, asks, Call(*PARIS), Call(*ROME), mode=mode)
    await goes_on(on, way, asks, conversation, mode=mode)
    sent = on.provider.requests[-1].body
    await goes_on(
        on,
        way,
        asks,
        [*conversation, {"role": "assistant", "content": "Very well."}, {"role": "user", "content": "And Oslo?"}],
        mode=mode,
    )

    extras = conversation[1].get("providerExtras", {})
    assert bool(extras) == bool(way.opaque)
    for name in way.opaque:
        assert members(extras, name)
        assert members(extras, name) == members(sent, name)


def members(value: object, name: str) -> list[object]:
    """Every non-empty member called ``name`` in ``value``, however deep."""
    if isinstance(value, Mapping):
        own = [value[name]] if value.get(name) else []
        return own + [found for inner in value.values() for found in members(inner, name)]
    if isinstance(value, list):
        return [found for inner in value for found in members(inner, name)]
    return []


@by_way
async def test_a_call_of_a_tool_that_was_never_offered_is_handed_back_and_can_be_answered(on: Stage, way: Way):
    conversation = await called(on, way, TOOLS, Call(*PARIS), Call(*UNOFFERED))
    await goes_on(on, way, TOOLS, conversation)


@by_way
async def test_so_is_one_of_a_tool_that_must_not_be_used(on: Stage, way: Way):
    conversation = await called(on, way, MUST_NOT, Call(*UNOFFERED))
    await goes_on(on, way, MUST_NOT, conversation)
    assert "send_mail" in json.dumps(on.provider.requests[1].body)


@by_way
async def test_calls_of_the_past_are_accepted_where_no_tool_is_offered_any_more(on: Stage, way: Way):
    conversation = await called(on, way, TOOLS, Call(*PARIS), Call(*ROME))
    await goes_on(on, way, {}, conversation)


@pytest.mark.parametrize("to", MOVERS)
@pytest.mark.parametrize("begun_by", MOVERS)
async def test_a_conversation_may_move_from_one_vendor_to_another(on: Stage, begun_by: str, to: str):
    """Ids are fitted to the new vendor's rules, and what the old one wants back is not sent to the new one."""
    conversation = await called(on, WITH_TOOLS[begun_by], TOOLS, Call(*PARIS), Call(*ROME))
    await goes_on(on, WITH_TOOLS[to], TOOLS, conversation)
    if begun_by == to:
        return
    sent = json.dumps(on.provider.requests[1].body)
    assert not [text for text in _opaque(conversation[1].get("providerExtras")) if text in sent]


def _opaque(extras: object) -> Iterator[str]:
    """The strings of opaque state that are long enough to be nothing else."""
    if isinstance(extras, dict):
        for value in extras.values():
            yield from _opaque(value)
    elif isinstance(extras, list):
        for value in extras:
            yield from _opaque(value)
    elif isinstance(extras, str) and len(extras) > 20:
        yield extras


@pytest.mark.parametrize("made", ["x" * 64, "call|1/2 3", "toolu_vrtx_01A.b:c", "é" * 10, "1"])
@by_way
async def test_any_id_of_a_call_is_made_one_that_the_vendor_accepts(on: Stage, way: Way, made: str):
    call = {"id": made, "name": "get_weather", "arguments": {"city": "Paris"}}
    conversation: list[Json] = [
        {"role": "user", "content": "What about Paris?"},
        {"role": "assistant", "toolCalls": [call]},
        {"role": "tool", "toolCallId": made, "content": "Rain."},
    ]
    await goes_on(on, way, TOOLS, conversation)
