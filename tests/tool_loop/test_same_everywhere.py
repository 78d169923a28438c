"""One scripted conversation with everything in it gives the same answer on all five wires, streamed and not.

Two rounds of tools, two calls side by side, one tool that fails, one that has to be called, a hosted one that costs,
and an answer that keeps to a schema. What may differ is what has to: ids, times, the model's name and price.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.provider import Call, Say, Script, Tokens, words
from keyway.chat import Json
from keyway.doors.native.answer import answer_json
from keyway.events import Event, TextDelta, ToolCallEnded, ToolCallStarted, TurnFinished, TurnStarted
from tests.exchange.toolset import Toolset, fails, say
from tests.matrix.features import SCHEMA
from tests.matrix.stage import Outcome, Stage
from tests.matrix.ways import WAYS, Way

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIVE = {
    way.wire: way
    for way in reversed(WAYS)
    if way.id in ("openai", "azure-openai-chat", "anthropic", "google", "bedrock")
}
"""One provider for each protocol, all of which take a schema beside tools."""

ASKS = {
    "messages": [{"role": "user", "content": "What about Paris?"}],
    "tools": [{"id": "weather"}, {"id": "search", "usageControl": "force", "params": {"depth": 2}}],
    "responseFormat": SCHEMA,
}
TURNS = (
    Script(
        *words("I look twice."),
        Call("search", {"city": "Paris"}),
        Call("weather", {"city": "Rome"}),
        tokens=Tokens(1_000, 100),
    ),
    Script(Say("Once more."), Call("weather", {"city": "Paris"}), tokens=Tokens(2_000, 200)),
    Script(Say('{"city": '), Say('"Paris"}'), tokens=Tokens(4_000, 400)),
)
TOLD = [
    ("turn", "pending"),
    ("text", "I look twice."),
    ("start", "search"),
    ("start", "weather"),
    ("end", "intermediate"),
    ("ended", "search", "success"),
    ("ended", "weather", "error"),
    ("turn", "pending"),
    ("text", "Once more."),
    ("start", "weather"),
    ("end", "intermediate"),
    ("ended", "weather", "success"),
    ("turn", "pending"),
    ("text", '{"city": "Paris"}'),
    ("end", "final"),
]
ANSWER = {
    "content": '{"city": "Paris"}',
    "finishReason": "stop",
    "tokens": {"input": 7_000, "output": 700, "total": 7_700, "cacheRead": 0, "cacheWrite": 0, "reasoning": 0},
    "toolCalls": [
        {
            "name": "search",
            "arguments": {"city": "Paris", "depth": 2},
            "result": {"found": ["the Seine"], "cost": {"total": 0.005}},
            "success": True,
        },
        {
            "name": "weather",
            "arguments": {"city": "Rome"},
            "result": {"error": True, "message": "weather is closed", "tool": "weather", "status": 500},
            "success": False,
        },
        {"name": "weather", "arguments": {"city": "Paris"}, "result": "sunny", "success": True},
    ],
    "toolResults": [{"found": ["the Seine"], "cost": {"total": 0.005}}, "sunny"],
    "iterations": 3,
    "segments": [
        ("model", "tool_calls", 1_100),
        ("tool", "search", 0.005),
        ("tool", "weather", None),
        ("model", "tool_calls", 2_200),
        ("tool", "weather", None),
        ("model", "stop", 4_400),
    ],
    "toolCost": 0.005,
    "messages": [
        ("assistant", "I look twice.", ["search", "weather"]),
        ("tool", '{"found":["the Seine"]}', []),
        ("tool", '{"error":true,"message":"weather is closed","tool":"weather","status":500}', []),
        ("assistant", "Once more.", ["weather"]),
        ("tool", '"sunny"', []),
        ("assistant", '{"city": "Paris"}', []),
    ],
}


@pytest.mark.parametrize("streamed", [True, False], ids=["stream", "document"])
@pytest.mark.parametrize("way", FIVE.values(), ids=FIVE)
async def test_the_same_conversation_gives_the_same_answer(on: Stage, way: Way, streamed: bool):
    toolset = Toolset()
    toolset.tools.answers = {
        "search": say({"found": ["the Seine"]}),
        "weather": [fails("weather is closed", status=500), say("sunny")],
    }
    for turn in TURNS:
        on.provider.reply(turn)

    outcome = await on.ask(way, ASKS, streamed=streamed, toolset=toolset)

    assert outcome.error is None
    assert outcome.answer is not None
    answer = json.loads(json.dumps(answer_json(outcome.answer)))
    assert normalised(answer) == ANSWER
    assert told(outcome.events) == TOLD
    assert len(on.provider.requests) == 3, "the answer is streamed as it is produced, not asked for once more"
    assert_adds_up(outcome, answer)
    assert_forced_first(way, [received.body for received in on.provider.requests])


def normalised(answer: Json) -> Json:
    """``answer`` without what has to differ."""
    told: Any = answer
    segments = told["timing"]["timeSegments"]
    assert len({call["id"] for call in told["toolCalls"]}) == 3
    assert all(call["duration"] >= 0 and call["startTime"] <= call["endTime"] for call in told["toolCalls"])
    assert [each["startTime"] for each in segments] == sorted(each["startTime"] for each in segments)
    return {
        **{name: told[name] for name in ("content", "finishReason", "tokens", "toolResults")},
        "toolCalls": [
            {name: call[name] for name in ("name", "arguments", "result", "success")} for call in told["toolCalls"]
        ],
        "iterations": told["timing"]["iterations"],
        "segments": [
            ("model", each["finishReason"], each["tokens"]["total"])
            if each["type"] == "model"
            else ("tool", each["name"], each.get("cost", {}).get("total"))
            for each in segments
        ],
        "toolCost": told["cost"]["toolCost"],
        "messages": [
            (said["role"], said["content"], [call["name"] for call in said.get("toolCalls", [])])
            for said in told["messages"]
        ],
    }


def told(events: tuple[Event, ...]) -> list[tuple[str, ...]]:
    """The story that the events tell, with pieces of text put together."""
    story: list[tuple[str, ...]] = []
    for event in events:
        match event:
            case TurnStarted(last):
                story.append(("turn", "final" if last else "pending"))
            case TextDelta(text) if story[-1][0] == "text":
                story[-1] = ("text", story[-1][1] + text)
            case TextDelta(text):
                story.append(("text", text))
            case ToolCallStarted(_, name):
                story.append(("start", name))
            case ToolCallEnded(_, name, status):
                story.append(("ended", name, status))
            case TurnFinished(last=last):
                story.append(("end", "final" if last else "intermediate"))
            case _:
                pass
    return story


def assert_adds_up(outcome: Outcome, answer: Json) -> None:
    """Conservation over the whole loop, whoever's key paid for the model."""
    cost: Any = answer["cost"]
    assert float(outcome.lines.charged) == cost["total"]
    charged = {line["Tool"]: line["CostCharged"][0] for line in outcome.lines.named("CostCharged")}
    assert charged.pop("search") == 0.005
    assert outcome.answer is not None
    if outcome.answer.origin == "hosted":
        assert charged == {outcome.answer.model: pytest.approx(cost["total"] - 0.005)}
    else:
        assert charged == {}
        assert cost["total"] == 0.005
    assert [line["Key"] for line in outcome.lines.named("Used") if line["Tool"] == "search"] == ["SEARCH_API_KEY_1"]
    assert not outcome.lines.named("Failed"), "a tool without a key of ours that fails is no failure of a key"
    assert len(outcome.lines.exchanges) == 1


CHOICES: dict[str, tuple[object, object]] = {
    "openai_responses": ({"type": "function", "name": "search"}, "auto"),
    "openai_chat": ({"type": "function", "function": {"name": "search"}}, "auto"),
    "anthropic_messages": ({"type": "tool", "name": "search"}, None),
    "gemini_generate": ({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["search"]}}, None),
    "bedrock_converse": ({"tool": {"name": "search"}}, None),
}


def assert_forced_first(way: Way, bodies: list[Json]) -> None:
    """The forced tool is asked for until it has been called; then the choice is the model's."""

    def choice(body: Any) -> object:
        if way.wire == "bedrock_converse":
            return body["toolConfig"].get("toolChoice")
        return body.get("tool_choice") or body.get("toolConfig")

    first, then = CHOICES[way.wire]
    assert [choice(body) for body in bodies] == [first, then, then]
