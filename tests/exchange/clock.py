"""An event loop whose clock a test moves forward, so that a minute passes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class Clock(asyncio.SelectorEventLoop):
    """A loop that is ``ahead`` of the machine's clock by as many seconds."""

    ahead = 0.0
    _stood: float | None = None

    def time(self) -> float:
        return (super().time() if self._stood is None else self._stood) + self.ahead

    def stand_still(self) -> None:
        """From now on only the test moves it: what the machine takes is no time."""
        self._stood = super().time()

    async def advance(self, seconds: float) -> None:
        """Time passes; what had to happen meanwhile has happened."""
        self.ahead += seconds
        for _ in range(20):
            await asyncio.sleep(0)


def run(main: Callable[[Clock], Coroutine[Any, Any, _T]]) -> _T:
    """Runs ``main`` with a clock of its own."""

    async def started() -> _T:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Clock)
        return await main(loop)

    with asyncio.Runner(loop_factory=Clock) as runner:
        return runner.run(started())
