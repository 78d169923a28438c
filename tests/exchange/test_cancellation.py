"""Exchanges that are cancelled, closed and left at every point there is: settled once, and nothing stays open."""

from __future__ import annotations

import asyncio
import itertools
import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, TypeVar

import pytest

from infra.local.provider import Gate, Refusal, Reply, Say, Script, ScriptedProvider, Start, Think, Tokens, Wait
from keyway.answer import Answer
from keyway.chat import Caller, ChatRequest
from keyway.errors import KeywayError
from keyway.exchange import Exchange
from tests.exchange.harness import HOSTED_SECRET, MODELS, Lines, Stores, call, captured, gateway

_T = TypeVar("_T")

VENDORS = sorted(MODELS)
CALLER = Caller.model_validate({"workspaceId": "w", "userId": "u"})
COUNTS = Tokens(input=1_000, output=500)


def request(provider: str = "openai", *, stream: bool = True) -> ChatRequest:
    message = {"role": "user", "content": "Hello"}
    return ChatRequest.model_validate(
        {"provider": provider, "model": MODELS[provider], "messages": [message], "stream": stream}
    )


def assert_settled_once(lines: Lines, *endings: str) -> None:
    assert len(lines.exchanges) == 1, "one exchange, one line"
    assert lines.exchanges[0]["ending"] in endings
    used, charged, failed, absorbed = map(lines.named, ("Used", "CostCharged", "Failed", "CostAbsorbed"))
    assert max(map(len, (used, charged, failed, absorbed))) <= 1
    assert not (charged and failed)
    assert not (charged and absorbed)
    assert HOSTED_SECRET not in lines.text


async def idle() -> None:
    """Everybody who can go on does."""
    for _ in range(20):
        await asyncio.sleep(0)


@types.coroutine
def cancelled_at(coroutine: Coroutine[Any, Any, _T], point: int) -> Generator[Any, Any, _T]:
    """Runs ``coroutine`` and cancels the task it runs in when it waits for the ``point``-th time."""
    raised: BaseException | None = None
    sent: Any = None
    for wait in itertools.count(1):
        try:
            waiting = coroutine.throw(raised) if raised else coroutine.send(sent)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        raised = None
        if wait == point:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        try:
            sent = yield waiting
        except BaseException as error:  # noqa: BLE001 - it is the coroutine's, whatever it is
            raised = error
    raise AssertionError


STORIES: dict[str, Reply] = {
    "an answer": Script(Say("Hel"), Think("hm"), Say("lo"), tokens=COUNTS),
    "a status, then an answer": Script(Start(), Say("Hello"), tokens=COUNTS),
    "a refusal": Refusal(429, "rate_limit_error", "slow down"),
}


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("story", STORIES)
def test_cancelled_at_any_wait_it_is_settled_once(vendor, stream, story):
    async def run(point: int) -> bool:
        """Whether the exchange was over before it came to wait so often."""
        exchanges: list[Exchange] = []

        async def whole() -> None:
            exchange = await keyway.open(request(vendor, stream=stream), CALLER, call())
            exchanges.append(exchange)
            try:
                async for _ in exchange:
                    pass
            finally:
                await exchange.aclose()

        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            for _ in range(3):
                provider.reply(STORIES[story])
            task = asyncio.ensure_future(_awaiting(cancelled_at(whole(), point)))
            (ended,) = await asyncio.gather(task, return_exceptions=True)
            for exchange in exchanges:
                await exchange.aclose()
                assert [batch async for batch in exchange] == []
            await asyncio.gather(*(received.ended() for received in provider.requests))
            await idle()  # connections that were begun and given up are seen by the server
        assert isinstance(ended, asyncio.CancelledError | KeywayError | None), ended
        return not isinstance(ended, asyncio.CancelledError)

    for point in itertools.count(1):
        with captured() as lines:
            over = asyncio.run(run(point))
        if over:
            break
        # What came last may have come before the cancellation: then it stands.
        assert_settled_once(lines, "cancelled", "completed", "failed")
        if lines.exchanges[0]["ending"] == "cancelled":
            assert [line["Reason"] for line in lines.named("Failed")] == ["timeout"]
    assert point > 3, "there were points to cancel at"


