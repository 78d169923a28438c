"""A value of another system, kept in memory and read again in the background.

Once there is a value, nobody waits for it: it is handed out at once, however old, and a value past its time is
read again meanwhile. A read that fails leaves the last good value in place and is tried again later. Only the first
read, and the first after a SnapStart restore, is waited for, and never longer than the asker is willing to.

Nothing runs between requests, because Lambda freezes the environment there. A value has then simply grown old, by
either clock: the wall's goes on in a frozen environment where the monotonic one may stand still. A read that was
cut off by the freeze has failed, and the first request after it makes one of its own.

It does not know what is read, nor what to do without it: ``secrets.py`` and ``flags.py``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from keyway.outside.aws import AwsError

T = TypeVar("T")

Clocks: TypeAlias = Callable[[], tuple[float, float]]
"""The monotonic clock and the wall's, in seconds."""

_LONGEST = 20.0
"""Seconds until a read is given up, whatever it is doing."""

log = logging.getLogger("keyway")


def clocks() -> tuple[float, float]:
    """Both clocks of this machine."""
    return time.monotonic(), time.time()


class DocumentError(Exception):
    """What was read is not what it should be. The message says what is wrong and never quotes a value."""


class UnreadError(Exception):
    """There is no value, and waiting brought none."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A value, and for how many seconds it is good. It may be secret, so it is not printed."""

    value: T = field(repr=False)
    good_for: float


class Kept(Generic[T]):
    """One value. Belongs to one event loop.

    Args:
        name: What it is, for the log.
        read: Reads it anew.
        retry_after: Seconds between tries while it cannot be read.
        insistent: While there is no value, whether every request tries again and waits. Otherwise only the first
            does; the later ones go without while the background tries.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[Reading[T]]],
        *,
        insistent: bool,
        retry_after: float = 30.0,
        clocks: Clocks = clocks,
    ) -> None:
        self._name = name
        self._read = read
        self._insistent = insistent
        self._retry_after = retry_after
        self._clocks = clocks
        self._reading: Reading[T] | None = None
        self._task: asyncio.Task[None] | None = None
        self._reads_begun = 0
        self._settled = False
        self._patience_ends: float | None = None
        self._checked_at = clocks()
        self._good_for = 0.0
        self._outage: str | None = None
        self._stopped = False

    def start(self) -> None:
        """Begins the first read in the background. Needs a running event loop."""
        self._begin()

    def restored(self) -> None:
        """After a SnapStart restore: reads anew, and the next request waits for it once more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._settled = False
        self._patience_ends = None
        self._begin()

    async def stop(self) -> None:
        """Ends the background read, if any. What was read stays readable and is not read again."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def get(self, *, within: float) -> T:
        """The value: at once when there is one, else after at most ``within`` seconds.

        Raises:
            UnreadError: There is none.
        """
        if self._stopped:
            pass
        elif not self._settled:
            await self._settle(within)
        elif self._due():
            self._begin()
        if self._reading is None:
            raise UnreadError(self._name)
        return self._reading.value

    async def _settle(self, within: float) -> None:
        # Reads begun before this request may have been cut off by a freeze; only one begun since then is final.
        final = self._reads_begun + 1
        ends = asyncio.get_running_loop().time() + within
        if not self._insistent:
            ends = self._patience_ends = self._patience_ends or ends
        late = False
        try:
            async with asyncio.timeout_at(ends):
                while not self._settled:
                    task = self._begin()
                    number = self._reads_begun
                    await asyncio.wait({task})
                    if number >= final:
                        break
        except TimeoutError:
            late = True  # the read goes on in the background
        if not self._settled and (not self._insistent or self._reading is not None):
            self._settled = True
            if late:
                log.warning("%s was not there in time; going on without it", self._name, extra={"source": self._name})

    def _due(self) -> bool:
        return any(now - then >= self._good_for for now, then in zip(self._clocks(), self._checked_at, strict=True))

    def _begin(self) -> asyncio.Task[None]:
        """The read that is under way, or a new one."""
        if self._task is None or self._task.done():
            self._reads_begun += 1
            self._task = asyncio.get_running_loop().create_task(self._attempt(), name=f"read {self._name}")
        return self._task

    async def _attempt(self) -> None:
        try:
            async with asyncio.timeout(_LONGEST):
                reading = await self._read()
        except Exception as error:  # noqa: BLE001  whatever a read raises, the last value stays and it is logged
            self._good_for = self._retry_after
            self._say(_reason(error))
        else:
            self._reading = reading
            self._good_for = reading.good_for
            self._settled = True
            self._say(None)
        self._checked_at = self._clocks()

    def _say(self, outage: str | None) -> None:
        """Logs the beginning and the end of an outage, and a change of its reason; not every try."""
        if outage == self._outage:
            return
        self._outage = outage
        extra = {"source": self._name, "reason": outage}
        if outage is None:
            log.info("%s can be read again", self._name, extra=extra)
        elif self._reading is None:
            log.error("%s cannot be read, and there is no earlier value: %s", self._name, outage, extra=extra)
        else:
            log.error("%s cannot be read; the last good value stays: %s", self._name, outage, extra=extra)


def _reason(error: Exception) -> str:
    if isinstance(error, AwsError | DocumentError):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"no answer in {_LONGEST:g} seconds"
    return type(error).__name__  # an unforeseen error's text may hold a part of what was read
