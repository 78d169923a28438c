"""``make bench``: what Keyway costs in CPU, beside what a bare httpx relay costs for the same bytes in the same run.

Only the serving process counts; client, provider and platform are other processes. Read the ratios: seconds are
those of this machine at this moment. Each number is the median of a few rounds in which everything has its turn.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx

from tests.bench.answers import ASKED, Rendered, calling, rendered, request
from tests.bench.imports import import_seconds
from tests.bench.provider import PacedProvider
from tests.bench.serving import BenchError, Serving, bare_relay, environment, handler

ROUNDS = 3
REQUESTS = 50
EVENTS = 250
BURST = 20
INTERPRETERS = 7


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is done ``times`` times in a round, and counts for ``per`` units each time."""

    name: str
    provider: str
    answer: Rendered
    stream: bool
    times: int
    per: float
    calling: bytes | None = None
    """The model's call of a tool, before its answer."""


def cases(provider: str) -> list[Case]:
    """What is measured of one provider's wire."""
    one_by_one = rendered(provider, events=EVENTS, at_once=1)
    bursts = rendered(provider, events=EVENTS * 4, at_once=BURST)
    size = f"{one_by_one.event_size} bytes each"
    return [
        Case("a request, not streamed", provider, one_by_one, stream=False, times=REQUESTS, per=1),
        Case(
            "a request with a tool (bare: three)",
            provider,
            one_by_one,
            stream=False,
            times=REQUESTS,
            per=1,
            calling=calling(provider),
        ),
        Case(f"1,000 events, {size}", provider, one_by_one, stream=True, times=1, per=EVENTS / 1000),
        Case(f"1,000 events, {BURST} at once", provider, bursts, stream=True, times=1, per=EVENTS * 4 / 1000),
    ]


async def measured(case: Case, serving: Serving, provider: PacedProvider) -> float:
    """CPU seconds per unit of one round."""
    provider.answer, provider.calling = case.answer, case.calling
    body = request(case.provider, stream=case.stream, tools=case.calling is not None)
    before = await serving.cpu()
    for _ in range(case.times):
        await serving.ask(body, provider.taken)
    used = await serving.cpu() - before
    return used / case.times / case.per


async def bench(say: Callable[[str], object]) -> None:
    """Measures everything and says it."""
    imports = import_seconds(["gateway.app", "httpx"], times=INTERPRETERS)
    say(f"{'CPU milliseconds of':44}{'bare httpx':>16}{'handler':>18}{'environment':>18}\n")
    say(_row("importing (bare: httpx)", imports["httpx"], imports["gateway.app"]))
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(PacedProvider())
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        servings = [
            await stack.enter_async_context(bare_relay(provider, http)),
            await stack.enter_async_context(handler(provider)),
            await stack.enter_async_context(environment(provider, http)),
        ]
        for name in ASKED:
            say(f"{name}\n")
            for case in cases(name):
                rounds = [[await measured(case, serving, provider) for serving in servings] for _ in range(ROUNDS + 1)]
                medians = [statistics.median(column) for column in zip(*rounds[1:], strict=True)]  # the first warms up
                say(_row(f"  {case.name}", *medians))


def _row(name: str, bare: float, *others: float) -> str:
    shown = "".join(f"{seconds * 1000:10.2f} {f'({seconds / bare:.2f}x)':>7}" for seconds in others)
    return f"{name:44}{bare * 1000:16.2f}{shown}\n"


def main() -> int:
    """Gives the exit code."""
    started = time.perf_counter()

    def say(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    try:
        asyncio.run(bench(say))
    except BenchError as error:
        sys.stderr.write(f"The benchmark failed: {error}\n")
        return 1
    say(f"{time.perf_counter() - started:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
