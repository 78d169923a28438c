"""A sign of life for a stream whose body has nothing to say.

Between Lambda and the caller there may be proxies that hang up on a silent connection. `Heartbeat` writes a given frame
whenever nothing has been written for a while. It is armed after the prelude and only while the body is being waited
for, so its bytes fall between two chunks and nowhere else. A chunk costs it one look at the clock; timers are not
made anew for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self


class Heartbeat:
    """Calls `beat` after every `interval` seconds without a `touch`, as long as the context lasts."""

    def __init__(self, interval: float, beat: Callable[[], None]) -> None:
        self._interval = interval
        self._beat = beat
        self._loop = asyncio.get_running_loop()
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self.touch()
        self._arm()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def touch(self) -> None:
        """Something was written just now."""
        self._last = self._loop.time()

    def _arm(self) -> None:
        self._timer = self._loop.call_at(self._last + self._interval, self._due)

    def _due(self) -> None:
        if self._loop.time() - self._last >= self._interval:
            self.touch()
            self._beat()
        self._arm()
