"""OpenAI's own client, over Responses and over Chat Completions: the client of most vendors of the latter."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI

from infra.local.provider import Break, Refusal, Refuse, Say, ScriptedProvider
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

ASKED = [{"role": "user", "content": "Hello?"}]
FUNCTION = {"name": "weather", "description": "The weather", "parameters": PARAMETERS, "strict": True}
CLOCK = {"name": "time", "description": "The time", "parameters": {"type": "object", "properties": {}}}
FORMAT = {"name": "person", "schema": PERSON, "strict": True}
COMPATIBLE = (
    "openai", "deepseek", "xai", "cerebras", "ollama", "ollama-cloud", "openrouter", "fireworks", "together", "baseten",
    "vllm", "litellm",
)  # fmt: skip
SLASH_V1 = {"vllm", "litellm"}
"""Providers whose base URL ends before the version."""


@pytest.fixture
async def client(provider: ScriptedProvider) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=KEY, base_url=provider.base_urls["openai"], max_retries=0) as client:
        yield client


# Responses


async def test_a_response(provider, client):
    provider.script(*THOUGHT, *SPOKEN, tokens=TOKENS)
    response = await client.responses.create(model="gpt-5", input="Hello?", reasoning={"effort": "low"}, store=False)
    assert (response.status, response.output_text) == ("completed", TEXT)
    assert response.output[0].summary[0].text == REASONING
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.input_tokens_details.cached_tokens) == (100, 30)
    assert (response.usage.output_tokens, response.usage.output_tokens_details.reasoning_tokens) == (20, 4)


async def test_a_streamed_response(provider, client):
    provider.script(*THOUGHT, *SPOKEN, *CALLS, tokens=TOKENS)
    tools = [{"type": "function", **FUNCTION}, {"type": "function", **CLOCK, "strict": False}]
    async with client.responses.stream(model="gpt-5", input="Hello?", tools=tools) as stream:
        events = await all_of(stream)
        response = await stream.get_final_response()
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
    calls = [item for item in response.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == CALLED
    assert response.usage is not None
    assert response.usage.total_tokens == 120


async def test_a_structured_response(provider, client):
    provider.script(Say(PERSON_TEXT))
    response = await client.responses.create(
        model="gpt-4.1", input="Who?", text={"format": {"type": "json_schema", **FORMAT}}
    )
    assert json.loads(response.output_text) == {"name": "Ada", "age": 36}


async def test_an_error_in_the_middle_of_a_response(provider, client):
    asked = {"model": "gpt-4.1", "input": "Hello?", "stream": True}
    provider.script(Say("Half"), Break("server_error", "boom"))
    told = (await all_of(await client.responses.create(**asked)))[-1]
    assert (told.type, told.message) == ("error", "boom")
    provider.script(Say("Half"), Break("server_error", "boom", "final"))
    failed = (await all_of(await client.responses.create(**asked)))[-1]
    assert (failed.type, failed.response.error.message) == ("response.failed", "boom")
    provider.script(Say("Half"), Break("server_error", "boom", "nested"))
    with pytest.raises(openai.APIError, match="boom"):
        await all_of(await client.responses.create(**asked))


# Chat Completions


async def test_a_chat(provider, client):
    provider.script(*SPOKEN, tokens=TOKENS)
    completion = await client.chat.completions.create(model="gpt-4.1", messages=ASKED)
    assert completion.choices[0].message.content == TEXT
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.prompt_tokens_details is not None
    assert completion.usage.prompt_tokens_details.cached_tokens == 30


@pytest.mark.parametrize("vendor", COMPATIBLE)
async def test_a_streamed_chat_with_calls_of_each_vendor(provider, vendor):
    provider.script(*THOUGHT, *SPOKEN, *CALLS, tokens=TOKENS)
    base_url = provider.base_urls[vendor] + ("/v1" if vendor in SLASH_V1 else "")
    tools = [{"type": "function", "function": FUNCTION}, {"type": "function", "function": CLOCK}]
    async with AsyncOpenAI(api_key=KEY, base_url=base_url, max_retries=0) as client:
        chunks = await all_of(
            await client.chat.completions.create(
                model="gpt-4.1", messages=ASKED, tools=tools, stream=True, stream_options={"include_usage": True}
            )
        )
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(delta.content or "" for delta in deltas).endswith(TEXT)
    fragments = [fragment for delta in deltas for fragment in delta.tool_calls or ()]
    assert [fragment.function.name for fragment in fragments if fragment.id] == ["weather", "time"]
    written = "".join(fragment.function.arguments or "" for fragment in fragments)
    assert json.loads(f"[{written.replace('}{', '},{')}]") == [arguments for _, arguments in CALLED]
    usages = [chunk.usage for chunk in chunks if chunk.usage is not None]
    assert usages[-1].total_tokens == 120


@pytest.mark.parametrize("vendor", COMPATIBLE)
async def test_a_chat_of_each_vendor(provider, vendor):
    provider.script(*THOUGHT, *SPOKEN, tokens=TOKENS)
    base_url = provider.base_urls[vendor] + ("/v1" if vendor in SLASH_V1 else "")
    async with AsyncOpenAI(api_key=KEY, base_url=base_url, max_retries=0) as client:
        completion = await client.chat.completions.create(model="gpt-4.1", messages=ASKED)
    message = completion.choices[0].message
    assert message.content is not None
    assert message.content.endswith(TEXT)
    told = getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None)
    assert told == (None if vendor in ("openai", "baseten") else REASONING)


async def test_the_clients_own_assembly_of_a_streamed_chat(provider, client):
    provider.script(*SPOKEN, CALLS[0])
    async with client.chat.completions.stream(
        model="gpt-4.1", messages=ASKED, tools=[{"type": "function", "function": FUNCTION}]
    ) as stream:
        events = await all_of(stream)
        completion = await stream.get_final_completion()
    assert "".join(event.delta for event in events if event.type == "content.delta") == TEXT
    message = completion.choices[0].message
    assert message.content == TEXT
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.parsed_arguments == {"city": "Zürich"}


async def test_a_structured_chat(provider, client):
    provider.script(Say(PERSON_TEXT))
    completion = await client.chat.completions.create(
        model="gpt-4.1", messages=ASKED, response_format={"type": "json_schema", "json_schema": FORMAT}
    )
    assert json.loads(completion.choices[0].message.content or "") == {"name": "Ada", "age": 36}


async def test_a_refusal_of_the_model(provider, client):
    provider.script(Refuse("I would rather not."))
    completion = await client.chat.completions.create(model="gpt-4.1", messages=ASKED)
    assert completion.choices[0].message.refusal == "I would rather not."


async def test_azures_client(provider):
    provider.script(*SPOKEN)
    async with AsyncAzureOpenAI(
        api_key=KEY,
        azure_endpoint=provider.base_urls["azure-openai"],
        api_version="2024-10-21",
        azure_deployment="my-deployment",
        max_retries=0,
    ) as client:
        chunks = await all_of(await client.chat.completions.create(model="gpt-4.1", messages=ASKED, stream=True))
    assert chunks[0].choices == []
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == TEXT


async def test_errors_are_the_clients_own(provider, client):
    provider.reply(Refusal(429, "tokens", "Slow down", "rate_limit_exceeded", headers={"retry-after": "7"}))
    with pytest.raises(openai.RateLimitError, match="Slow down") as limited:
        await client.chat.completions.create(model="gpt-4.1", messages=ASKED)
    assert (limited.value.code, limited.value.response.headers["retry-after"]) == ("rate_limit_exceeded", "7")
    with pytest.raises(openai.BadRequestError, match="Unknown parameter: 'colour'"):
        await client.responses.create(model="gpt-4.1", input="Hello?", extra_body={"colour": "red"})
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key=WRONG_KEY).responses.create(model="gpt-4.1", input="Hello?")
    provider.script(Say("Half"), Break("server_error", "boom"))
    with pytest.raises(openai.APIError, match="boom"):
        await all_of(await client.chat.completions.create(model="gpt-4.1", messages=ASKED, stream=True))
