"""The laws of money, over random exchanges with random faults: Keyway's rules as invariants.

Every example is a real request over a real socket to a provider that does one random thing, read by a caller who
does another. Whatever the two do, the exchange is settled once and the lines add up.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.provider import (
    Break,
    Call,
    Cut,
    Gate,
    HangUp,
    Refusal,
    Reply,
    Say,
    Script,
    ScriptedProvider,
    Think,
    Verbatim,
    Wait,
)
from infra.local.provider import Tokens as Reported
from keyway.answer import Answer
from keyway.billing.cost import model_cost
from keyway.catalog import Catalog
from keyway.chat import Caller, ChatRequest
from keyway.errors import KeywayError
from keyway.events import Usage
from tests.exchange.harness import (
    CALLERS_SECRET,
    MODELS,
    SECRETS,
    WORKSPACE_SECRET,
    Lines,
    Stores,
    call,
    captured,
    gateway,
)

pieces = st.sampled_from([Say("Hel"), Say("lo"), Think("hm"), Call("look", {"at": 1}), Say(" \N{SNOWMAN}")])
tokens = st.builds(
    lambda fresh, read, written, output, thought: Reported(
        input=fresh + read + written,
        output=output + thought,
        cache_read=read,
        cache_write=written,
        reasoning=thought,
    ),
    *[st.integers(0, 300_000)] * 5,
)
nonsense = st.sampled_from(
    [
        Reported(input=10, output=5, cache_read=11),
        Reported(input=-1, output=1),
        Reported(input=1, output=2, reasoning=3),
    ]
)
endings = st.sampled_from(
    [
        None,
        Cut(),
        HangUp(),
        Break("overloaded_error", "busy"),
        Break("rate_limit_error", "slow down"),
        Break("server_error", f"no good: {SECRETS[0]}"),
        Wait(Gate()),  # never opened: the deadline ends it
    ]
)
refusals = st.builds(
    lambda status, text: Refusal(status, "some_error", text),
    st.sampled_from([400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 529]),
    st.sampled_from(["no", "over your quota", f"bad key {SECRETS[0]}"]),
) | st.builds(Verbatim, st.sampled_from([200, 502]), st.sampled_from([b"", b"<html>gone</html>", b"{}", b"[1"]))


@dataclass(frozen=True)
class Example:
    provider: str
    reply: Reply
    streamed: bool
    origin: str
    leaves_after: int | None
    cancelled_after: int | None
    multiplier: str

    @property
    def hangs(self) -> bool:
        return isinstance(self.reply, Script) and any(isinstance(step, Wait) for step in self.reply.steps)


@st.composite
def examples(draw) -> Example:
    script = st.builds(
        lambda steps, end, counts, report: Script(*steps, *([end] if end else []), tokens=counts, report_tokens=report),
        st.lists(pieces, max_size=4),
        endings,
        tokens | tokens | nonsense,
        st.booleans() | st.just(True),
    )
    reply = draw(script | script | refusals)
    leaver = draw(st.sampled_from(["stays", "stays", "leaves", "is cut off"]))
    return Example(
        provider=draw(st.sampled_from(sorted(MODELS))),
        reply=reply,
        streamed=draw(st.booleans()),
        origin=draw(st.sampled_from(["hosted", "hosted", "hosted", "byok", "caller"])),
        leaves_after=draw(st.integers(0, 3)) if leaver == "leaves" else None,
        cancelled_after=draw(st.integers(0, 3)) if leaver == "is cut off" else None,
        multiplier=draw(st.sampled_from(["1", "1.1", "0", "2.5"])),
    )


async def run(example: Example) -> tuple[Answer | None, BaseException | None, list[str]]:
    """Plays ``example``; returns the answer or the error, and every text the caller could see."""
    stores = Stores()
    if example.origin == "byok":
        stores.workspace = {("w", example.provider): WORKSPACE_SECRET}
    caller = {"workspaceId": "w", "userId": "u"}
    if example.origin == "caller":
        caller["apiKey"] = CALLERS_SECRET
    request = ChatRequest.model_validate(
        {
            "provider": example.provider,
            "model": MODELS[example.provider],
            "messages": [{"role": "user", "content": "Hello"}],
            "tools": [{"id": "look", "parameters": {"type": "object", "properties": {"at": {"type": "integer"}}}}],
            "stream": example.streamed,
        }
    )
    seen: list[str] = []
    answer: Answer | None = None
    async with ScriptedProvider() as provider, gateway(provider, stores, multiplier=example.multiplier) as keyway:
        provider.reply(example.reply)
        seconds = 0.15 if example.hangs else 60.0
        exchange = None
        try:
            exchange = await keyway.open(request, Caller.model_validate(caller), call(seconds))
            if example.cancelled_after is not None:
                reader = asyncio.ensure_future(_read(exchange, example.cancelled_after, seen))
                await asyncio.sleep(0)
                reader.cancel()
                await reader
            answer = await _read(exchange, example.leaves_after, seen)
        except (KeywayError, asyncio.CancelledError) as error:
            seen.append(str(error))
            return answer, error, seen
        finally:
            if exchange is not None:
                await exchange.aclose()
    return answer, None, seen


async def _read(exchange, stop_after, seen) -> Answer | None:
    count = 0
    async for batch in exchange:
        seen.append(repr(batch))
        if batch and isinstance(batch[-1], Answer):
            return batch[-1]
        count += 1
        if stop_after is not None and count > stop_after:
            return None
    return None


def assert_lawful(example: Example, answer: Answer | None, error: BaseException | None, lines: Lines) -> None:
    ended = lines.exchanges
    assert len(ended) == 1, "one exchange, one settlement, one log line"
    used, charged, failed, absorbed = map(lines.named, ("Used", "CostCharged", "Failed", "CostAbsorbed"))
    if example.origin != "hosted":
        assert not lines.metrics, "only exchanges on a hosted key emit metrics"
        assert answer is None or answer.cost.total == 0
        return
    assert max(map(len, (used, charged, failed, absorbed))) <= 1
    assert not (charged and failed), "never both"
    assert not (charged and absorbed)
    for line in charged + absorbed:
        assert sum(line.get("CostCharged", []) + line.get("CostAbsorbed", [])) > 0
    if answer is not None:
        assert used
        assert answer.key is not None
        assert lines.charged == answer.cost.total, "conservation, to the last digit"
        if answer.usage is None or answer.usage.input < answer.usage.cache_read or answer.usage.input < 0:
            assert failed[0]["Reason"] == "metering"
            assert answer.cost.total == 0
    if isinstance(error, KeywayError):
        assert failed
        assert not charged, "a failed stream charges nothing"
    if ended[0]["ending"] in ("completed", "cancelled") and not failed:
        assert used


@settings(max_examples=150)
@given(examples())
def test_every_exchange_is_settled_once_and_adds_up(example):
    with captured() as lines:
        answer, error, seen = asyncio.run(run(example))
    assert_lawful(example, answer, error, lines)
    for text in (lines.text, *seen):
        assert not [secret for secret in SECRETS if secret in text], "no secret in any output"


@settings(max_examples=50)
@given(tokens, st.sampled_from(sorted(MODELS)), st.sampled_from(["1", "1.1", "0.333"]), st.booleans())
def test_streamed_and_unstreamed_cost_the_same_and_what_the_price_list_says(counts, provider, multiplier, streamed):
    example = Example(provider, Script(Say("Hi"), tokens=counts), streamed, "hosted", None, None, multiplier)
    with captured() as lines:
        answer, error, _seen = asyncio.run(run(example))
    assert error is None
    assert answer is not None
    catalog = Catalog.load()
    price = catalog.price(catalog.model(catalog.provider(provider), MODELS[provider]))
    assert price is not None
    assert answer.usage is not None
    # OpenAI's Responses report no cache writes in this script's protocol; price what the answer says was used.
    expected = model_cost(answer.usage, price, multiplier=Decimal(multiplier))
    assert answer.cost == expected
    assert lines.charged == expected.total
    assert answer.usage.input == counts.input
    assert answer.usage.output == counts.output


@pytest.mark.parametrize("provider", sorted(MODELS))
def test_a_caller_who_leaves_is_charged_for_what_the_provider_reported(provider):
    counts = Reported(input=1_000, output=500)
    example = Example(provider, Script(Say("Hel"), Say("lo"), tokens=counts), True, "hosted", 0, None, "1")
    with captured() as lines:
        answer, error, _seen = asyncio.run(run(example))
    assert (answer, error) == (None, None)
    catalog = Catalog.load()
    price = catalog.price(catalog.model(catalog.provider(provider), MODELS[provider]))
    assert price is not None
    assert lines.charged == model_cost(Usage(input=1_000, output=500), price, multiplier=Decimal(1)).total
    assert lines.exchanges[0]["ending"] == "cancelled"
    assert not lines.named("Failed")
