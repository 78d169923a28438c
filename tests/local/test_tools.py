"""The loop of tools in the whole system: from an HTTP request to a search API, a Lambda function, and the bill."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from infra.local.caller import Caller
from infra.local.provider import Call, Say, Script, ScriptedProvider, Tokens
from infra.local.system import CALLERS_KEY, LocalSystem
from infra.local.tools import ASK_USER, WORD_COUNT, catalog
from tests.local.asking import both_vendors, question, streamed, total

pytestmark = pytest.mark.asyncio(loop_scope="module")

TURN = Tokens(input=1_000, output=100)
SEARCH = [{"id": "web_search"}]
AT_ONCE, CALLS = 10, 40


def limited(search_url: str) -> Mapping[str, object]:
    """The catalog with a limit of ten searches a minute, and no more than that at once."""
    tools = catalog(search_url)
    search: Any = tools["web_search"]
    search["hosting"]["rateLimit"]["burstMultiplier"] = 1
    return tools


@both_vendors
async def test_a_streamed_loop_from_the_first_byte_to_the_bill(
    system: LocalSystem, caller: Caller, provider: ScriptedProvider, vendor: str
):
    provider.reply(Script(Say("I look."), Call("web_search", {"query": "gateways"}), tokens=TURN))
    provider.reply(Script(Say("A gate"), Say("way."), tokens=TURN))
    before = len(system.search.requests)
    told = await streamed(caller, question(vendor, tools=SEARCH))
    assert told.names == [
        "text_delta",
        "tool_call_start",
        "turn_end",
        "tool_call_end",
        "text_delta",
        "text_delta",
        "turn_end",
        "done",
    ]
    assert [event.data.get("turn") for event in told.events if event.name in ("text_delta", "turn_end")] == [
        "pending",
        "intermediate",
        "pending",
        "pending",
        "final",
    ]
    answer = told.last
    assert answer["content"] == "A gateway."
    assert answer["cost"]["toolCost"] == 0.005
    (search,) = system.search.requests[before:]
    assert search.query == {"query": "gateways"}
    written = await system.lines.about(str(answer["requestId"]))
    assert written.charged == total(answer)
    assert sorted(metric.dimensions["Tool"] for metric in written.named("Used")) == sorted(
        [answer["model"], "web_search"]
    )


async def test_a_function_and_a_callers_own_executor_and_a_tool_that_is_handed_back(
    system: LocalSystem, caller: Caller, provider: ScriptedProvider
):
    provider.reply(
        Script(Call("world_clock", {"utcOffset": 2}), Call("word_count", {"text": "one two three"}), tokens=TURN)
    )
    provider.reply(Script(Say("Well?"), Call("ask_user", {"question": "Which one?"}), tokens=TURN))
    tools = [{"id": "world_clock"}, WORD_COUNT, ASK_USER]
    reply = await caller.post(question("openai", tools=tools, apiKey=CALLERS_KEY))
    answer: Any = reply.json
    assert isinstance(answer, dict), reply.body
    clock, count, asked = answer["toolCalls"]
    assert clock["result"]["time"].endswith("+02:00")
    assert count["result"] == {"words": 3}
    assert "result" not in asked
    assert (answer["finishReason"], answer["content"]) == ("tool_calls", "Well?")
    payload = system.aws.functions.invocations[-1].payload
    assert payload["context"]["workspaceId"] == question("openai")["workspaceId"]
    assert (answer["credential"]["origin"], answer["cost"]["total"]) == ("caller", 0)


async def test_a_step_functions_task_runs_tools_too(system: LocalSystem, caller: Caller, provider: ScriptedProvider):
    provider.reply(Script(Call("web_search", {"query": "gateways"}), tokens=TURN))
    provider.reply(Script(Say("Found."), tokens=TURN))
    reply = await caller.invoke(question("anthropic", tools=SEARCH))
    answer: Any = reply.json
    assert answer["content"] == "Found."
    written = await system.lines.about(str(answer["requestId"]))
    assert written.charged == total(answer) > Decimal("0.005")


async def test_a_request_may_not_reach_into_the_platforms_network(caller: Caller, provider: ScriptedProvider):
    """Nor hold a key of the platform's: the operator's own tools are not the request's to redirect."""
    provider.reply(Script(Call("mine", {"path": "latest"}), tokens=TURN))
    provider.reply(Script(Say("I see."), tokens=TURN))
    inside = {"id": "mine", "executor": {"type": "http", "method": "GET", "url": "https://169.254.169.254/{path}"}}
    answer: Any = (await caller.post(question("openai", tools=[inside]))).json
    error = answer["toolCalls"][0]["result"]
    assert "tools[0].executor.url: 169.254.169.254 is not a public address" in error["message"]
    theirs = {"id": "web_search", "executor": {"type": "http", "url": "https://evil.example/"}}
    refused = await caller.post(question("openai", tools=[theirs]))
    assert refused.status == 400
    assert b"tools[0].executor" in refused.body


@pytest.mark.timeout(180)
async def test_two_environments_let_through_what_is_allowed_and_tell_the_others_when_to_come_back():
    """Forty calls at once, ten allowed a minute, and less than a minute to wait in."""

    async def one(caller: Caller, number: int) -> Any:
        return (await caller.post(question("openai", f"Use web_search to find {number}.", tools=SEARCH))).json

    async with LocalSystem(environments=2, concurrency=CALLS, tools=limited) as system:
        await system.ready()
        async with Caller(system.url, system.function.invoke_url) as caller:
            answers = await asyncio.gather(*(one(caller, number) for number in range(CALLS)))
        runs = [answer["toolCalls"][0] for answer in answers]
        let_through = [run for run in runs if run["success"]]
        turned_away = [run["result"] for run in runs if not run["success"]]
        assert (len(let_through), len(turned_away)) == (AT_ONCE, CALLS - AT_ONCE)
        assert len(system.search.requests) == AT_ONCE
        for error in turned_away:
            assert error["status"] == 429
            assert 0 < error["retryAfter"] <= 60 * (CALLS - AT_ONCE) / AT_ONCE
        metrics = [
            metric for answer in answers for metric in (await system.lines.about(str(answer["requestId"]))).metrics
        ]
        assert len([metric for metric in metrics if metric.name == "Throttled"]) == CALLS - AT_ONCE
        assert (
            len([metric for metric in metrics if metric.name == "Used" and metric.dimensions["Tool"] == "web_search"])
            == AT_ONCE
        )
        assert not [metric for metric in metrics if metric.name in ("LimitUncounted", "Failed")]
