"""The runtime as a process, started as Lambda starts it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

LAYER = Path(__file__).resolve().parents[2] / "layers" / "stream_runtime"
WRAPPER = LAYER / "stream-runtime"


class Process:
    """A process of a function whose code is `app.py` in `folder`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def says(self, beginning: str) -> str:
        """Wait for a line on standard error that begins so."""
        assert self._process.stderr is not None
        while line := (await self._process.stderr.readline()).decode():
            if line.startswith(beginning):
                return line
        raise AssertionError(f"the process ended without saying {beginning!r}")

    async def ended(self) -> tuple[int, str, str]:
        """Wait for the end: exit status, standard output, standard error."""
        out, err = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def running(
    folder: Path, code: str, runtime_api: str | None, *command: str, handler: str = "app.handler", **variables: str
) -> AsyncIterator[Process]:
    """Run the exec wrapper, or another command, over `code`; whatever is left of it at the end is killed."""
    (folder / "app.py").write_text(code)
    environment = {
        "PATH": os.defpath,
        "_HANDLER": handler,
        "LAMBDA_TASK_ROOT": str(folder),
        "PYTHONWARNINGS": "error",
        **({"AWS_LAMBDA_RUNTIME_API": runtime_api} if runtime_api else {}),
        **variables,
    }
    process = await asyncio.create_subprocess_exec(
        *(command or (str(WRAPPER), sys.executable, "-m", "awslambdaric", handler)),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
