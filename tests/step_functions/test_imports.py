"""What a task without an idempotency key leaves alone. Looked at in a fresh interpreter."""

from __future__ import annotations

import json

from infra.local.provider import Say, ScriptedProvider
from tests.unit.test_imports import running

RUN = """
import asyncio, json, sys, time
from gateway.app import Function
from stream_runtime import Context

async def run():
    function = Function()
    await function.start()
    try:
        await function(json.loads(sys.argv[1]), Context("request-1", int(time.time() * 1000) + 30_000))
    except Exception as error:
        sys.stderr.write(json.dumps({"error": type(error).__name__}) + "\\n")
    sys.stderr.write(json.dumps(sorted(sys.modules)) + "\\n")
    await function.stop()

asyncio.run(run())
"""

IDEMPOTENCY = "aws_lambda_powertools.utilities.idempotency"
EVENT = {
    "provider": "openai",
    "model": "gpt-4.1",
    "messages": [{"role": "user", "content": "Hello?"}],
    "apiKey": "sk-callers-own",
}


async def test_without_a_key_neither_aws_nor_the_idempotency_utility_is_loaded():
    async with ScriptedProvider() as provider:
        provider.script(Say("Hi."))
        settings = {
            "PROVIDER_BASE_URLS": json.dumps(provider.base_urls),
            "IDEMPOTENCY_TABLE": "tasks",
            "ANSWERS_BUCKET": "answers",
        }
        async with running(RUN, json.dumps(EVENT), environment=settings) as lines:
            loaded = json.loads(await lines.readline())
    assert "keyway.outside.telemetry" in loaded
    assert {"boto3", IDEMPOTENCY}.isdisjoint(loaded)


async def test_with_a_key_it_is():
    settings = {
        "IDEMPOTENCY_TABLE": "tasks",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    async with running(RUN, json.dumps({**EVENT, "idempotencyKey": "a"}), environment=settings) as lines:
        assert json.loads(await lines.readline()) == {"error": "KeyStoreUnavailable"}
        assert IDEMPOTENCY in json.loads(await lines.readline())
