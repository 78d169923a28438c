"""`python -m stream_runtime.local`, as typed in a shell."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import h11
import pytest

from tests.runtime.client import fetch
from tests.runtime.process import LAYER, running

CODE = """
from stream_runtime import Response

async def handler(event, context):
    return Response(200, {}, b"hello")
"""
PYTHONPATH = f"{LAYER / 'python'}:{Path(h11.__file__).parents[1]}"


def _command(*options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "stream_runtime.local", *options)


async def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    command = _command("--handler", "app.handler", "--port", "0", "--environments", "2")
    async with running(tmp_path, CODE, None, *command, PYTHONPATH=PYTHONPATH) as process:
        url = (await process.says("function URL")).split()[-1]
        assert await fetch(f"{url}any") == (200, b"hello")
        process.signal(signal.SIGINT)
        status, _, err = await process.ended()
    assert status == 0
    assert "Traceback" not in err


async def test_a_function_that_cannot_start_ends_it(tmp_path: Path) -> None:
    command = _command("--handler", "app.missing", "--port", "0")
    async with running(tmp_path, CODE, None, *command, PYTHONPATH=PYTHONPATH) as process:
        status, _, err = await process.ended()
    assert status == 1
    assert "'missing' in" in err
    assert "Traceback" not in err


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as taken:
        port = taken.sockets[0].getsockname()[1]
        command = _command("--handler", "app.handler", "--port", str(port))
        async with running(tmp_path, CODE, None, *command, PYTHONPATH=PYTHONPATH) as process:
            status, _, err = await process.ended()
    assert status == 1
    assert f"cannot listen on port {port}" in err


@pytest.mark.parametrize("options", [(), ("--handler", "app.handler", "--environments", "0")])
async def test_wrong_options_are_explained(tmp_path: Path, options: tuple[str, ...]) -> None:
    async with running(tmp_path, CODE, None, *_command(*options), PYTHONPATH=PYTHONPATH) as process:
        status, _, err = await process.ended()
    assert status == 2
    assert "usage:" in err
