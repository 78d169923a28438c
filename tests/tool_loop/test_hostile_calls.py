"""Models and callers who would have more than they pay for, or harm others: what they get instead."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from infra.local.provider import Call, Say, Script, ScriptedProvider
from keyway.answer import ToolRun
from keyway.chat import Tool
from keyway.doors.native.answer import answer_json
from keyway.doors.native.request import read_request
from keyway.tools.limiter import Limited
from keyway.tools.loop import MAX_CALLS, MAX_RESULTS
from tests.exchange.harness import call, captured, gateway, leave
from tests.exchange.toolset import CATALOG, OpenLimiter, ToolGate, Toolset, fails, say
from tests.tool_loop.test_calls import SEARCH, played
from tests.tool_loop.test_endings import CALLER, request, round_of, stores


def search_with(**hosting: object) -> Toolset:
    row: dict[str, Any] = CATALOG["search"]
    return Toolset(catalog={**CATALOG, "search": {**row, "hosting": {**row["hosting"], **hosting}}})


BY_DEPTH = {"type": "custom", "cost": '0.01 if params.depth == "deep" else 0.002'}


async def test_an_argument_that_the_price_depends_on_cannot_be_left_out_to_pay_nothing():
    result = await played(SEARCH, toolset=search_with(pricing=BY_DEPTH))
    assert not result.toolset.tools.jobs, "not run"
    assert isinstance(result.run.result, Mapping)
    assert result.run.result["message"] == (
        "search was not called: what it costs depends on its arguments, and the price names something that is not there"
    )
    assert not [line for line in result.lines.metrics if line["Tool"] == "search"], "no key was used"


async def test_with_the_argument_it_is_run_and_charged():
    deep = Call("search", {"city": "Paris", "depth": "deep"})
    result = await played(deep, toolset=search_with(pricing=BY_DEPTH))
    assert [line["CostCharged"] for line in result.of_tools("CostCharged")] == [[0.01]]


BY_DEPTH_AND_RESULTS = {
    "type": "custom",
    "cost": '(0.01 if params.depth == "deep" else 0.002) * count(response.results)',
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "what it costs depends on its arguments, and the price names something that is not there"),
        ({"depth": "deep"}, None),
    ],
)
async def test_nor_when_the_price_depends_on_the_response_as_well(arguments: dict[str, object], message: str | None):
    toolset = search_with(pricing=BY_DEPTH_AND_RESULTS)
    toolset.tools.answers["search"] = say({"results": [1, 2, 3]})
    result = await played(Call("search", {"city": "Paris", **arguments}), toolset=toolset)
    charged = [line["CostCharged"] for line in result.of_tools("CostCharged")]
    if message is None:
        assert charged == [[0.03]]
        return
    assert isinstance(result.run.result, Mapping)
    assert result.run.result["message"] == f"search was not called: {message}"
    assert not toolset.tools.jobs
    assert not charged


@pytest.mark.parametrize(
    ("arguments", "used"),
    [({}, None), ({"pages": "100000"}, None), ({"pages": 100}, {"pages": Decimal(100)})],
)
async def test_an_argument_that_a_limit_depends_on_cannot_be_left_out_either(
    arguments: dict[str, object], used: dict[str, Decimal] | None
):
    dimension = {"name": "pages", "limitPerMinute": 1_000, "usage": "params.pages"}
    toolset = search_with(rateLimit={"mode": "custom", "requestsPerMinute": 60, "dimensions": [dimension]})
    result = await played(Call("search", {"city": "Paris", **arguments}), toolset=toolset)
    assert len(toolset.tools.jobs) == len(toolset.limiter.asked) == (used is not None)
    assert toolset.limiter.used == ([used] if used else [])
    if used is None:
        assert isinstance(result.run.result, Mapping)
        assert str(result.run.result["message"]).startswith("search was not called: how much of pages it uses depends")


async def test_a_price_may_look_at_what_nobody_else_is_shown():
    toolset = search_with(pricing={"type": "custom", "cost": 'response["__cost"] * 2'})
    toolset.tools.answers["search"] = say({"__cost": 0.25, "of": "Paris"})
    result = await played(SEARCH, toolset=toolset)
    assert [line["CostCharged"] for line in result.of_tools("CostCharged")] == [[0.5]]
    assert result.run.result == {"of": "Paris", "cost": {"total": 0.5}}
    assert "__cost" not in repr(result.sent)


async def test_a_call_that_was_never_sent_is_no_failure_of_the_key():
    toolset = Toolset()
    toolset.tools.answers["search"] = fails("the argument city is missing", sent=False)
    result = await played(SEARCH, toolset=toolset)
    assert result.run.status == "error"
    assert not [line for line in result.lines.metrics if line["Tool"] == "search"]


async def test_calls_that_are_only_refused_take_nobodys_place():
    made = [Call(f"nothing_{number}", {}) for number in range(MAX_CALLS)]
    result = await played(*made, SEARCH)
    assert [job.tool for job in result.toolset.tools.jobs] == ["search"]


async def test_an_id_of_any_length_leaves_a_line_that_can_be_written():
    """And two ids that differ only at the end stay two."""
    ids = ["x" * 200_000 + ending for ending in "ab"]
    toolset = Toolset()
    async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
        provider.reply(Script(*(Call("search", {"city": "Paris"}, id=each) for each in ids)))
        provider.script(Say("Done."))
        with captured() as lines:
            await (await keyway.open(request("anthropic"), CALLER, call())).whole()
    named = [line["toolCallId"] for line in lines.named("CostCharged") if line["Tool"] == "search"]
    assert [len(each) for each in named] == [128, 128]
    assert named[0] != named[1]
    assert max(map(len, lines.text.splitlines())) < 2_000


async def test_what_a_model_made_up_can_be_sent_again_by_the_caller():
    """Ids may hold a host's whole thought, and names what no provider takes."""
    body: dict[str, Any] = {
        "provider": "anthropic",
        "model": "claude-sonnet-4-5",
        "messages": [{"role": "user", "content": "Hello"}],
        "tools": [{"id": "search"}],
        "workspaceId": "w",
    }
    async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=Toolset()) as keyway:
        provider.reply(Script(Call("search", {}, id="x" * 4_000), Call("un known " * 50, {})))
        provider.script(Say("Done."))
        first: Any = answer_json(await (await keyway.open(*read_request(body), call())).whole())
        body["messages"] += [*first["messages"], {"role": "user", "content": "And now?"}]
        provider.script(Say("Nothing."))
        second = await (await keyway.open(*read_request(body), call())).whole()
    assert second.content == "Nothing."


