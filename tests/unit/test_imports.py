"""What a cold start loads, and what it must leave for later. Looked at in fresh interpreters.

Some heavy modules have to be there and are missing below for that reason: ``http.client``, ``urllib.request`` and
``email`` come with httpx's cookies and with pydantic's search for plugins, ``subprocess`` with asyncio.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infra.local.provider import ScriptedProvider
from infra.local.provider.script import Gate, Say, Wait
from keyway.wire.registry import WIRES

ROOT = Path(__file__).resolve().parents[2]
PYTHON_PATH = os.pathsep.join(
    str(ROOT / path) for path in ("functions", "layers/keyway/python", "layers/stream_runtime/python")
)

AWS = {
    "boto3": "a tenth of a second; needed only for hosted and stored keys, and then in a thread",
    "botocore": "as boto3",
    "aws_lambda_powertools": "half of boto3; needed for the first metric or log line, after the first byte",
}

TOOLS = {
    f"keyway.{name}": "what runs tools is loaded where an operator has some"
    for name in ("tool_wiring", "tools.rows", "tools.call", "tools.round", "outside.http_tools", "outside.tool_limits")
}

FORBIDDEN = (
    AWS
    | TOOLS
    | {
        "simpleeval": "only a tool with a price by expression needs it",
        "uritemplate": "only a tool that is run over HTTP needs it",
        "genai_prices": "1.6 MB of data; prices are in the catalog's own table",
        "moto": "a development tool",
        "infra": "the gateway knows nothing of the infrastructure",
        "certifi": "certificates are read when the environment starts, not by the import",
        "httpcore": "httpx loads it with its first client, when the environment starts",
        "h2": "no provider is spoken to in HTTP/2",
        "trio": "asyncio is our event loop",
        "sqlite3": "nothing here has a database",
        "xml": "no protocol here speaks XML",
        "html": "as xml",
        "multiprocessing": "one process",
        "concurrent.futures.process": "as multiprocessing",
        "unittest": "a development tool that libraries like to import",
        "pydantic.v1": "the old pydantic beside the new one",
        "pydantic.networks": "no model of ours has a URL or an e-mail address",
        **{f"keyway.wire.{name}": "a wire is loaded with the first request that needs it" for name in WIRES},
    }
)

IMPORT = """
import sys, json
# httpx loads these for a command line of its own where development tools have brought them; they are not deployed.
sys.modules.update(dict.fromkeys(("click", "pygments", "rich")))
import gateway.app
sys.stderr.write(json.dumps(sorted(sys.modules)) + "\\n")
"""

SERVE = """
import asyncio, json, sys, time
from gateway.app import Function
from stream_runtime import Context

async def serve():
    function = Function()
    await function.start()
    response = await function(json.loads(sys.argv[1]), Context("request-1", int(time.time() * 1000) + 30_000))
    piece = b""
    while b"text_delta" not in piece:
        piece = await anext(response.body)
    sys.stderr.write(json.dumps(sorted(sys.modules)) + "\\n")
    await response.body.aclose()
    await function.stop()

asyncio.run(serve())
"""


@asynccontextmanager
async def running(program: str, *arguments: str, environment: Mapping[str, str] | None = None):
    """A fresh interpreter at work on ``program``, seen as the lines of its standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        *arguments,
        env={"PATH": os.defpath, "PYTHONPATH": PYTHON_PATH, **(environment or {})},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=1024 * 1024,
    )
    assert process.stderr is not None
    try:
        yield process.stderr
    finally:
        said = await process.stderr.read()
        assert await process.wait() == 0, said.decode()


async def modules_after_import() -> set[str]:
    async with running(IMPORT) as lines:
        return set(json.loads(await lines.readline()))


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules that importing the gateway's function loads."""
    return asyncio.run(modules_after_import())


def test_the_function_is_what_was_imported(imported: set[str]):
    assert {"gateway.app", "keyway.gateway", "keyway.exchange", "keyway.wire.registry", "stream_runtime"} <= imported


@pytest.mark.parametrize("module", FORBIDDEN)
def test_importing_the_function_does_not_load(module: str, imported: set[str]):
    assert module not in imported, FORBIDDEN[module]


async def test_before_the_first_byte_on_a_callers_key_only_the_wire_that_is_needed_is_loaded():
    gate = Gate()
    async with ScriptedProvider() as provider:
        provider.script(Say("Hel"), Wait(gate), Say("lo"))
        request = {
            "provider": "openai",
            "model": "gpt-4.1",
            "messages": [{"role": "user", "content": "Hello?"}],
            "apiKey": "sk-callers-own",
            "stream": True,
        }
        event = {
            "version": "2.0",
            "rawPath": "/v1/execute",
            "requestContext": {"http": {"method": "POST", "path": "/v1/execute"}},
            "body": json.dumps(request),
        }
        settings = {"PROVIDER_BASE_URLS": json.dumps(provider.base_urls)}
        async with running(SERVE, json.dumps(event), environment=settings) as lines:
            loaded = set(json.loads(await lines.readline()))
            gate.open()
    assert loaded.isdisjoint({**AWS, **TOOLS})
    assert {name for name in WIRES if f"keyway.wire.{name}" in loaded} == {"openai_responses"}
