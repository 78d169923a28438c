"""Amazon's own client, for Bedrock: signed, and with its own reading of the event stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from infra.local.provider import Break, Refusal, Say, ScriptedProvider
from tests.clients.scripts import (
    CALLED,
    CALLS,
    KEY,
    PARAMETERS,
    PERSON,
    PERSON_TEXT,
    REASONING,
    SPOKEN,
    TEXT,
    THOUGHT,
    TOKENS,
    WRONG_KEY,
)

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ASKED = [{"role": "user", "content": [{"text": "Hello?"}]}]
TOOLS = {
    "tools": [
        {"toolSpec": {"name": name, "description": "A tool", "inputSchema": {"json": PARAMETERS}}}
        for name in ("weather", "time")
    ]
}
SCHEMA = {"name": "person", "schema": json.dumps(PERSON)}


def connect(provider: ScriptedProvider, key: str) -> Any:
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key="secret", region_name="us-east-1")
    once = Config(retries={"total_max_attempts": 1}, proxies={})
    return session.client("bedrock-runtime", endpoint_url=provider.base_urls["bedrock"], config=once)


@pytest.fixture
async def client(provider: ScriptedProvider) -> AsyncIterator[Any]:
    client = connect(provider, KEY)
    yield client
    client.close()


async def test_an_answer(provider, client):
    provider.script(*THOUGHT, *SPOKEN, tokens=TOKENS)
    answer = await asyncio.to_thread(client.converse, modelId=MODEL, messages=ASKED)
    reasoning, text = answer["output"]["message"]["content"]
    assert (reasoning["reasoningContent"]["reasoningText"]["text"], text["text"]) == (REASONING, TEXT)
    assert answer["stopReason"] == "end_turn"
    assert answer["usage"]["totalTokens"] == 120


async def test_a_streamed_answer_with_calls(provider, client):
    provider.script(*THOUGHT, *SPOKEN, *CALLS, tokens=TOKENS)

    def read():
        with closing(client.converse_stream(modelId=MODEL, messages=ASKED, toolConfig=TOOLS)["stream"]) as stream:
            return list(stream)

    events = await asyncio.to_thread(read)
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    assert "".join(delta["delta"].get("text", "") for delta in deltas) == TEXT
    names = [event["contentBlockStart"]["start"]["toolUse"]["name"] for event in events if "contentBlockStart" in event]
    inputs = {}
    for delta in deltas:
        if "toolUse" in delta["delta"]:
            place = delta["contentBlockIndex"]
            inputs[place] = inputs.get(place, "") + delta["delta"]["toolUse"]["input"]
    assert list(zip(names, map(json.loads, inputs.values()), strict=True)) == CALLED
    assert events[-1]["metadata"]["usage"]["outputTokens"] == 20


async def test_a_structured_answer(provider, client):
    provider.script(Say(PERSON_TEXT))
    wanted = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": SCHEMA}}}
    answer = await asyncio.to_thread(client.converse, modelId=MODEL, messages=ASKED, outputConfig=wanted)
    assert json.loads(answer["output"]["message"]["content"][0]["text"]) == {"name": "Ada", "age": 36}


async def test_errors_are_the_clients_own(provider, client):
    provider.reply(Refusal(429, "ThrottlingException", "Slow down"))
    with pytest.raises(client.exceptions.ThrottlingException, match="Slow down"):
        await asyncio.to_thread(client.converse, modelId=MODEL, messages=ASKED)
    with pytest.raises(client.exceptions.ValidationException, match="must start with a user message"):
        await asyncio.to_thread(
            client.converse, modelId=MODEL, messages=[{"role": "assistant", "content": [{"text": "x"}]}]
        )

    def read():
        with closing(client.converse_stream(modelId=MODEL, messages=ASKED)["stream"]) as stream:
            return list(stream)

    provider.script(Say("Half"), Break("modelStreamErrorException", "boom"))
    with pytest.raises(EventStreamError, match="boom"):
        await asyncio.to_thread(read)


async def test_a_wrong_key(provider):
    stranger = connect(provider, WRONG_KEY)
    with pytest.raises(ClientError, match="security token included in the request is invalid"):
        await asyncio.to_thread(stranger.converse, modelId=MODEL, messages=ASKED)
    stranger.close()
