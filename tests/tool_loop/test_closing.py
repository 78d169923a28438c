"""A schema beside tools, where a provider takes only one of the two: it is asked for in a turn of its own."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.provider import Call, Say, Script, words
from keyway.doors.native.answer import answer_json
from keyway.events import TextDelta, TurnFinished, TurnStarted
from tests.exchange.toolset import Toolset
from tests.matrix.features import SCHEMA
from tests.matrix.stage import Stage
from tests.matrix.ways import WAYS, Way
from tests.tool_loop.stories import TURN
from tests.tool_loop.test_settlement import CLOSING

pytestmark = pytest.mark.asyncio(loop_scope="module")

BY_ID = {way.id: way for way in WAYS}
OLD_GEMINI = Way("google", "gemini-2.5-pro", "gemini_generate", "hosted", name="gemini-2.5")
HELD_BACK = [*(BY_ID[name] for name in sorted(CLOSING - {"xai"})), OLD_GEMINI]
QUESTION = {"messages": [{"role": "user", "content": "What about Paris?"}], "responseFormat": SCHEMA}
JSON = Script(Say('{"city": '), Say('"Paris"}'), tokens=TURN)
DRAFT = Script(*words("It is Paris."), tokens=TURN)
SEARCHES = Script(Call("search", {"city": "Paris"}), tokens=TURN)

by_way = pytest.mark.parametrize("way", HELD_BACK, ids=[way.id for way in HELD_BACK])
either_way = pytest.mark.parametrize("streamed", [True, False], ids=["stream", "document"])


def asks_for_schema(body: Any) -> bool:
    config = body.get("generationConfig") or {}
    return bool(body.get("response_format") or (body.get("text") or {}).get("format") or config.get("responseMimeType"))


def may_call(body: Any) -> bool:
    return bool(body.get("tools")) and body.get("tool_choice") != "none"


@by_way
@either_way
async def test_the_schema_is_asked_for_when_the_model_would_stop(on: Stage, way: Way, streamed: bool):
    for reply in (SEARCHES, DRAFT, JSON):
        on.provider.reply(reply)
    asks = {**QUESTION, "tools": [{"id": "search"}]}
    outcome = await on.ask(way, asks, streamed=streamed, toolset=Toolset())
    assert outcome.error is None
    bodies = [received.body for received in on.provider.requests]
    assert [(may_call(body), asks_for_schema(body)) for body in bodies] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert outcome.answer is not None
    assert outcome.answer.content == '{"city": "Paris"}', "what was said before is no part of the answer"
    shown: Any = answer_json(outcome.answer)
    names = [each["name"] for each in shown["timing"]["timeSegments"] if each["type"] == "model"]
    assert names[-1] == "Final structured response"
    assert outcome.answer.usage is not None
    assert outcome.answer.usage.total == 3 * (TURN.input + TURN.output), "its tokens are added"
    assert "It is Paris." not in [said["content"] for said in shown["messages"]]


@by_way
async def test_it_is_asked_for_though_no_tool_was_called(on: Stage, way: Way):
    """And though no tool is run here at all: text is pending until it is known to be the last."""
    for reply in (DRAFT, JSON):
        on.provider.reply(reply)
    tools = [{"id": "ask_user", "parameters": {"type": "object", "properties": {"what": {"type": "string"}}}}]
    outcome = await on.ask(way, {**QUESTION, "tools": tools}, streamed=True)
    assert [event for event in outcome.events if isinstance(event, TurnStarted)] == [
        TurnStarted(last=False),
        TurnStarted(last=True),
    ]
    assert [event.last for event in outcome.events if isinstance(event, TurnFinished)] == [False, True]
    text = "".join(event.text for event in outcome.events if isinstance(event, TextDelta))
    assert text == 'It is Paris.{"city": "Paris"}'
    assert outcome.answer is not None
    assert outcome.answer.content == '{"city": "Paris"}'
    assert len(outcome.lines.exchanges) == 1


@by_way
async def test_a_call_that_is_handed_back_ends_the_exchange_without_it(on: Stage, way: Way):
    on.provider.reply(Script(Call("ask_user", {"what": "Which?"}), tokens=TURN))
    tools = [{"id": "ask_user", "parameters": {"type": "object", "properties": {"what": {"type": "string"}}}}]
    outcome = await on.ask(way, {**QUESTION, "tools": tools}, streamed=True)
    assert outcome.answer is not None
    assert outcome.answer.finish_reason == "tool_calls"
    assert len(on.provider.requests) == 1


@either_way
async def test_xai_gets_the_schema_in_the_place_of_the_tools_after_a_round(on: Stage, streamed: bool):
    for reply in (SEARCHES, JSON):
        on.provider.reply(reply)
    outcome = await on.ask(
        BY_ID["xai"], {**QUESTION, "tools": [{"id": "search"}]}, streamed=streamed, toolset=Toolset()
    )
    bodies = [received.body for received in on.provider.requests]
    assert [(may_call(body), asks_for_schema(body)) for body in bodies] == [(True, False), (False, True)]
    assert outcome.answer is not None
    assert outcome.answer.content == '{"city": "Paris"}'


async def test_litellm_is_told_of_the_tools_once_more_and_not_to_call_them(on: Stage):
    for reply in (SEARCHES, DRAFT, JSON):
        on.provider.reply(reply)
    await on.ask(BY_ID["litellm"], {**QUESTION, "tools": [{"id": "search"}]}, streamed=True, toolset=Toolset())
    closing: Any = on.provider.requests[-1].body
    assert [tool["function"]["name"] for tool in closing["tools"]] == ["search"]
    assert (closing["tool_choice"], closing["parallel_tool_calls"]) == ("none", False)


@pytest.mark.parametrize(
    ("way", "asks", "warning"),
    [
        ("ollama", {"tools": [{"id": "search", "usageControl": "force"}]}, "search cannot be forced here"),
        (
            "anthropic",
            {"tools": [{"id": "search", "usageControl": "force"}], "thinkingLevel": "low"},
            "search is not forced",
        ),
        ("deepseek", {"responseFormat": SCHEMA}, "responseFormat is not enforced here"),
    ],
)
async def test_what_a_provider_cannot_be_asked_for_stands_in_the_log(on: Stage, way: str, asks: Any, warning: str):
    on.provider.reply(DRAFT)
    asks = {"messages": QUESTION["messages"], **asks}
    outcome = await on.ask(BY_ID[way], asks, streamed=False, toolset=Toolset())
    assert outcome.error is None
    (line,) = outcome.lines.exchanges
    (said,) = line["warnings"]
    assert said.startswith(warning)


async def test_an_ordinary_request_has_no_warnings(on: Stage):
    on.provider.reply(DRAFT)
    asks = {"messages": QUESTION["messages"], "tools": [{"id": "search", "usageControl": "force"}]}
    outcome = await on.ask(BY_ID["openai"], asks, streamed=False, toolset=Toolset())
    assert "warnings" not in outcome.lines.exchanges[0]
