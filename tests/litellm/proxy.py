"""The real LiteLLM proxy as a process on loopback, from an environment of its own.

LiteLLM's pins fit nobody else's, so it is installed under ``.cache/litellm`` from ``requirements-litellm.txt`` (by
``uv``, which is quick at it) when a test first asks for it. It is told to stay at home; and should it try to call
anybody all the same, its way out is a proxy that does not exist.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements-litellm.txt"
HOME = ROOT / ".cache" / "litellm"
MASTER_KEY = "sk-litellm-0123456789abcdef0123456789"

_STARTS_WITHIN = 120.0
"""Seconds; some ten are usual."""

_ALONE = {
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MASTER_KEY": MASTER_KEY,
    "LITELLM_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "NO_DOCS": "True",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
    "PATH": "/usr/bin:/bin",
    "PYTHONUNBUFFERED": "1",
}


class NotInstalledError(Exception):
    """LiteLLM cannot be had here; the message says why."""


def installed() -> Path:
    """The ``litellm`` command, installed if it is not yet. Takes seconds, or minutes where the network is slow.

    Raises:
        NotInstalledError: It cannot be installed.
    """
    HOME.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    mark, place = HOME / "installed", HOME / "environment"
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text() != wanted:
            mark.unlink(missing_ok=True)
            shutil.rmtree(place, ignore_errors=True)
            _uv("venv", "--quiet", "--python", sys.executable, str(place))
            python = str(place / "bin" / "python")
            _uv("pip", "install", "--quiet", "--require-hashes", "--requirement", str(REQUIREMENTS), "--python", python)
            mark.write_text(wanted)
    return place / "bin" / "litellm"


def _uv(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalledError(f"LiteLLM cannot be installed: {done.stderr.strip()[-500:]}")


@contextlib.asynccontextmanager
async def litellm(command: Path, models: Sequence[Mapping[str, object]], directory: Path) -> AsyncIterator[str]:
    """The URL of a running proxy with ``models``, in the form of its ``model_list``. Files go into ``directory``."""
    config = directory / "litellm.yaml"
    settings = {"telemetry": False, "drop_params": False, "num_retries": 0, "request_timeout": 30}
    config.write_text(json.dumps({"model_list": list(models), "litellm_settings": settings}))  # JSON is YAML
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        *(str(command), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)),
        env={**_ALONE, "HOME": str(directory), "LANG": os.environ.get("LANG", "C.UTF-8")},
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said: list[str] = []
    draining: asyncio.Task[None] | None = None
    try:
        try:
            async with asyncio.timeout(_STARTS_WITHIN):
                await _until_it_listens(process.stdout, said)
        except TimeoutError:
            raise AssertionError(f"LiteLLM is not up after {_STARTS_WITHIN} s:\n{''.join(said[-40:])}") from None
        draining = asyncio.create_task(_drain(process.stdout))
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        if draining is not None:
            await draining
        await process.wait()


async def _until_it_listens(stream: asyncio.StreamReader, said: list[str]) -> None:
    async for line in stream:
        said.append(line.decode("utf-8", "replace"))
        if "Uvicorn running on" in said[-1]:
            return
    raise AssertionError(f"LiteLLM did not start:\n{''.join(said[-40:])}")


async def _drain(stream: asyncio.StreamReader) -> None:
    """What it says later is read so that it never waits for a reader."""
    while await stream.read(65_536):
        pass


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
