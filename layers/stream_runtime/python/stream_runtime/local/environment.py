"""One execution environment: a process of the function, its Runtime API, and what happens when it dies.

A process that was serving and dies is started again at once. One that cannot even start waits until somebody calls; it
is then tried again, and those who call are told if it fails again.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from .pending import Fault, Pending
from .plan import Plan
from .runtime_api import RuntimeApi
from .server import Server

_GRACE = 2.0
"""Seconds from SIGTERM to SIGKILL."""
_LONGEST_LINE = 8 * 1024 * 1024


class StartError(Exception):
    """The function's process ended before it asked for its first invocation. The message has what it said."""


class Environment:
    """One process of the function, kept alive."""

    def __init__(self, plan: Plan, queue: asyncio.Queue[Pending], on_down: Callable[[], Awaitable[None]]) -> None:
        """`on_down` is called when the process could not be started, and nobody serves here for now."""
        self.api = RuntimeApi(queue, plan.timeout, plan.function_arn, self._is_up, self._expired)
        self.down: str | None = None
        """Why the process could not be started the last time, while that is so."""
        self._plan = plan
        self._on_down = on_down
        self._server = Server(self.api)
        self._up = False
        self._settled = asyncio.Event()
        self._wanted = asyncio.Event()
        self._last_words: deque[str] = deque(maxlen=30)
        self._process: asyncio.subprocess.Process | None = None
        self._life: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        """The process's id, while there is one."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self, host: str) -> None:
        """Start the process and wait until it asks for work. Raises StartError when it ends instead."""
        await self._server.start(host)
        self._life = asyncio.create_task(self._live(f"{host}:{self._server.port}"))
        await self._settled.wait()
        if self.down is not None:
            raise StartError(self.down)

    async def stop(self) -> None:
        """Tell the process to go, and see that it does."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
        await self._server.stop()

    def want(self) -> None:
        """Somebody calls: a process that could not be started is tried again."""
        self._wanted.set()

    def kill(self) -> None:
        """End the process without notice."""
        if self._process is not None:
            _signal(self._process, signal.SIGKILL)

    async def _live(self, address: str) -> None:
        while True:
            self._up = False
            self.down = None
            self.api.reset()
            status = await self._run(address)
            await self._server.disconnect()
            for pending in self.api.taken:
                await pending.end(Fault.of_platform("Runtime.ExitError", f"the runtime exited with status {status}"))
            self._plan.on_stderr(f"stream_runtime.local: the process at {address} ended with status {status}")
            if not self.api.took_any:
                await self._stay_down(status)

    async def _run(self, address: str) -> int:
        """One process from its start to its end. Gives its exit status."""
        self._last_words.clear()
        process = self._process = await asyncio.create_subprocess_exec(
            *self._plan.command(),
            cwd=self._plan.task_root,
            env=self._plan.variables(address),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            start_new_session=True,  # an interrupt at the terminal is ours to pass on
        )
        assert process.stdout is not None, "a pipe was asked for"
        assert process.stderr is not None, "a pipe was asked for"
        outputs = [
            asyncio.create_task(_forward(process.stdout, self._plan.on_stdout)),
            asyncio.create_task(_forward(process.stderr, self._heard)),
        ]
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        finally:
            # What a child of the process still holds open is not waited for.
            await asyncio.wait(outputs, timeout=_GRACE)
            for output in outputs:
                output.cancel()
        return status

    def _heard(self, line: str) -> None:
        self._last_words.append(line)
        self._plan.on_stderr(line)

    def _is_up(self) -> None:
        self._up = True
        self._settled.set()

    async def _stay_down(self, status: int) -> None:
        said = "\n".join(self._last_words) or self.api.init_error or "it said nothing"
        when = "before it took an invocation" if self._up else "while it was starting"
        self.down = f"the function's process ended with status {status} {when}:\n{said}"
        self._settled.set()
        self._wanted.clear()
        await self._on_down()
        await self._wanted.wait()

    def _expired(self, pending: Pending) -> None:
        """Lambda ends the whole environment of an invocation that runs over, unless it serves others too."""
        message = f"the invocation timed out after {self._plan.timeout:g} seconds"
        ending = asyncio.create_task(pending.end(Fault.of_platform("Sandbox.Timedout", message, 504)))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        if self._plan.concurrency == 1:
            self.kill()


async def _forward(stream: asyncio.StreamReader, hear: Callable[[str], None]) -> None:
    async for line in stream:
        hear(line.decode("utf-8", "replace").rstrip("\n"))


async def _end(process: asyncio.subprocess.Process) -> None:
    _signal(process, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _GRACE)
    except TimeoutError:
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Not `Process.send_signal`: it may reap the process under asyncio's hands, and the exit status is lost."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
