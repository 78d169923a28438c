"""Thirty-two streams at once in one environment: each arrives as it is produced, and each is settled as its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from infra.local.caller import Caller
from infra.local.provider import Break, Gate, Say, ScriptedProvider, Tokens, Wait
from infra.local.system import LocalSystem
from tests.local.asking import MODELS, Streamed, assert_charged_once, question, total

pytestmark = pytest.mark.asyncio(loop_scope="module")

STREAMS = 32


@pytest.fixture(scope="module")
def options() -> Mapping[str, Any]:
    return {"concurrency": STREAMS}


async def test_every_one_of_many_streams_has_its_first_text_before_any_second_is_sent(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller
) -> None:
    assert len(system.function.pids) == 1
    gate = Gate()
    heard = 0
    vendors = list(MODELS)

    async def one(number: int) -> Streamed:
        nonlocal heard
        vendor, name = vendors[number % len(vendors)], f"caller number {number:02}."
        provider.script(
            Say(f"first for {name}"), Wait(gate), Say(f" second for {name}"), asked=name, tokens=tokens(number)
        )
        stream = Streamed()
        body = question(vendor, name, userId=f"user-{number}", workspaceId=f"ws-{number}")
        async for event in caller.stream(body):
            stream.events.append(event)
            if event.name == "text_delta" and len(stream.texts) == 1:
                heard += 1
                if heard == STREAMS:
                    gate.open()  # the last of the first texts is here; not one second text has been sent
        return stream

    streams = await asyncio.gather(*map(one, range(STREAMS)))
    for number, stream in enumerate(streams):
        name = f"caller number {number:02}."
        answer = stream.last
        assert answer["content"] == f"first for {name} second for {name}"
        assert answer["tokens"]["input"] == tokens(number).input
        assert total(answer) == price(vendors[number % len(vendors)], tokens(number))
        written = await system.lines.about(answer["requestId"])
        assert_charged_once(answer, written)
        for metric in written.metrics:
            assert metric.dimensions["Provider"] == vendors[number % len(vendors)]
            assert metric.properties["userId"] == f"user-{number}"
            assert metric.properties["workspaceId"] == f"ws-{number}"


async def test_a_stream_that_breaks_leaves_the_others_alone(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller
) -> None:
    gate = Gate()

    async def healthy() -> Streamed:
        provider.script(Say("steady"), Wait(gate), Say(" on"), asked="the healthy one")
        return Streamed([event async for event in caller.stream(question("openai", "the healthy one"))])

    going_on = asyncio.create_task(healthy())
    await gate.reached()
    for number in range(5):
        provider.script(Say("oh"), Break("server_error", "boom"), asked=f"broken {number}")
        broken = Streamed([event async for event in caller.stream(question("openai", f"broken {number}"))])
        assert broken.names[-1] == "error"
    gate.open()
    stream = await going_on
    assert stream.texts == ["steady", " on"]
    assert_charged_once(stream.last, await system.lines.about(stream.last["requestId"]))


def tokens(number: int) -> Tokens:
    return Tokens(input=1000 + number, output=100 + 3 * number)


def price(vendor: str, used: Tokens) -> Decimal:
    """The list price in USD: 2 and 8 a million tokens, or 3 and 15."""
    rates = {"openai": (2, 8), "anthropic": (3, 15)}[vendor]
    return Decimal(used.input * rates[0] + used.output * rates[1]) / 1_000_000
