"""The function the local server's tests serve. What it does is chosen by the path, or by `do` in a bare event."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from stream_runtime import Context, Response


async def _when(path: str) -> None:
    """Wait until a test makes a file: the one signal that crosses processes without a port."""
    while not Path(path).exists():  # noqa: ASYNC240, ASYNC110
        await asyncio.sleep(0.005)


async def handler(event: dict[str, object], context: Context) -> object:
    name = str(event.get("rawPath", "")).removeprefix("/") or event.get("do")
    do = {
        "gated": lambda: Response(202, {"content-type": "text/plain"}, _gated(_query(event)), ["a=1", "b=2"]),
        "drain": lambda: Response(200, {}, _drained(_query(event))),
        "break": lambda: Response(200, {}, _broken()),
        "empty": lambda: Response(204),
        "event": lambda: event,
        "pid": lambda: {"pid": os.getpid()},
        "environment": lambda: dict(os.environ),
        "context": lambda: {"client": context.client_context, "left": context.remaining_seconds()},
        "lines": _say,
        "die": lambda: os._exit(7),
        "hang": _hang,
    }
    if name == "wait":
        sys.stdout.write("waiting\n")
        await _when(_query(event))
        name = "pid"
    if name == "fail":
        raise LookupError("nothing there")
    return do[str(name)]() if name in do else None


def _query(event: dict[str, object]) -> str:
    return str(event["rawQueryString"])


def _say() -> None:
    sys.stdout.write('{"_aws": {}}\n')
    sys.stderr.write("a word of its own\n")


def _hang() -> None:
    while True:
        pass


async def _gated(gate: str) -> AsyncIterator[bytes]:
    yield b"first;"
    await _when(gate)
    yield b"second"


async def _drained(gate: str) -> AsyncIterator[bytes]:
    yield b"first"
    await _when(gate)
    for _ in range(64):
        yield b"x" * 65536
    sys.stdout.write("drained\n")


async def _broken() -> AsyncIterator[bytes]:
    yield b"half"
    raise RuntimeError("no more")
