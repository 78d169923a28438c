"""Exchanges that end in the middle of a round of tools: tools are stopped, and everything is settled once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from infra.local.provider import Call, Gate, Say, Script, ScriptedProvider, Tokens, Wait
from keyway.answer import Answer, ToolRun
from keyway.chat import Caller, ChatRequest
from keyway.doors.native.stream import EventStream
from keyway.errors import DeadlineExceeded, KeywayError, TooManyToolRounds
from keyway.events import ToolCallEnded
from keyway.exchange import Batch, Exchange
from keyway.tools.executor import Job
from keyway.tools.loop import MAX_ROUNDS
from tests.exchange.clock import Clock, run
from tests.exchange.harness import MODELS, Lines, Stores, call, captured, gateway, leave
from tests.exchange.toolset import KEYS, ToolGate, Toolset, say

VENDORS = sorted(MODELS)
CALLER = Caller.model_validate({"workspaceId": "w", "userId": "u"})
TURN = Tokens(input=1_000, output=100)
COST = Decimal("0.005")
vendors = pytest.mark.parametrize("vendor", VENDORS)
either_way = pytest.mark.parametrize("stream", [True, False], ids=["stream", "document"])


def request(vendor: str, *, stream: bool = True) -> ChatRequest:
    return ChatRequest.model_validate(
        {
            "provider": vendor,
            "model": MODELS[vendor],
            "messages": [{"role": "user", "content": "Hello"}],
            "tools": [{"id": "search"}, {"id": "weather"}],
            "stream": stream,
        }
    )


def stores() -> Stores:
    return Stores(platform={**Stores().platform, **KEYS})


def round_of(*cities: str, slow: str | None = None) -> Script:
    """A turn that searches for each city, and asks for the weather of another."""
    calls = [Call("search", {"city": city}) for city in cities]
    return Script(Say("I look."), *calls, *([Call("weather", {"city": slow})] if slow else []), tokens=TURN)


def tools_of(lines: Lines, metric: str) -> list[Decimal]:
    return [Decimal(str(line[metric][0])) for line in lines.named(metric) if line["Tool"] == "search"]


async def read(exchange: Exchange, told: Batch) -> None:
    async for batch in exchange:
        told += batch


def assert_settled_once(lines: Lines, ending: str) -> None:
    assert [line["ending"] for line in lines.exchanges] == [ending]
    model = [line for line in lines.metrics if line["Tool"] not in ("search", "weather")]
    for metric in ("Used", "CostCharged", "Failed", "CostAbsorbed"):
        assert len([line for line in model if metric in line]) <= 1


@vendors
@either_way
async def test_a_cancelled_round_stops_its_tools_and_absorbs_what_was_spent(vendor: str, stream: bool):
    toolset = Toolset()
    slow = ToolGate(say("never"))
    toolset.tools.answers["weather"] = slow
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
            provider.reply(round_of("Paris", "Rome", slow="Oslo"))

            async def whole() -> Answer:
                exchange = await keyway.open(request(vendor, stream=stream), CALLER, call())
                answer: Answer = await exchange.whole()
                return answer

            task = asyncio.ensure_future(whole())
            await slow.reached()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert slow.cancelled == 1, "nothing runs on when the exchange is over"
            assert len(provider.requests) == 1
    assert_settled_once(lines, "cancelled")
    assert tools_of(lines, "CostAbsorbed") == [COST, COST]
    assert not lines.named("CostCharged")


@vendors
@either_way
def test_the_deadline_stops_a_round_and_says_so(vendor: str, stream: bool):
    toolset = Toolset()
    slow = ToolGate(say("never"))
    toolset.tools.answers["weather"] = slow

    async def main(clock: Clock) -> tuple[Batch, KeywayError]:
        told: Batch = []
        async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
            provider.reply(round_of("Paris", slow="Oslo"))
            exchange = await keyway.open(request(vendor, stream=stream), CALLER, call(60))
            reading = asyncio.ensure_future(read(exchange, told))
            await slow.reached()
            await clock.advance(60)
            with pytest.raises(DeadlineExceeded) as raised:
                await reading
            await exchange.aclose()
        return told, raised.value

    with captured() as lines:
        told, error = run(main)
    assert error.status == 504
    assert "tools" in error.message
    assert [(event.name, event.status) for event in told if isinstance(event, ToolCallEnded)] == [
        ("search", "success"),
        ("weather", "cancelled"),
    ]
    assert slow.cancelled == 1
    assert_settled_once(lines, "deadline")
    assert tools_of(lines, "CostAbsorbed") == [COST]
    assert not lines.named("CostCharged")


async def test_the_stream_tells_of_stopped_tools_and_then_of_the_error():
    toolset = Toolset()
    toolset.tools.answers["search"] = ToolGate(say("never"))
    async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
        provider.reply(round_of("Paris"))
        exchange = await keyway.open(request("openai"), CALLER, call(0.2))
        pieces = [piece async for piece in EventStream(exchange, "request-1")]
        await exchange.aclose()
    text = b"".join(pieces).decode()
    assert '"status": "cancelled"}\n\nevent: error\ndata: {"type": "DeadlineExceeded"' in text
    assert text.count("event: error") == 1


@vendors
async def test_who_leaves_during_a_round_pays_for_what_was_done_and_nothing_more_is_begun(vendor: str):
    toolset = Toolset()
    slow = ToolGate(say("never"))
    toolset.tools.answers["weather"] = slow
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
            provider.reply(round_of("Paris", slow="Oslo"))
            exchange = await keyway.open(request(vendor), CALLER, call())
            await leave(exchange, slow.reached())
            assert slow.cancelled == 1
            assert len(provider.requests) == 1, "nobody is there to read another turn"
    assert_settled_once(lines, "cancelled")
    assert tools_of(lines, "CostCharged") == [COST]
    assert lines.exchanges[0]["callerLeft"]
    assert Decimal(lines.exchanges[0]["cost"]) == lines.charged


@vendors
async def test_who_leaves_before_a_round_has_no_tool_run(vendor: str):
    toolset = Toolset()
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
            gate = Gate()
            provider.reply(Script(Say("I look."), Wait(gate), Call("search", {"city": "Paris"}), tokens=TURN))
            exchange = await keyway.open(request(vendor), CALLER, call())
            closing = asyncio.ensure_future(exchange.aclose())
            await gate.reached()
            gate.open()
            await closing
    assert toolset.tools.jobs == []
    assert_settled_once(lines, "cancelled")
    assert len(lines.named("CostCharged")) == 1, "the turn that was drained is charged"


@vendors
@either_way
async def test_a_model_that_never_stops_calling_is_stopped(vendor: str, stream: bool):
    toolset = Toolset()
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
            for _ in range(MAX_ROUNDS + 1):
                provider.reply(round_of("Paris"))
            exchange = await keyway.open(request(vendor, stream=stream), CALLER, call())
            told: Batch = []
            with pytest.raises(TooManyToolRounds) as raised:
                await read(exchange, told)
            assert len(provider.requests) == MAX_ROUNDS + 1
    assert raised.value.status == 422
    ended = [event.status for event in told if isinstance(event, ToolCallEnded)]
    assert ended == ["success"] * MAX_ROUNDS + ["cancelled"], "every call that was shown to begin is shown to end"
    assert len(toolset.tools.jobs) == MAX_ROUNDS == 20
    assert_settled_once(lines, "failed")
    assert tools_of(lines, "CostAbsorbed") == [COST] * MAX_ROUNDS


async def test_twenty_rounds_are_allowed():
    async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=Toolset()) as keyway:
        for _ in range(MAX_ROUNDS):
            provider.reply(round_of("Paris"))
        provider.script(Say("Enough."), tokens=TURN)
        answer = await (await keyway.open(request("openai"), CALLER, call())).whole()
    assert answer.content == "Enough."
    assert len([each for each in answer.timing.segments if each.type == "model"]) == MAX_ROUNDS + 1


@vendors
@either_way
async def test_a_turn_cut_short_is_never_acted_upon(vendor: str, stream: bool):
    """Half-written arguments may be anything."""
    toolset = Toolset()
    async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
        provider.reply(Script(Call("search", '{"city": "Par'), ending="length", tokens=TURN))
        answer = await (await keyway.open(request(vendor, stream=stream), CALLER, call())).whole()
    assert answer.finish_reason == "length"
    assert toolset.tools.jobs == []


async def test_the_calls_of_a_round_run_side_by_side_and_their_results_keep_the_order_of_the_calls() -> None:
    gates: dict[object, ToolGate] = {
        city: ToolGate(lambda job: job.arguments["city"]) for city in ("Paris", "Rome", "Oslo")
    }
    toolset = Toolset()

    async def by_city(job: Job) -> object:
        return await gates[job.arguments["city"]](job)

    toolset.tools.answers["search"] = by_city
    ends: asyncio.Queue[str] = asyncio.Queue()
    ended: list[str] = []
    async with ScriptedProvider() as provider, gateway(provider, stores(), toolset=toolset) as keyway:
        provider.reply(round_of(*map(str, gates)))
        provider.script(Say("Done."), tokens=TURN)
        exchange = await keyway.open(request("openai"), CALLER, call())

        async def read() -> Answer:
            last: Any = None
            async for batch in exchange:
                last = batch[-1]
                for event in batch:
                    if isinstance(event, ToolCallEnded):
                        ends.put_nowait(event.id)
            assert isinstance(last, Answer)
            return last

        reading = asyncio.ensure_future(read())
        for gate in gates.values():
            await gate.reached()  # all of them, before any has ended
        for city in ("Oslo", "Paris", "Rome"):
            gates[city].open()
            ended.append(await ends.get())
        answer = await reading
    calls = [run.call.id for run in answer.tool_calls if isinstance(run, ToolRun)]
    assert ended == [calls[2], calls[0], calls[1]], "each is told of when it ends"
    results = [said.content for said in answer.messages if said.role == "tool"]
    assert results == ['"Paris"', '"Rome"', '"Oslo"']
