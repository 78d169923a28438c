"""The three things that are measured, each in a process of its own: the bare relay, the handler, the environment.

``ask`` sends one request and calls ``taken`` for each piece of the answer as it arrives; ``cpu`` is the CPU seconds
that the serving process has used so far, all its threads together. What the other processes use is not counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import httpx

from infra.local.system import PYTHON_PATH, ROOT
from stream_runtime.local import LocalLambda
from tests.bench.answers import ASKED, TOOL, TOOL_PATH
from tests.bench.provider import PacedProvider

Json = Mapping[str, object]
Taken = Callable[[bytes], None]


class BenchError(Exception):
    """Something did not answer as it should, so its CPU means nothing."""


class Serving(Protocol):
    """A process that serves requests."""

    async def ask(self, request: Json, taken: Taken) -> None: ...
    async def cpu(self) -> float: ...


class BareRelay:
    """``relay.py``, asked with the provider's own path."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._url = url
        self._http = http

    async def ask(self, request: Json, taken: Taken) -> None:
        provider = str(request["provider"])
        asked = ASKED[provider]
        path = f"/{provider}{asked.path if request['stream'] else asked.whole or asked.path}"
        # Where tools are offered one is called: the model is asked, the tool, and the model once more.
        for each in (path, TOOL_PATH, path) if "tools" in request else (path,):
            await _post(self._http, f"{self._url}{each}", request, taken)

    async def cpu(self) -> float:
        return float((await self._http.get(f"{self._url}/cpu")).text)


class Environment:
    """A whole environment: the runtime client with the gateway in it, behind the local function URL."""

    def __init__(self, function: LocalLambda, http: httpx.AsyncClient) -> None:
        self._function = function
        self._http = http

    async def ask(self, request: Json, taken: Taken) -> None:
        await _post(self._http, f"{self._function.url}/v1/execute", request, taken)

    async def cpu(self) -> float:
        return float((await self._http.post(self._function.invoke_url, json={"cpu": True})).json()["cpu"])


class Handler:
    """The function alone, called in its process without a runtime around it."""

    def __init__(self, process: asyncio.subprocess.Process, answers: asyncio.StreamReader) -> None:
        self._process = process
        self._answers = answers

    async def ask(self, request: Json, taken: Taken) -> None:
        event = {
            "version": "2.0",
            "rawPath": "/v1/execute",
            "requestContext": {"http": {"method": "POST", "path": "/v1/execute"}},
            "body": json.dumps(request),
        }
        if (status := await self._call(event, taken)) != 200:
            raise BenchError(f"the handler answered {status}")

    async def cpu(self) -> float:
        answer = await self._call({"cpu": True}, lambda _: None)
        assert isinstance(answer, dict)
        return float(answer["cpu"])

    async def _call(self, event: Json, taken: Taken) -> object:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(event).encode() + b"\n")
        last = b""
        while not last.endswith(b"\n"):
            if not (data := await self._answers.read(65_536)):
                raise BenchError("the handler's process ended")
            if last:
                last += data
                continue
            piece, end, rest = data.partition(b"\0")
            taken(piece)
            last = end + rest
        return json.loads(last[1:])


@asynccontextmanager
async def bare_relay(provider: PacedProvider, http: httpx.AsyncClient) -> AsyncIterator[Serving]:
    """Starts ``relay.py``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.relay", provider.url, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        yield BareRelay(f"http://127.0.0.1:{int(await process.stdout.readline())}", http)
    finally:
        await _end(process)


@asynccontextmanager
async def environment(provider: PacedProvider, http: httpx.AsyncClient) -> AsyncIterator[Serving]:
    """Starts one environment. What it writes (metrics and log lines) goes nowhere."""
    async with LocalLambda(
        "tests.bench.metered.handler",
        environment=_settings(provider),
        python_path=(*PYTHON_PATH, ROOT),
        task_root=ROOT,
        on_stdout=lambda _: None,
    ) as function:
        yield Environment(function, http)


@asynccontextmanager
async def handler(provider: PacedProvider) -> AsyncIterator[Serving]:
    """Starts ``metered.py`` as a program. What it writes goes nowhere."""
    mine, theirs = os.pipe()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.metered", str(theirs),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, pass_fds=[theirs], cwd=ROOT,
        env={**os.environ, **_settings(provider)},
    )  # fmt: skip
    os.close(theirs)
    answers = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(answers), os.fdopen(mine, "rb")
    )
    try:
        yield Handler(process, answers)
    finally:
        transport.close()
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()


async def _post(http: httpx.AsyncClient, url: str, request: Json, taken: Taken) -> None:
    async with http.stream("POST", url, json=request) as response:
        if response.status_code != 200:
            raise BenchError(f"{url} answered {response.status_code}: {(await response.aread())[:500]!r}")
        async for piece in response.aiter_raw():
            taken(piece)


def _settings(provider: PacedProvider) -> dict[str, str]:
    """A hosted platform whose keys are in the provider's own stand-in for Secrets Manager."""
    return {
        "KEYWAY_HOSTED": "true",
        "HOSTED_KEY_LLM": "true",
        "HOSTED_KEYS_SECRET": "hosted",
        "AWS_ENDPOINT_URL": provider.url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIALOCALLOCALLOCAL0",
        "AWS_SECRET_ACCESS_KEY": "local-secret-access-key",
        "PROVIDER_BASE_URLS": json.dumps(provider.base_urls),
        "TOOL_CATALOG": json.dumps({TOOL: {"executor": {"type": "http", "url": f"{provider.url}{TOOL_PATH}"}}}),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(
            [*map(str, PYTHON_PATH), str(Path(ROOT, "layers/stream_runtime/python")), str(ROOT)]
        ),
    }
