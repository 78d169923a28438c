"""The deadline: the provider is stopped a reserve before the invocation is cut off, the caller is told, it is settled.

Time passes by moving the loop's clock. An invocation of a minute stops its provider after 57 seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from infra.local.provider import Gate, Refusal, Say, Script, ScriptedProvider, Start, Tokens, Wait
from keyway.answer import Answer
from keyway.chat import Caller, ChatRequest
from keyway.deadline import Deadline
from keyway.errors import DeadlineExceeded
from keyway.events import TextDelta
from tests.exchange.clock import Clock, run
from tests.exchange.harness import HOSTED_SECRET, MODELS, Lines, Stores, call, captured, gateway

VENDORS = sorted(MODELS)
CALLER = Caller.model_validate({"workspaceId": "w", "userId": "u"})


def request(provider: str = "openai", *, stream: bool = True) -> ChatRequest:
    message = {"role": "user", "content": "Hello"}
    return ChatRequest.model_validate(
        {"provider": provider, "model": MODELS[provider], "messages": [message], "stream": stream}
    )


def assert_timed_out(lines: Lines, *, used: int) -> None:
    (ended,) = lines.exchanges
    assert (ended["ending"], ended["reason"], ended["error"]) == ("deadline", "timeout", "DeadlineExceeded")
    assert [line["Reason"] for line in lines.named("Failed")] == ["timeout"]
    assert len(lines.named("Used")) == used
    assert not lines.named("CostCharged")
    assert HOSTED_SECRET not in lines.text


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("seconds", "stopped_after"), [(60.0, 57.0), (900.0, 897.0), (10.0, 8.0), (1.5, 1.2)])
def test_before_the_first_byte_the_provider_is_stopped_at_the_reserve(stream, seconds, stopped_after):
    async def story(clock: Clock) -> None:
        gate = Gate()
        clock.stand_still()
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(Wait(gate), Say("too late"))
            opening = asyncio.ensure_future(keyway.open(request(stream=stream), CALLER, call(seconds)))
            await gate.reached()
            await clock.advance(stopped_after - 1)
            assert not opening.done(), "there is time left"
            await clock.advance(1)
            with pytest.raises(DeadlineExceeded) as exceeded:
                await opening
            assert await provider.requests[0].ended() == "abandoned"
        assert (exceeded.value.status, exceeded.value.retryable, exceeded.value.provider) == (504, True, "openai")
        assert str(exceeded.value) == "openai had not finished when the time for this request ran out."

    with captured() as lines:
        run(story)
    assert_timed_out(lines, used=0)


@pytest.mark.parametrize("vendor", VENDORS)
def test_after_the_first_byte_the_stream_breaks_off(vendor):
    async def story(clock: Clock) -> None:
        gate = Gate()
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.reply(Script(Say("Hel"), Wait(gate), Say("lo"), tokens=Tokens(input=1_000, output=500)))
            exchange = await keyway.open(request(vendor), CALLER, call(60))
            texts: list[str] = []
            reading = asyncio.ensure_future(anext(exchange))
            while not texts:
                texts += [event.text for event in await reading if isinstance(event, TextDelta)]
                reading = asyncio.ensure_future(anext(exchange))
            await gate.reached()
            await clock.advance(57)
            with pytest.raises(DeadlineExceeded):
                await reading
            assert texts == ["Hel"]
            assert await provider.requests[0].ended() == "abandoned"
            with pytest.raises(StopAsyncIteration):
                await anext(exchange)
            await exchange.aclose()

    with captured() as lines:
        run(story)
    assert_timed_out(lines, used=1)
    # Anthropic tells the input's size at once, so what that has cost is known; OpenAI tells at the end.
    assert len(lines.named("CostAbsorbed")) == (vendor == "anthropic")


def test_a_status_without_a_frame_is_not_yet_an_answer():
    async def story(clock: Clock) -> None:
        gate = Gate()
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.reply(Script(Start(), Wait(gate)))
            exchange = await keyway.open(request("anthropic"), CALLER, call(60))
            await gate.reached()
            await clock.advance(57)
            with pytest.raises(DeadlineExceeded):
                await exchange.whole()

    with captured() as lines:
        run(story)
    assert_timed_out(lines, used=1)


def test_a_caller_who_reads_too_slowly_is_told_with_the_next_read():
    async def story(clock: Clock) -> None:
        gate = Gate()
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(Say("Hel"), Wait(gate), Say("lo"))
            exchange = await keyway.open(request(), CALLER, call(60))
            await clock.advance(57)
            with pytest.raises(DeadlineExceeded):
                async for _ in exchange:
                    pass
            await exchange.aclose()

    with captured() as lines:
        run(story)
    assert_timed_out(lines, used=1)


def test_a_caller_who_left_is_drained_no_longer_than_that():
    async def story(clock: Clock) -> None:
        gate = Gate()
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(Say("Hel"), Wait(gate), Say("lo"))
            exchange = await keyway.open(request(), CALLER, call(60))
            leaving = asyncio.ensure_future(exchange.aclose())
            await gate.reached()
            await clock.advance(57)
            await leaving
            assert await provider.requests[0].ended() == "abandoned"

    with captured() as lines:
        run(story)
    assert_timed_out(lines, used=1)
    assert lines.exchanges[0]["callerLeft"] is True


def test_an_invocation_whose_time_is_up_sends_nothing():
    async def story(clock: Clock) -> None:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            with pytest.raises(DeadlineExceeded):
                await keyway.open(request(), CALLER, call(-1))
            await clock.advance(0)  # a connection that was begun is seen, and seen to be given up
            assert provider.requests == []

    with captured() as lines:
        run(story)
    assert len(lines.exchanges) == 1


class Slow(Stores):
    """A store of workspace keys that does not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def key(self, _workspace_id: str, _provider: str) -> str | None:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def current(self) -> Mapping[str, str]:
        raise AssertionError("the order ends where it cannot go on")


