"""The operator's tools of these tests, and what runs them: answers in memory, given when and as a test says.

Everything on our side of an executor is the product's own: the toolbox, the loop, the runner, keys, prices, records.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from inspect import isawaitable
from typing import Any, TypeAlias

from keyway.keys.resolve import Resolver
from keyway.tools.admission import COUNTING
from keyway.tools.call import ToolRunner
from keyway.tools.catalog import ToolCatalog
from keyway.tools.executor import Job, ToolFailure
from keyway.tools.limiter import Admission, Admitted, Limited
from keyway.tools.toolbox import Toolbox

SEARCH_SECRET = "search-hosted-0123456789"
OTHER_SEARCH_SECRET = "search-hosted-9876543210"
KEYS = {
    "SEARCH_API_KEY_1": SEARCH_SECRET,
    "SEARCH_API_KEY_2": OTHER_SEARCH_SECRET,
    "MAPS_API_KEY_1": "maps-hosted-01234567",
}

_CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_URL = "https://tools.example/v1/run"


def _row(description: str, **more: object) -> dict[str, object]:
    return {"description": description, "parameters": _CITY, "executor": {"type": "http", "url": _URL}, **more}


CATALOG = {
    "search": _row(
        "Searches.",
        hosting={
            "keyPrefix": "SEARCH_API_KEY",
            "byokProvider": "search",
            "header": {"name": "authorization", "prefix": "Bearer "},
            "pricing": {"type": "per_request", "cost": "0.005"},
        },
    ),
    "maps": _row(
        "Draws maps.",
        hosting={
            "keyPrefix": "MAPS_API_KEY",
            "pricing": {"type": "custom", "cost": "0.0001 * count(response.tiles)"},
            "rateLimit": {
                "mode": "custom",
                "requestsPerMinute": 60,
                "dimensions": [{"name": "tiles", "limitPerMinute": 100, "usage": "count(response.tiles)"}],
            },
        },
    ),
    "weather": _row("Tells the weather."),
}
"""A tool at a price per request, one at a price by its answer, and one that is free."""

Answer: TypeAlias = Callable[[Job], object]
"""What a tool answers: an output, or a ``ToolFailure`` to raise."""


def say(value: object) -> Answer:
    """Always the same."""
    return lambda _job: value


class ToolGate:
    """A tool that waits in the middle of its work until it is let go on."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._reached = asyncio.Event()
        self._open = asyncio.Event()
        self.cancelled = 0

    async def __call__(self, job: Job) -> object:
        self._reached.set()
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self._answer(job)

    async def reached(self) -> None:
        """Returns when somebody waits at the gate."""
        await self._reached.wait()

    def open(self) -> None:
        """Lets everybody through, now and later."""
        self._open.set()


@dataclass
class ScriptedTools:
    """Runs every tool. ``answers`` by tool id; a list is used up one by one, its last for good."""

    answers: dict[str, Answer | ToolGate | list[Answer]] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)

    async def run(self, job: Job) -> object:
        self.jobs.append(job)
        answer = self.answers.get(job.tool, _echo)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        said = answer(job)
        if isawaitable(said):
            said = await said
        if isinstance(said, BaseException):
            raise said
        return said


def _echo(job: Job) -> object:
    return {"tool": job.tool, "of": job.arguments.get("city")}


@dataclass
class OpenLimiter:
    """Lets everybody through, or answers as it is told; remembers what was asked and what was used up."""

    admission: Admission = field(default_factory=Admitted)
    asked: list[Limited] = field(default_factory=list)
    used: list[Mapping[str, Decimal]] = field(default_factory=list)
    counts: bool = True

    async def admit(self, limited: Limited, *, within: float) -> Admission:
        assert within > 0
        self.asked.append(limited)
        return self.admission

    async def use(self, _limited: Limited, usage: Mapping[str, Decimal]) -> bool:
        self.used.append(usage)
        return self.counts


@dataclass
class Toolset:
    """What an operator has: a catalog, what runs it, what limits it. ``pauses`` are those between two tries."""

    tools: ScriptedTools = field(default_factory=ScriptedTools)
    limiter: OpenLimiter = field(default_factory=OpenLimiter)
    catalog: Mapping[str, object] = field(default_factory=lambda: CATALOG)
    pauses: list[float] = field(default_factory=list)
    counting: float = COUNTING
    now: Callable[[], float] = time.time

    def toolbox(self) -> Toolbox:
        return Toolbox(
            ToolCatalog.read(json.dumps(self.catalog)),
            executors=("http", "lambda"),
            functions=("arn:aws:lambda:us-east-1:123456789012:function:allowed",),
        )

    def runner(self, resolver: Resolver) -> ToolRunner:
        async def paused(seconds: float) -> None:
            self.pauses.append(seconds)

        return ToolRunner(
            resolver=resolver,
            limiter=self.limiter,
            executors={"http": self.tools, "lambda": self.tools},
            now=self.now,
            sleep=paused,
            counting=self.counting,
        )


def fails(message: str = "out of order", **said: Any) -> Answer:
    """A tool that does not do what was asked."""
    return lambda _job: ToolFailure(message, **said)
