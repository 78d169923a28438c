"""Groq's own client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import groq
import pytest
from groq import AsyncGroq

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
    all_of,
)

MODEL = "openai/gpt-oss-120b"
ASKED = [{"role": "user", "content": "Hello?"}]
TOOLS = [{"type": "function", "function": {"name": name, "parameters": PARAMETERS}} for name in ("weather", "time")]


@pytest.fixture
async def client(provider: ScriptedProvider) -> AsyncIterator[AsyncGroq]:
    base_url = provider.base_urls["groq"].removesuffix("/openai/v1")
    async with AsyncGroq(api_key=KEY, base_url=base_url, max_retries=0) as client:
        yield client


async def test_an_answer_with_reasoning(provider, client):
    provider.script(*THOUGHT, *SPOKEN, tokens=TOKENS)
    answer = await client.chat.completions.create(model=MODEL, messages=ASKED, reasoning_format="parsed")
    assert (answer.choices[0].message.content, answer.choices[0].message.reasoning) == (TEXT, REASONING)
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (100, 20)


async def test_a_streamed_answer_with_calls(provider, client):
    provider.script(*THOUGHT, *SPOKEN, *CALLS, tokens=TOKENS)
    chunks = await all_of(await client.chat.completions.create(model=MODEL, messages=ASKED, tools=TOOLS, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.content or "" for delta in deltas) == TEXT
    assert "".join(delta.reasoning or "" for delta in deltas) == REASONING
    arguments = ["", ""]
    for fragment in (fragment for delta in deltas for fragment in delta.tool_calls or ()):
        arguments[fragment.index] += fragment.function.arguments or ""
    assert [json.loads(text) for text in arguments] == [given for _, given in CALLED]
    assert chunks[-1].x_groq is not None
    assert chunks[-1].x_groq.usage is not None
    assert chunks[-1].x_groq.usage.total_tokens == 120


async def test_a_structured_answer(provider, client):
    provider.script(Say(PERSON_TEXT))
    schema = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
    answer = await client.chat.completions.create(model=MODEL, messages=ASKED, response_format=schema)
    assert json.loads(answer.choices[0].message.content or "") == {"name": "Ada", "age": 36}


async def test_errors_are_the_clients_own(provider, client):
    provider.reply(Refusal(429, "tokens", "Slow down", "rate_limit_exceeded", headers={"retry-after": "7"}))
    with pytest.raises(groq.RateLimitError, match="Slow down"):
        await client.chat.completions.create(model=MODEL, messages=ASKED)
    with pytest.raises(groq.BadRequestError, match="json mode cannot be combined"):
        await client.chat.completions.create(
            model=MODEL, messages=ASKED, tools=TOOLS, response_format={"type": "json_object"}
        )
    with pytest.raises(groq.AuthenticationError):
        await client.with_options(api_key=WRONG_KEY).chat.completions.create(model=MODEL, messages=ASKED)
    provider.script(Say("Half"), Break("tool_use_failed", "Tool call validation failed"))
    with pytest.raises(groq.APIError, match="Tool call validation failed"):
        await all_of(await client.chat.completions.create(model=MODEL, messages=ASKED, stream=True))
