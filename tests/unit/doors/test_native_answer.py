"""The whole answer, to the last byte."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from keyway.answer import Answer, Segment, Timing
from keyway.doors.native.answer import answer_json
from keyway.events import ToolCall, Usage
from keyway.money import FREE, Cost, Rates

USAGE = Usage(input=1_000, output=500, cache_read=200, cache_write=100, cache_write_1h=50, reasoning=30)
RATES = Rates(input=Decimal("2.5"), output=Decimal(10), cache_read=Decimal("1.25"))
COST = Cost(Decimal("0.00225"), Decimal("0.005"), Decimal("0.00725"), RATES, "2026-06-11")
SEGMENT = Segment(
    type="model",
    name="gpt-4o",
    provider="openai",
    started=1_700_000_000.0,
    ended=1_700_000_001.5,
    first_byte=0.25,
    finish_reason="tool_calls",
    usage=USAGE,
    cost=COST,
)
ANSWER = Answer(
    content="Hello \N{SNOWMAN}",
    thinking="hm",
    model="gpt-4o",
    finish_reason="tool_calls",
    usage=USAGE,
    cost=COST,
    timing=Timing(1_700_000_000.0, 1_700_000_001.5, (SEGMENT,)),
    origin="hosted",
    key="OPENAI_API_KEY_2",
    request_id="request-1",
    tool_calls=(ToolCall("c1", "look", {"at": 1}), ToolCall("c2", "look", {}, malformed="{at")),
    extras={"wire": "openai_responses", "items": [1]},
)

WHOLE = (
    '{"content": "Hello \\u2603", "thinking": "hm", "model": "gpt-4o", "finishReason": "tool_calls", '
    '"tokens": {"input": 1000, "output": 500, "total": 1500, "cacheRead": 200, "cacheWrite": 100, "reasoning": 30}, '
    '"toolCalls": [{"id": "c1", "name": "look", "arguments": {"at": 1}}, '
    '{"id": "c2", "name": "look", "arguments": {}, "malformedArguments": "{at"}], "toolResults": [], '
    '"timing": {"startTime": "2023-11-14T22:13:20.000Z", "endTime": "2023-11-14T22:13:21.500Z", "duration": 1500, '
    '"modelTime": 1500, "toolsTime": 0, "firstResponseTime": 1500, "iterations": 1, '
    '"timeSegments": [{"type": "model", "name": "gpt-4o", "startTime": 1700000000000, "endTime": 1700000001500, '
    '"duration": 1500, "provider": "openai", "ttft": 250, "finishReason": "tool_calls", '
    '"tokens": {"input": 1000, "output": 500, "total": 1500, "cacheRead": 200, "cacheWrite": 100, "reasoning": 30}, '
    '"cost": {"input": 0.00225, "output": 0.005, "total": 0.00725, '
    '"pricing": {"input": 2.5, "cachedInput": 1.25, "output": 10.0, "updatedAt": "2026-06-11"}}}]}, '
    '"cost": {"input": 0.00225, "output": 0.005, "total": 0.00725, '
    '"pricing": {"input": 2.5, "cachedInput": 1.25, "output": 10.0, "updatedAt": "2026-06-11"}}, '
    '"credential": {"origin": "hosted", "key": "OPENAI_API_KEY_2"}, "requestId": "request-1", '
    '"providerExtras": {"wire": "openai_responses", "items": [1]}}'
)


def test_a_full_answer():
    assert json.dumps(answer_json(ANSWER)) == WHOLE


def test_an_answer_that_has_little_to_say():
    bare = replace(
        ANSWER,
        content="",
        thinking="",
        finish_reason="stop",
        usage=None,
        cost=FREE,
        timing=Timing(1_700_000_000.0, 1_700_000_000.0),
        origin="caller",
        key=None,
        tool_calls=(),
        extras={},
    )
    assert json.dumps(answer_json(bare)) == (
        '{"content": "", "model": "gpt-4o", "finishReason": "stop", "tokens": null, "toolCalls": [], '
        '"toolResults": [], "timing": {"startTime": "2023-11-14T22:13:20.000Z", '
        '"endTime": "2023-11-14T22:13:20.000Z", "duration": 0, "modelTime": 0, "toolsTime": 0, '
        '"firstResponseTime": 0, "iterations": 0, "timeSegments": []}, "cost": {"input": 0.0, "output": 0.0, '
        '"total": 0.0, "pricing": {"input": 0.0, "output": 0.0, "updatedAt": null}}, '
        '"credential": {"origin": "caller"}, "requestId": "request-1"}'
    )


def test_a_segment_says_nothing_of_what_is_not_known():
    bare = Segment("model", "m", "p", 1.0, 2.0)
    shown = answer_json(replace(ANSWER, timing=Timing(1.0, 2.0, (bare,))))["timing"]
    assert isinstance(shown, dict)
    assert shown["timeSegments"] == [
        {"type": "model", "name": "m", "startTime": 1_000, "endTime": 2_000, "duration": 1_000, "provider": "p"}
    ]
