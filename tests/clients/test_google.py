"""Google's Gen AI client, for the Gemini API and for Vertex AI, and over the Interactions API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from google import genai
from google.auth.credentials import Credentials
from google.genai import errors, types

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

MODEL = "gemini-3-flash-preview"
FUNCTIONS = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name=name, description="A tool", parameters_json_schema=PARAMETERS)
            for name in ("weather", "time")
        ]
    )
]
THINKING = types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW)


class Token(Credentials):
    """An access token that somebody has got already."""

    def __init__(self) -> None:
        super().__init__()
        self.token = KEY

    def refresh(self, _request: object) -> None:
        raise AssertionError("the token is still good")


def google(provider: ScriptedProvider, *, key: str = KEY) -> genai.Client:
    base_url = provider.base_urls["google"].removesuffix("/v1beta")
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=base_url, api_version="v1beta"))


def vertex(provider: ScriptedProvider) -> genai.Client:
    base_url = provider.base_urls["vertex"].removesuffix("/v1beta1")
    return genai.Client(
        vertexai=True,
        project="my-project",
        location="us-central1",
        credentials=Token(),
        http_options=types.HttpOptions(base_url=base_url, api_version="v1beta1"),
    )


@pytest.fixture(params=[google, vertex])
async def client(provider: ScriptedProvider, request: pytest.FixtureRequest) -> AsyncIterator[genai.client.AsyncClient]:
    with request.param(provider) as client:
        async with client.aio as asynchronous:
            yield asynchronous


async def test_an_answer(provider, client):
    provider.script(*THOUGHT, *SPOKEN, tokens=TOKENS)
    config = types.GenerateContentConfig(
        thinking_config=THINKING, system_instruction="Be brief.", max_output_tokens=100
    )
    answer = await client.models.generate_content(model=MODEL, contents="Hello?", config=config)
    assert answer.text == TEXT
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert [part.text for part in answer.candidates[0].content.parts if part.thought] == [REASONING]
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (100, 30)
    assert (usage.candidates_token_count, usage.thoughts_token_count, usage.total_token_count) == (16, 4, 120)


async def test_a_streamed_answer_with_calls(provider, client):
    provider.script(*THOUGHT, *SPOKEN, *CALLS, tokens=TOKENS)
    config = types.GenerateContentConfig(thinking_config=THINKING, tools=FUNCTIONS)
    chunks = await all_of(await client.models.generate_content_stream(model=MODEL, contents="Hello?", config=config))
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts or ()]
    assert "".join(part.text or "" for part in parts if not part.thought) == TEXT
    calls = [call for chunk in chunks for call in chunk.function_calls or ()]
    assert [(call.name, call.args) for call in calls] == CALLED
    assert chunks[-1].usage_metadata.total_token_count == 120


async def test_a_chat_replays_its_thought_signatures(provider, client):
    provider.script(*THOUGHT, CALLS[0])
    chat = client.chats.create(model=MODEL, config=types.GenerateContentConfig(tools=FUNCTIONS))
    assert (await chat.send_message("What is the weather?")).function_calls[0].name == "weather"
    provider.script(*SPOKEN)
    result = types.Part.from_function_response(name="weather", response={"celsius": 12})
    assert (await chat.send_message(result)).text == TEXT
    assert "thoughtSignature" in json.dumps(provider.requests[-1].body)


async def test_a_structured_answer(provider, client):
    provider.script(Say(PERSON_TEXT))
    config = types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=PERSON)
    answer = await client.models.generate_content(model=MODEL, contents="Who?", config=config)
    assert answer.parsed == {"name": "Ada", "age": 36}


async def test_a_blocked_prompt(provider, client):
    provider.script(ending="content_filter")
    answer = await client.models.generate_content(model=MODEL, contents="Hello?")
    assert not answer.candidates
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


async def test_errors_are_the_clients_own(provider, client):
    provider.reply(Refusal(429, "RESOURCE_EXHAUSTED", "Slow down"))
    with pytest.raises(errors.ClientError, match="Slow down") as limited:
        await client.models.generate_content(model=MODEL, contents="Hello?")
    assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")
    old = types.GenerateContentConfig(thinking_config=THINKING)
    with pytest.raises(errors.ClientError, match="Thinking level is not supported"):
        await client.models.generate_content(model="gemini-2.5-flash", contents="Hello?", config=old)
    provider.script(Say("Half"), Break("UNAVAILABLE", "Overloaded"))
    with pytest.raises(errors.ServerError, match="Overloaded"):
        await all_of(await client.models.generate_content_stream(model=MODEL, contents="Hello?"))


async def test_a_wrong_key_is_a_bad_request(provider):
    with google(provider, key=WRONG_KEY) as client:
        async with client.aio as asynchronous:
            with pytest.raises(errors.ClientError, match="API key not valid"):
                await asynchronous.models.generate_content(model=MODEL, contents="Hello?")


async def test_an_interaction(provider):
    asked = {
        "agent": "deep-research-preview",
        "input": "What is a gateway?",
        "background": True,
        "store": True,
        "agent_config": {"type": "deep-research", "thinking_summaries": "auto"},
    }
    with google(provider) as client:
        async with client.aio as asynchronous:
            provider.script(*THOUGHT, *SPOKEN, tokens=TOKENS)
            events = await all_of(await asynchronous.interactions.create(**asked, stream=True))
            provider.script(*SPOKEN)
            whole = await asynchronous.interactions.create(**asked)
    deltas = [event.delta for event in events if event.event_type == "step.delta"]
    assert "".join(delta.text for delta in deltas if delta.type == "text") == TEXT
    assert "".join(delta.content.text for delta in deltas if delta.type == "thought_summary") == REASONING
    completed = next(event for event in events if event.event_type == "interaction.completed")
    assert (completed.interaction.status, completed.interaction.usage.total_tokens) == ("completed", 120)
    assert whole.steps[-1].content[0].text == TEXT
