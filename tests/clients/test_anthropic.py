"""Anthropic's own client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import anthropic
import pytest
from anthropic import AsyncAnthropic

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

MODEL = "claude-sonnet-4-6"
ASKED = [{"role": "user", "content": "Hello?"}]
TOOLS = [{"name": name, "description": "A tool", "input_schema": PARAMETERS} for name in ("weather", "time")]


@pytest.fixture
async def client(provider: ScriptedProvider) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(api_key=KEY, base_url=provider.base_urls["anthropic"], max_retries=0) as client:
        yield client


async def test_a_message(provider, client):
    provider.script(*SPOKEN, tokens=TOKENS)
    message = await client.messages.create(model=MODEL, max_tokens=100, messages=ASKED)
    assert (message.content[0].text, message.stop_reason) == (TEXT, "end_turn")
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (70, 30, 20)


async def test_a_streamed_message_with_thinking_and_calls(provider, client):
    provider.script(*THOUGHT, *SPOKEN, *CALLS, tokens=TOKENS)
    async with client.messages.stream(
        model=MODEL,
        max_tokens=4000,
        messages=ASKED,
        tools=TOOLS,
        thinking={"type": "enabled", "budget_tokens": 1024},
    ) as stream:
        events = await all_of(stream)
        message = await stream.get_final_message()
    assert "".join(event.text for event in events if event.type == "text") == TEXT
    thinking, text, *calls = message.content
    assert (thinking.thinking, text.text) == (REASONING, TEXT)
    assert thinking.signature
    assert [(call.name, call.input) for call in calls] == CALLED
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 20)


async def test_a_conversation_goes_on_with_what_came(provider, client):
    provider.script(*THOUGHT, CALLS[0])
    thinking = {"type": "enabled", "budget_tokens": 1024}
    asked = {"model": MODEL, "max_tokens": 4000, "tools": TOOLS, "thinking": thinking}
    first = await client.messages.create(messages=ASKED, **asked)
    result = {"type": "tool_result", "tool_use_id": first.content[-1].id, "content": "12 degrees"}
    turns = [*ASKED, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    provider.script(*SPOKEN)
    assert (await client.messages.create(messages=turns, **asked)).content[0].text == TEXT


async def test_a_structured_message(provider, client):
    provider.script(Say(PERSON_TEXT))
    message = await client.messages.create(
        model=MODEL,
        max_tokens=100,
        messages=ASKED,
        output_config={"format": {"type": "json_schema", "schema": PERSON}},
    )
    assert json.loads(message.content[0].text) == {"name": "Ada", "age": 36}


async def test_a_refusal_of_the_model(provider, client):
    provider.script(Refuse("No."))
    message = await client.messages.create(model=MODEL, max_tokens=100, messages=ASKED)
    assert message.stop_reason == "refusal"


async def test_errors_are_the_clients_own(provider, client):
    asked = {"model": MODEL, "max_tokens": 100, "messages": ASKED}
    provider.reply(Refusal(429, "rate_limit_error", "Slow down", headers={"retry-after": "7"}))
    with pytest.raises(anthropic.RateLimitError, match="Slow down") as limited:
        await client.messages.create(**asked)
    assert limited.value.request_id
    with pytest.raises(anthropic.BadRequestError, match="Extra inputs are not permitted"):
        await client.messages.create(**asked, extra_body={"colour": "red"})
    with pytest.raises(anthropic.AuthenticationError):
        await client.with_options(api_key=WRONG_KEY).messages.create(**asked)
    provider.script(Say("Half"), Break("overloaded_error", "Overloaded"))
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        await all_of(await client.messages.create(**asked, stream=True))