async def _awaiting(awaitable: Awaitable[_T]) -> _T:
    return await awaitable


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("where", ["before the status", "before the first frame", "between two deltas"])
async def test_a_cancelled_exchange_hangs_up_on_its_provider(vendor, where):
    gate = Gate()
    steps = {
        "before the status": (Wait(gate), Say("Hel")),
        "before the first frame": (Start(), Wait(gate)),
        "between two deltas": (Say("Hel"), Wait(gate), Say("lo")),
    }[where]
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(*steps, tokens=COUNTS)

            async def whole() -> Answer:
                answer: Answer = await (await keyway.open(request(vendor), CALLER, call())).whole()
                return answer

            task = asyncio.ensure_future(whole())
            await gate.reached()
            await idle()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await provider.requests[0].ended() == "abandoned"
    assert_settled_once(lines, "cancelled")
    assert [line["Reason"] for line in lines.named("Failed")] == ["timeout"]
    if where == "before the status":
        assert not lines.named("Used")


async def test_a_second_cancellation_during_the_first_changes_nothing():
    gate = Gate()
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(Say("Hel"), Wait(gate), Say("lo"), tokens=COUNTS)
            exchange = await keyway.open(request(), CALLER, call())
            task = asyncio.ensure_future(exchange.whole())
            await gate.reached()
            await idle()
            for _ in range(3):
                task.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await task
            await exchange.aclose()
            assert await provider.requests[0].ended() == "abandoned"
    assert_settled_once(lines, "cancelled")


async def test_cancelled_while_a_key_is_looked_for_nothing_is_sent_and_a_line_says_so():
    asked = asyncio.Event()

    class Slow(Stores):
        async def key(self, _workspace_id: str, _provider: str) -> str | None:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, Slow()) as keyway:
            task = asyncio.ensure_future(keyway.open(request(), CALLER, call()))
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert provider.requests == []
    assert [line["ending"] for line in lines.exchanges] == ["refused"]
    assert not lines.metrics


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_caller_who_never_reads_is_charged_for_what_the_provider_reported(vendor, times):
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(Say("Hel"), Say("lo"), tokens=COUNTS)
            exchange = await keyway.open(request(vendor), CALLER, call())
            for _ in range(times):
                await exchange.aclose()
            assert await provider.requests[0].ended() == "answered"
    assert_settled_once(lines, "cancelled")
    assert lines.charged > 0
    assert lines.exchanges[0]["callerLeft"] is True


async def test_a_caller_who_never_reads_a_document_has_had_it_all():
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(Say("Hello"), tokens=COUNTS)
            exchange = await keyway.open(request(stream=False), CALLER, call())
            await exchange.aclose()
            await exchange.aclose()
    assert_settled_once(lines, "completed")
    assert lines.charged > 0
    assert lines.exchanges[0]["callerLeft"] is False


async def test_closing_twice_at_once_drains_once():
    gate = Gate()
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(Say("Hel"), Wait(gate), Say("lo"), tokens=COUNTS)
            exchange = await keyway.open(request(), CALLER, call())
            closing = [asyncio.ensure_future(exchange.aclose()) for _ in range(3)]
            await gate.reached()
            await idle()
            gate.open()
            await asyncio.gather(*closing)
            assert await provider.requests[0].ended() == "answered"
    assert_settled_once(lines, "cancelled")
    assert lines.charged > 0


@pytest.mark.parametrize("vendor", VENDORS)
async def test_closing_under_a_readers_hands_neither_breaks_nor_settles_twice(vendor):
    gate = Gate()
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(Say("Hel"), Wait(gate), Say("lo"), tokens=COUNTS)
            exchange = await keyway.open(request(vendor), CALLER, call())

            async def read() -> int:
                return len([batch async for batch in exchange])

            reading = asyncio.ensure_future(read())
            await gate.reached()
            await idle()
            closing = asyncio.ensure_future(exchange.aclose())
            await asyncio.sleep(0)
            gate.open()
            await asyncio.gather(reading, closing)
    assert_settled_once(lines, "cancelled")
    assert lines.charged > 0


async def test_closing_that_is_cancelled_while_it_drains_is_settled_all_the_same():
    gate = Gate()
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(Say("Hel"), Wait(gate), Say("lo"), tokens=COUNTS)
            exchange = await keyway.open(request(), CALLER, call())
            closing = asyncio.ensure_future(exchange.aclose())
            await gate.reached()
            await idle()
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            await exchange.aclose()
            assert await provider.requests[0].ended() == "abandoned"
    assert_settled_once(lines, "cancelled")
    assert [line["Reason"] for line in lines.named("Failed")] == ["timeout"]