async def test_a_key_that_a_run_does_not_need_is_used_all_the_same_when_the_caller_brought_it():
    for brought in ("callers-own-key", None):
        params = {"engine": "free", **({"apiKey": brought} if brought else {})}
        toolset = search_with(enabled='params.engine != "free"')
        result = await played(SEARCH, toolset=toolset, tools=[{"id": "search", "params": params}])
        (job,) = toolset.tools.jobs
        assert (job.key.secret if job.key else None) == brought
        assert not result.of_tools("CostCharged")


async def test_a_caller_who_leaves_is_no_failure_of_a_tools_key():
    toolset, slow = Toolset(), ToolGate(say("never"))
    toolset.tools.answers["search"] = slow
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
            provider.reply(round_of("Paris"))
            exchange = await keyway.open(request("openai"), CALLER, call())
            await leave(exchange, slow.reached())
    assert [line["ending"] for line in lines.exchanges] == ["cancelled"]
    assert not lines.named("Failed")


async def test_only_so_many_calls_of_a_round_are_run():
    made = [Call("search", {"city": str(number)}) for number in range(MAX_CALLS + 3)]
    result = await played(*made)
    assert len(result.toolset.tools.jobs) == len(result.of_tools("CostCharged")) == MAX_CALLS
    runs = [run for run in result.answer.tool_calls if isinstance(run, ToolRun)]
    assert [run.status for run in runs] == ["success"] * MAX_CALLS + ["error"] * 3
    assert all(f"Only {MAX_CALLS} calls are run at once." in repr(run.result) for run in runs[MAX_CALLS:])


async def test_results_that_are_too_long_together_are_the_last():
    toolset = Toolset()
    toolset.tools.answers["search"] = say("x" * (MAX_RESULTS // 2))
    async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
        for _ in range(3):
            provider.reply(round_of("Paris"))
        provider.script(Say("Done."))
        answer = await (await keyway.open(request("openai"), CALLER, call())).whole()
    runs = [run for run in answer.tool_calls if isinstance(run, ToolRun)]
    assert [run.status for run in runs] == ["success", "success", "error"]
    assert "the results are too long together" in repr(runs[-1].result)
    assert len(toolset.tools.jobs) == 2


async def test_a_table_that_is_slow_to_count_does_not_fail_the_exchange_and_is_told_of():
    class Slow(OpenLimiter):
        async def use(self, _limited: Limited, _usage: Mapping[str, Decimal]) -> bool:
            await asyncio.Event().wait()
            raise AssertionError

    result = await played(Call("maps", {"city": "Paris"}), toolset=Toolset(limiter=Slow(), counting=0))
    assert result.run.status == "success"
    assert len(result.of_tools("LimitUncounted")) == 1


async def test_what_is_no_longer_counted_because_the_exchange_is_over_is_told_of():
    toolset, counting = Toolset(), asyncio.Event()

    class Slow(OpenLimiter):
        async def use(self, _limited: Limited, _usage: Mapping[str, Decimal]) -> bool:
            counting.set()
            await asyncio.Event().wait()
            raise AssertionError

    toolset.limiter = Slow()
    toolset.tools.answers["maps"] = say({"tiles": [1, 2]})
    wanted = request("openai").model_copy(update={"tools": (Tool(id="maps"),)})
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
            provider.reply(Script(Call("maps", {"city": "Paris"})))
            exchange = await keyway.open(wanted, CALLER, call())
            await leave(exchange, counting.wait())
    assert [line["CostCharged"] for line in lines.named("CostCharged") if line["Tool"] == "maps"] == [[0.0002]]
    assert len(lines.named("LimitUncounted")) == 1


async def test_a_name_that_a_model_makes_up_is_logged_in_short():
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=Toolset()) as keyway:
            provider.reply(Script(Call("x" * 10_000, {})))
            provider.script(Say("Done."))
            await (await keyway.open(request("openai"), CALLER, call())).whole()
    assert [tool["tool"] for tool in lines.exchanges[0]["tools"]] == ["x" * 64]
