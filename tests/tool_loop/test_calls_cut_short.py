"""Calls that are cut off at an awkward moment, and failures that must not say too much: what is told and owed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import pytest

from infra.local.provider import Call, Say, Script, ScriptedProvider, Tokens
from keyway.answer import Answer, ToolRun
from keyway.chat import Caller, ChatRequest
from keyway.errors import KeyStoreUnavailable
from keyway.tools.executor import Job
from keyway.tools.limiter import Admission, Admitted, Limited
from tests.exchange.harness import Lines, Stores, call, captured, gateway, resolver_of
from tests.exchange.toolset import KEYS, SEARCH_SECRET, OpenLimiter, ToolGate, Toolset, fails, say

TURN = Tokens(input=1_000, output=100)
CALLER = Caller.model_validate({"workspaceId": "w"})
BUSY = fails("slow down", status=429)


def request(*tools: Mapping[str, object]) -> ChatRequest:
    return ChatRequest.model_validate(
        {
            "provider": "openai",
            "model": "gpt-4.1",
            "messages": [{"role": "user", "content": "Hello"}],
            "tools": list(tools) or [{"id": "search"}, {"id": "maps"}],
        }
    )


async def played(toolset: Toolset, tool: str, *tools: Mapping[str, object], stores: Stores | None = None) -> Answer:
    """An exchange in which the model calls ``tool`` once."""
    stores = stores or Stores(platform={**Stores().platform, **KEYS})
    async with ScriptedProvider() as provider, gateway(provider, stores, toolset=toolset) as keyway:
        provider.reply(Script(Call(tool, {"city": "Paris"}), tokens=TURN))
        provider.script(Say("Done."), tokens=TURN)
        answer: Answer = await (await keyway.open(request(*tools), CALLER, call())).whole()
    return answer


async def cancelled_at(toolset: Toolset, tool: str, reached: asyncio.Event) -> Lines:
    """An exchange that is cancelled when ``reached`` is set, while the model's one call of ``tool`` is under way."""
    stores = Stores(platform={**Stores().platform, **KEYS})
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, stores, toolset=toolset) as keyway:
            provider.reply(Script(Call(tool, {"city": "Paris"}), tokens=TURN))

            async def whole() -> None:
                await (await keyway.open(request(), CALLER, call())).whole()

            task = asyncio.ensure_future(whole())
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    return lines


def of_tool(lines: Lines, metric: str, tool: str) -> list[object]:
    return [line[metric][0] for line in lines.named(metric) if line.get("Tool") == tool]


async def test_a_hosted_run_that_is_cut_off_has_failed_for_want_of_time():
    toolset, reached = Toolset(), asyncio.Event()
    gate = ToolGate(say("never"))

    async def slow(job: Job) -> object:
        reached.set()
        return await gate(job)

    toolset.tools.answers["search"] = slow
    lines = await cancelled_at(toolset, "search", reached)
    assert [line["Reason"] for line in lines.named("Failed") if line["Tool"] == "search"] == ["timeout"]
    assert not of_tool(lines, "CostAbsorbed", "search")


async def test_who_is_cut_off_in_line_has_used_no_key():
    toolset, reached = Toolset(), asyncio.Event()

    class Queue(OpenLimiter):
        async def admit(self, _limited: Limited, *, within: float) -> Admission:
            assert within > 0
            reached.set()
            await asyncio.Event().wait()
            raise AssertionError

    toolset.limiter = Queue()
    lines = await cancelled_at(toolset, "maps", reached)
    assert not [line for line in lines.metrics if line.get("Tool") == "maps"]


async def test_what_was_paid_for_is_absorbed_though_its_usage_was_not_counted_any_more():
    toolset, reached = Toolset(), asyncio.Event()

    class Slow(OpenLimiter):
        async def use(self, _limited: Limited, _usage: Mapping[str, Decimal]) -> bool:
            reached.set()
            await asyncio.Event().wait()
            raise AssertionError

    toolset.limiter = Slow()
    toolset.tools.answers["maps"] = say({"tiles": [1, 2]})
    lines = await cancelled_at(toolset, "maps", reached)
    assert of_tool(lines, "CostAbsorbed", "maps") == [0.0002]
    assert not lines.named("CostCharged")


async def test_an_exchange_is_over_when_its_tools_have_cleaned_up():
    toolset, reached = Toolset(), asyncio.Event()
    cleaned = False

    async def untidy(_job: Job) -> None:
        nonlocal cleaned
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(50):
                await asyncio.sleep(0)
            cleaned = True

    toolset.tools.answers["search"] = untidy
    await cancelled_at(toolset, "search", reached)
    assert cleaned


