"""Mistral's own client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from mistralai.client import Mistral
from mistralai.client.errors import HTTPValidationError, SDKError

from infra.local.provider import Refusal, Say, ScriptedProvider
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
    all_of,
)

MODEL = "magistral-medium-latest"
ASKED = [{"role": "user", "content": "Hello?"}]
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": PARAMETERS, "strict": True}}
    for name in ("weather", "time")
]


@pytest.fixture
async def client(provider: ScriptedProvider) -> AsyncIterator[Mistral]:
    async with Mistral(api_key=KEY, server_url=provider.base_urls["mistral"]) as client:
        yield client


async def test_an_answer(provider, client):
    provider.script(*SPOKEN, tokens=TOKENS)
    answer = await client.chat.complete_async(model=MODEL, messages=ASKED)
    assert answer.choices[0].message.content == TEXT
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (100, 20)


async def test_an_answer_with_thinking(provider, client):
    provider.script(*THOUGHT, *SPOKEN)
    thinking, text = (await client.chat.complete_async(model=MODEL, messages=ASKED)).choices[0].message.content
    assert (thinking.thinking[0].text, text.text) == (REASONING, TEXT)


async def test_a_streamed_answer_with_calls(provider, client):
    provider.script(*THOUGHT, *SPOKEN, *CALLS, tokens=TOKENS)
    chunks = await all_of(await client.chat.stream_async(model=MODEL, messages=ASKED, tools=TOOLS))
    deltas = [chunk.data.choices[0].delta for chunk in chunks]
    assert "".join(delta.content for delta in deltas if isinstance(delta.content, str)) == TEXT
    thought = [piece for delta in deltas if isinstance(delta.content, list) for piece in delta.content]
    assert "".join(piece.thinking[0].text for piece in thought) == REASONING
    last = chunks[-1].data
    calls = last.choices[0].delta.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == CALLED
    assert (last.choices[0].finish_reason, last.usage.total_tokens) == ("tool_calls", 120)


async def test_a_structured_answer(provider, client):
    provider.script(Say(PERSON_TEXT))
    schema = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
    answer = await client.chat.complete_async(model=MODEL, messages=ASKED, response_format=schema)
    assert json.loads(answer.choices[0].message.content) == {"name": "Ada", "age": 36}


async def test_errors_are_the_clients_own(provider, client):
    provider.reply(Refusal(429, "rate_limited", "Requests rate limit exceeded", "1300"))
    with pytest.raises(SDKError, match="rate limit exceeded") as limited:
        await client.chat.complete_async(model=MODEL, messages=ASKED)
    assert limited.value.status_code == 429
    with pytest.raises(SDKError, match="Expected last role User or Tool"):
        await client.chat.complete_async(model=MODEL, messages=[*ASKED, {"role": "assistant", "content": "x"}])
    with pytest.raises((HTTPValidationError, SDKError)) as refused:
        await client.chat.complete_async(model=MODEL, messages=ASKED, temperature=5)
    assert refused.value.status_code == 422


async def test_a_wrong_key(provider):
    async with Mistral(api_key=WRONG_KEY, server_url=provider.base_urls["mistral"]) as client:
        with pytest.raises(SDKError, match="Unauthorized"):
            await client.chat.complete_async(model=MODEL, messages=ASKED)
