"""An invocation as the platform sees it, from the call that began it to the end of its answer.

A `Caller` is whoever waits for that answer: a browser at the function URL, or an Invoke call. A `Pending` stands
between the two sides and sees to it that the caller hears of one end only, whichever comes first: the function's own,
its process's death, or the deadline.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an invocation failed. `status` is what a function URL answers if it has not answered yet."""

    type: str
    document: bytes
    status: int = 502
    cut: bool = True
    """Whether the answer stops in the middle; a function that reports its own failure has ended it."""

    @classmethod
    def of_platform(cls, type_: str, message: str, status: int = 502) -> Fault:
        """A failure the function did not live to report."""
        return cls(type_, json.dumps({"errorType": type_, "errorMessage": message}).encode(), status)


class Caller(Protocol):
    """Who waits. `open` and `chunk` come in order, then `end`; after a failure `end` may be all there is."""

    async def open(self, *, streaming: bool) -> None: ...
    async def chunk(self, data: bytes) -> None: ...
    async def end(self, fault: Fault | None) -> None: ...


@dataclass(slots=True, eq=False)
class Pending:
    """One invocation under way."""

    request_id: str
    payload: bytes
    caller: Caller
    client_context: str | None = None
    trace_id: str = field(default_factory=lambda: f"Root=1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]};Sampled=0")
    opened: bool = False
    expired: bool = False
    timer: asyncio.TimerHandle | None = None
    """Rings at the deadline."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False

    @property
    def ended(self) -> bool:
        """Whether the caller has been told the end."""
        return self._ended

    async def open(self, *, streaming: bool) -> None:
        """The function begins its answer."""
        self.opened = True
        await self.caller.open(streaming=streaming)

    async def chunk(self, data: bytes) -> None:
        """A piece of the answer. Dropped after the end."""
        if not self._ended:
            await self.caller.chunk(data)

    async def end(self, fault: Fault | None = None) -> None:
        """The answer is over. Only the first end counts."""
        if self._ended:
            return
        self._ended = True
        if self.timer is not None:
            self.timer.cancel()
        try:
            await self.caller.end(fault)
        finally:
            self.over.set()
