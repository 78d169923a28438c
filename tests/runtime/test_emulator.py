"""AWS's own Runtime Interface Emulator, as a second opinion on the protocol.

The emulator is inside the `aws-sam-cli` wheel. It buffers what is streamed, so it says nothing about timing; it does
say whether the answers are what Lambda's runtime front accepts.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import platform
import random
import socket
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import h11
import pytest

from tests.runtime.client import fetch
from tests.runtime.events import BARE_EVENT, URL_EVENT
from tests.runtime.process import WRAPPER

CACHE = Path(__file__).resolve().parents[2] / ".cache"
WHEEL = "aws-sam-cli==1.170.0"

CODE = """
from stream_runtime import Response

class KeyRequired(Exception):
    expected = True

async def handler(event, context):
    if "fail" in event:
        raise KeyRequired("no key for " + event["fail"])
    if "version" not in event:
        return {"got": event, "function": context.function_name}
    return Response(201, {"content-type": "text/event-stream"}, body(event.get("break")), ["a=1"])

async def body(broken):
    yield b"data: one\\n\\n"
    if broken:
        raise RuntimeError("broken")
    yield b"data: two\\n\\n"
"""


@pytest.fixture(scope="session")
def emulator() -> Path:
    """The emulator's binary, fetched once; tests are skipped where it cannot be had."""
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        pytest.skip(f"the Lambda emulator has no binary for {sys.platform} {platform.machine()}")
    binary = CACHE / f"aws-lambda-rie-{machine}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "aws-lambda-rie.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test processes fetch it once
        if not binary.exists():
            _download(binary, f"samcli/local/rapid/aws-lambda-rie-{machine}")
    return binary


def _download(binary: Path, member: str) -> None:
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            pytest.skip(f"the Lambda emulator could not be fetched: pip download {WHEEL} failed")
        partial = binary.with_suffix(".partial")
        with zipfile.ZipFile(wheels[0]) as wheel:
            partial.write_bytes(wheel.read(member))
        partial.chmod(0o755)
        partial.replace(binary)


def _free_port() -> int:
    """A free port below those that the kernel gives to whoever asks for any, which somebody else may be doing."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port


@pytest.fixture
async def invoke_url(emulator: Path, tmp_path: Path) -> AsyncIterator[str]:
    """The emulator with our exec wrapper as its bootstrap, as Lambda would start it."""
    (tmp_path / "app.py").write_text(CODE)
    port, api_port = _free_port(), _free_port()
    process = await asyncio.create_subprocess_exec(
        str(emulator),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api_port}"),
        *(str(WRAPPER), sys.executable, "/var/runtime/bootstrap.py", "app.handler"),
        cwd=tmp_path,
        env={
            "PATH": os.defpath,
            "PYTHONPATH": str(Path(h11.__file__).parents[1]),
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "LAMBDA_TASK_ROOT": str(tmp_path),
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        while b"exec" not in (line := await process.stderr.readline()):
            assert line, "the emulator ended"
        rest = asyncio.create_task(process.stderr.read())
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        await _listening(port)
        yield url
    finally:
        process.terminate()
        await process.wait()
        await rest


async def _listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
        else:
            writer.transport.abort()
            return


async def test_a_bare_event_gives_plain_json(invoke_url: str) -> None:
    status, body = await fetch(invoke_url, "POST", json.dumps(BARE_EVENT).encode())
    assert (status, json.loads(body)) == (200, {"got": BARE_EVENT, "function": "f"})


async def test_an_exception_gives_its_class_name(invoke_url: str) -> None:
    _, body = await fetch(invoke_url, "POST", b'{"fail": "someone"}')
    document = json.loads(body)
    assert (document["errorType"], document["errorMessage"]) == ("KeyRequired", "no key for someone")
    # and the environment goes on
    assert (await fetch(invoke_url, "POST", b"{}"))[1] == b'{"got":{},"function":"f"}'


async def test_a_url_event_gives_prelude_nuls_and_body(invoke_url: str) -> None:
    _, body = await fetch(invoke_url, "POST", json.dumps(URL_EVENT).encode())
    assert body == (
        b'{"statusCode":201,"headers":{"content-type":"text/event-stream"},"cookies":["a=1"]}'
        b"\0\0\0\0\0\0\0\0data: one\n\ndata: two\n\n"
    )


async def test_a_stream_that_breaks_is_taken_with_its_trailers_and_the_environment_goes_on(invoke_url: str) -> None:
    _, body = await fetch(invoke_url, "POST", json.dumps(URL_EVENT | {"break": True}).encode())
    assert body.endswith(b"\0\0\0\0\0\0\0\0data: one\n\n")
    assert (await fetch(invoke_url, "POST", b"{}"))[0] == 200