def test_a_key_store_that_does_not_answer_has_the_same_deadline():
    async def story(clock: Clock) -> None:
        slow = Slow()
        clock.stand_still()
        async with ScriptedProvider() as provider, gateway(provider, slow) as keyway:
            opening = asyncio.ensure_future(keyway.open(request(), CALLER, call(60)))
            await slow.asked.wait()
            await clock.advance(56)
            assert not opening.done()
            await clock.advance(1)
            with pytest.raises(DeadlineExceeded, match=r"^The time ran out before a key was found"):
                await opening
            assert provider.requests == []

    with captured() as lines:
        run(story)
    assert [line["ending"] for line in lines.exchanges] == ["refused"]
    assert not lines.metrics


def test_tries_after_the_first_have_no_deadline_of_their_own():
    async def story(clock: Clock) -> None:
        gate = Gate()
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.reply(Refusal(503, "server_error", "busy"))
            provider.reply(Refusal(503, "server_error", "busy"))
            provider.script(Wait(gate), Say("late"))
            opening = asyncio.ensure_future(keyway.open(request(), CALLER, call(60)))
            await gate.reached()
            await clock.advance(57)
            with pytest.raises(DeadlineExceeded):
                await opening
            assert len(provider.requests) == 3

    with captured() as lines:
        run(story)
    assert_timed_out(lines, used=0)


def test_an_answer_that_came_in_time_stays_an_answer():
    async def story(clock: Clock) -> str:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.reply(Script(Say("Hello"), tokens=Tokens(input=10, output=5)))
            exchange = await keyway.open(request(), CALLER, call(60))
            answer: Answer = await exchange.whole()
            await clock.advance(1_000)
            await exchange.aclose()
            return answer.content

    with captured() as lines:
        assert run(story) == "Hello"
    assert [line["ending"] for line in lines.exchanges] == ["completed"]
    assert not lines.named("Failed")


def test_one_timer_serves_many_waits_and_interrupts_only_a_wait():
    async def story(clock: Clock) -> None:
        deadline = Deadline(clock.time() + 10, "acme")
        for _ in range(3):
            with deadline:
                await asyncio.sleep(0)
        await clock.advance(11)
        await asyncio.sleep(0)  # nobody waits for the provider, so nothing is interrupted
        with pytest.raises(DeadlineExceeded), deadline:
            raise AssertionError("no wait begins after the deadline")

    run(story)


def test_a_cancellation_from_outside_stays_one_even_at_the_deadline():
    async def story(clock: Clock) -> None:
        async def waits() -> None:
            with Deadline(clock.time() + 10, "acme"):
                await asyncio.Event().wait()

        only_cancelled = asyncio.ensure_future(waits())
        both = asyncio.ensure_future(waits())
        await asyncio.sleep(0)
        only_cancelled.cancel()
        clock.ahead += 11
        both.cancel()
        for task in (only_cancelled, both):
            with pytest.raises(asyncio.CancelledError):
                await task

    run(story)


def test_an_error_of_the_wait_itself_is_passed_on():
    async def story(clock: Clock) -> None:
        deadline = Deadline(clock.time() + 10, "acme")
        with pytest.raises(ValueError, match="mine"), deadline:
            raise ValueError("mine")
        deadline.close()
        await clock.advance(11)
        with deadline:
            await asyncio.sleep(0)

    run(story)


def test_a_task_that_was_stopped_by_the_deadline_can_go_on_waiting():
    async def story(clock: Clock) -> None:
        deadline = Deadline(clock.time() + 10, "acme")

        async def waits() -> int:
            with pytest.raises(DeadlineExceeded), deadline:
                await asyncio.Event().wait()
            await asyncio.sleep(0)
            async with asyncio.timeout(5):
                await asyncio.sleep(0)
            task = asyncio.current_task()
            assert task is not None
            return task.cancelling()

        waiting = asyncio.ensure_future(waits())
        await asyncio.sleep(0)
        await clock.advance(11)
        assert await waiting == 0

    run(story)