async def test_a_failure_that_quotes_the_key_does_not_tell_it():
    toolset = Toolset()
    toolset.tools.answers["search"] = fails(f"who is {SEARCH_SECRET}?", status=400)
    with captured() as lines:
        answer = await played(toolset, "search")
    assert SEARCH_SECRET not in repr(answer) + lines.text
    assert "who is [redacted]?" in repr(answer.tool_calls[0])


async def test_another_key_that_fails_otherwise_is_not_throttled():
    toolset = Toolset()
    toolset.tools.answers["search"] = [BUSY, BUSY, BUSY, BUSY, fails("broken", status=500)]
    with captured() as lines:
        await played(toolset, "search")
    assert not lines.named("Throttled")
    assert [line["Reason"] for line in lines.named("Failed")] == ["other"]


async def test_without_another_key_the_last_try_is_on_the_same():
    """The secret cannot be read any more, say; that is no reason to give up before the last try."""

    class Once(Stores):
        reads = 0

        async def current(self) -> Mapping[str, str]:
            self.reads += 1
            if self.reads > 2:  # the model's key, and the tool's
                raise KeyStoreUnavailable("The platform's keys cannot be read.")
            return self.platform

    toolset = Toolset()
    toolset.tools.answers["search"] = [BUSY, BUSY, BUSY, BUSY, say("at last")]
    answer = await played(toolset, "search", stores=Once(platform={**Stores().platform, **KEYS}))
    assert {job.key.secret for job in toolset.tools.jobs if job.key} == {SEARCH_SECRET}
    run = answer.tool_calls[0]
    assert isinstance(run, ToolRun)
    assert run.result == "at last"


async def test_only_the_operators_tools_have_members_that_nobody_is_shown():
    toolset = Toolset()
    output = {"__debug": "of the service", "found": 1}
    toolset.tools.answers = {"weather": say(output), "mine": say(output)}
    mine = {"id": "mine", "executor": {"type": "http", "url": "https://api.example/"}}
    shown = []
    for tool in ("weather", "mine"):
        run = (await played(toolset, tool, {"id": "weather"}, mine)).tool_calls[0]
        assert isinstance(run, ToolRun)
        shown.append(run.result)
    assert shown == [{"found": 1}, output]


@pytest.mark.parametrize(
    ("waited", "reason", "told"), [(0.05, "actor_requests", 0), (0.05, "queue_position", 1), (0.2, "actor_requests", 1)]
)
async def test_a_short_wait_is_only_told_of_where_others_were_in_the_way(waited, reason, told):
    toolset = Toolset()
    toolset.limiter.admission = Admitted(waited=waited, reason=reason)
    with captured() as lines:
        await played(toolset, "maps")
    assert len(lines.named("QueueWaitDuration")) == told


async def test_a_wait_is_bounded_by_the_time_that_is_left():
    given: list[float] = []

    class Patient(OpenLimiter):
        async def admit(self, limited: Limited, *, within: float) -> Admission:
            given.append(within)
            return await super().admit(limited, within=within)

    toolset = Toolset()
    toolset.limiter = Patient()
    await played(toolset, "maps")
    assert 50 < given[0] < 57, "of the sixty seconds of the invocation, less the reserve"


async def test_the_time_of_tools_is_that_of_each_round_together():
    """From the start of its first call to the end of its last; what runs side by side is not counted twice."""
    clock = {"now": 1_700_000_000.0}
    toolset = Toolset(now=lambda: clock["now"])

    def taking(seconds: float):
        async def answer(_job: Job) -> object:
            for _ in range(20):  # so that both have begun
                await asyncio.sleep(0)
            clock["now"] += seconds
            return {}

        return answer

    toolset.tools.answers = {"search": taking(3), "maps": taking(5)}
    stores = Stores(platform={**Stores().platform, **KEYS})
    async with ScriptedProvider() as provider, gateway(provider, stores, toolset=toolset) as keyway:
        provider.reply(Script(Call("search", {}), Call("maps", {}), tokens=TURN))
        provider.script(Say("Done."), tokens=TURN)
        answer = await (await keyway.open(request(), CALLER, call())).whole()
    starts = [run.started for run in answer.tool_calls if isinstance(run, ToolRun)]
    ends = [run.ended for run in answer.tool_calls if isinstance(run, ToolRun)]
    assert answer.timing.tools_time == max(ends) - min(starts) == 8.0


@pytest.mark.parametrize("hosted", [True, False])
async def test_only_a_hosted_platform_has_a_pool_for_tools(hosted: bool):
    found = await resolver_of(Stores(platform=KEYS), hosted=hosted).resolve_tool(
        "search", key_prefix="SEARCH_API_KEY", byok_provider=None, caller=CALLER, callers_key=None
    )
    assert (found is not None) == hosted
