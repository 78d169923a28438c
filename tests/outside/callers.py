"""Who calls tools: many at once, by a clock that a test moves; and, run as a program, an environment to be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter

from keyway.outside.aws import Aws
from keyway.outside.tool_limits import ToolLimits
from keyway.tools.limiter import Admission, Admitted, Limited
from keyway.tools.rows import CustomLimit, Dimension, RequestLimit
from tests.outside.conftest import until

TABLE = "tool-limits"
HOUR = 3_600.0


def calls(per_minute: int, *, payee: str = "search", workspace: str = "w-1", burst: float = 1) -> Limited:
    limit = RequestLimit(mode="per_request", requestsPerMinute=per_minute, burstMultiplier=burst)
    return Limited(payee, workspace, limit)


def tokens(per_minute: int) -> Limited:
    dimension = Dimension(name="tokens", limitPerMinute=per_minute, burstMultiplier=1, usage="1")
    limit = CustomLimit(mode="custom", requestsPerMinute=10, burstMultiplier=1, dimensions=(dimension,))
    return Limited("search", "w-1", limit)


TEN = calls(10)


class Wall:
    """The wall clock of every environment. Whoever sleeps by it wakes when a test moves it."""

    def __init__(self) -> None:
        self.milliseconds = 1_700_000_000_000
        self.sleepers: dict[asyncio.Future[None], int] = {}

    def __call__(self) -> float:
        return self.milliseconds / 1000

    async def sleep(self, seconds: float) -> None:
        sleeper = asyncio.get_running_loop().create_future()
        self.sleepers[sleeper] = self.milliseconds + round(seconds * 1000)
        try:
            await sleeper
        finally:
            self.sleepers.pop(sleeper, None)

    def move(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds
        for sleeper in [sleeper for sleeper, wake in self.sleepers.items() if wake <= milliseconds]:
            del self.sleepers[sleeper]
            sleeper.set_result(None)


class Callers:
    """Calls that want to be made. ``ended`` tells by whom, after how many seconds, and how."""

    def __init__(self, wall: Wall) -> None:
        self.wall = wall
        self.began = wall.milliseconds
        self.tasks: list[asyncio.Task[None]] = []
        self.ended: list[tuple[int, float, Admission]] = []

    def call(self, limits: ToolLimits, limited: Limited = TEN, *, within: float = HOUR) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(self._call(len(self.tasks), limits, limited, within)))
        return self.tasks[-1]

    async def call_each(self, *limits: ToolLimits, limited: Limited, within: float = HOUR) -> asyncio.Task[None]:
        """One call after another, so that it is known in which order they arrive. Gives the last one."""
        for limit in limits:
            task = self.call(limit, limited, within=within)
            await self.settle()
        return task

    async def _call(self, name: int, limits: ToolLimits, limited: Limited, within: float) -> None:
        admission = await limits.admit(limited, within=within)
        self.ended.append((name, (self.wall.milliseconds - self.began) / 1000, admission))

    async def settle(self) -> None:
        """Returns once everybody has gone, or sleeps."""
        await until(lambda: len(self.wall.sleepers) + sum(task.done() for task in self.tasks) == len(self.tasks))

    async def live(self, seconds: float) -> None:
        """Everybody wakes, looks and sleeps on, until so many seconds have passed since the beginning."""
        end = self.began + round(seconds * 1000)
        await self.settle()
        while (wakes := min(self.wall.sleepers.values(), default=end)) < end:
            self.wall.move(wakes)
            await self.settle()
        self.wall.move(end)
        await self.settle()

    def passed(self, period: float = 60.0) -> dict[int, int]:
        """How many could make their call in each period since the beginning."""
        return dict(Counter(int(at // period) for _, at, admission in self.ended if isinstance(admission, Admitted)))


async def stand_in_line(url: str, wall: Wall, *, per_minute: int, many: int) -> asyncio.subprocess.Process:
    """A process of its own, in which so many calls stand in line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, url, str(wall()), str(per_minute), str(many)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"standing\n"
    return process


async def kill(process: asyncio.subprocess.Process) -> None:
    """It has no chance to say goodbye."""
    process.kill()
    assert await process.wait() == -signal.SIGKILL


async def stand(url: str, now: str, per_minute: str, many: str) -> None:
    """What that process does: says so once all stand in line, and waits there for ever."""
    standing = 0

    async def sleep(_seconds: float) -> None:
        nonlocal standing
        standing += 1
        if standing == int(many):
            print("standing", flush=True)  # noqa: T201 - to the test that waits for it
        await asyncio.Event().wait()

    aws = Aws(endpoints={"dynamodb": url}, region="eu-west-1")
    limits = ToolLimits(aws, table=TABLE, now=lambda: float(now), sleep=sleep)
    await asyncio.gather(*(limits.admit(calls(int(per_minute)), within=HOUR) for _ in range(int(many))))


if __name__ == "__main__":
    asyncio.run(stand(*sys.argv[1:]))
