"""The calls of one turn, side by side; their outcomes as they come, and in the order of the calls when all are there.

A round never raises: what goes wrong with a call is its outcome. Stopping it cancels what still runs, and what had
been spent by then is still told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

from keyway.tools.loop import Planned
from keyway.tools.outcome import Outcome, cancelled


@dataclass(slots=True)
class Slot:
    """The place of one call's outcome. It is filled the moment a tool has answered, whatever is done after that."""

    planned: Planned
    outcome: Outcome | None = None


class Round:
    """A round under way.

    Args:
        planned: The calls.
        run: Runs one and fills its slot. It may raise nothing but ``CancelledError``.
        now: Epoch seconds.
    """

    def __init__(
        self,
        planned: Sequence[Planned],
        run: Callable[[Slot], Coroutine[object, object, None]],
        now: Callable[[], float],
    ) -> None:
        self.started = now()
        self._now = now
        self._slots = [Slot(call) for call in planned]
        self._running = {asyncio.create_task(run(slot)): slot for slot in self._slots}
        self._abandoned: set[asyncio.Task[None]] = set()

    @property
    def over(self) -> bool:
        """Whether every call has ended, and been told of."""
        return not self._running

    @property
    def outcomes(self) -> list[Outcome]:
        """Those there are, in the order of the calls."""
        return [slot.outcome for slot in self._slots if slot.outcome is not None]

    async def ended(self) -> list[Outcome]:
        """Waits until at least one more call has ended; the outcomes of those that have, in the order of the calls."""
        await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        done = [task for task in self._running if task.done()]
        for task in done:
            if not task.cancelled():
                task.result()  # raises a bug of ours, and nothing else
        return self._take(done)

    def stop(self) -> None:
        """Cancels what still runs. ``ended`` tells of it like of any other end."""
        for task in self._running:
            task.cancel()

    def abandon(self) -> list[Outcome]:
        """Cancels what still runs, without waiting for it; the outcomes that had not been told of."""
        self.stop()
        self._abandoned |= set(self._running)
        return self._take(list(self._running))

    async def aclose(self) -> None:
        """Waits for what was abandoned to be gone. May be called again."""
        while running := {task for task in self._abandoned if not task.done()}:
            await asyncio.wait(running)

    def _take(self, tasks: list[asyncio.Task[None]]) -> list[Outcome]:
        taken: list[Outcome] = []
        for task in tasks:
            slot = self._running.pop(task)
            if slot.outcome is None:
                slot.outcome = cancelled(slot.planned.call, started=self.started, ended=self._now())
            taken.append(slot.outcome)
        return taken
