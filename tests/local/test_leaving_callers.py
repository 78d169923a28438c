"""A caller who leaves: the provider is drained to its usage, the exchange settled once, the next caller served."""

from __future__ import annotations

import pytest

from infra.local.caller import Caller
from infra.local.provider import Gate, Say, ScriptedProvider, Tokens, Wait
from infra.local.system import LocalSystem
from tests.local.asking import both_vendors, question, streamed

pytestmark = pytest.mark.asyncio(loop_scope="module")


@both_vendors
async def test_a_stream_without_its_caller_is_drained_and_charged_once(
    system: LocalSystem, provider: ScriptedProvider, vendor: str
) -> None:
    gate = Gate()
    provider.script(Say("Hello"), Wait(gate), Say(" out there"), tokens=Tokens(1000, 100))
    async with Caller(system.url, system.function.invoke_url) as leaving:
        async for event in leaving.stream(question(vendor, userId=f"leaving-{vendor}")):
            if event.name == "text_delta":
                break
    gate.open()
    assert await provider.requests[0].ended() == "answered"
    request_id = await exchange_of(system, f"leaving-{vendor}")
    written = await system.lines.about(request_id)
    assert not written.named("Failed")
    assert len(written.named("Used")) == 1
    assert len(written.named("CostCharged")) == 1


async def test_the_next_caller_is_served(provider: ScriptedProvider, caller: Caller) -> None:
    provider.script(Say("Welcome"))
    assert (await streamed(caller, question("openai"))).last["content"] == "Welcome"


async def exchange_of(system: LocalSystem, user: str) -> str:
    """The id of the settled exchange of ``user``, whose caller never saw it."""
    log = await system.lines.settled(lambda exchange: exchange.get("userId") == user)
    return str(log["requestId"])
