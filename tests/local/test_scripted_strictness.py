"""Each vendor takes what it takes, and refuses the rest in its own words; over a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from infra.local.provider import Refusal, Say, ScriptedProvider
from tests.local.gemini_question import question

KEY = "good-key-0123456789"
WRONG = "wrong-key-0123456789"
OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": OBJECT}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": OBJECT}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
INLINE = {**IMAGE, "image_url": {"url": "data:image/png;base64,AA=="}}
USER = {"role": "user", "content": "Hello?"}
CALL = {"id": "call12345", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
SAID = {"role": "assistant", "content": "x"}
RESULT = {"role": "tool", "tool_call_id": "call12345", "content": "x"}

CHAT_PATHS = {
    "azure-openai": "/openai/deployments/gpt-4o/chat/completions?api-version=2024-07-01-preview",
    "mistral": "/v1/chat/completions",
    "vllm": "/v1/chat/completions",
    "litellm": "/v1/chat/completions",
}
CHATS = (
    "openai", "azure-openai", "deepseek", "xai", "cerebras", "groq", "mistral", "ollama", "ollama-cloud", "openrouter",
    "fireworks", "together", "baseten", "vllm", "litellm",
)  # fmt: skip
ALL = (*CHATS, "google", "vertex")


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(keys={name: {KEY} for name in ALL}) as provider:
        yield provider


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def chat(provider: ScriptedProvider, vendor: str, /, *, key: str | None = KEY, **changes: object) -> httpx.Request:
    url = provider.base_urls[vendor] + CHAT_PATHS.get(vendor, "/chat/completions")
    headers = (
        {} if key is None else {"api-key": key} if vendor == "azure-openai" else {"authorization": f"Bearer {key}"}
    )
    body = {"model": "some-model", "messages": [USER], **changes}
    return httpx.Request("POST", url, headers=headers, json=body)


def request(provider: ScriptedProvider, vendor: str, *, key: str | None = KEY) -> httpx.Request:
    return chat(provider, vendor, key=key) if vendor in CHATS else question(provider, vendor, key=key)


@pytest.mark.parametrize("vendor", ALL)
async def test_a_plain_request_is_answered(provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str) -> None:
    provider.script(Say("Well met."))
    answer = await client.send(request(provider, vendor))
    assert answer.status_code == 200
    assert "Well met." in answer.text


@pytest.mark.parametrize("vendor", ALL)
async def test_a_wrong_key_is_refused_and_never_repeated(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    wrong = await client.send(request(provider, vendor, key=WRONG))
    missing = await client.send(request(provider, vendor, key=None))
    assert {wrong.status_code, missing.status_code} <= {400, 401, 403}
    assert WRONG not in wrong.text
    wrong.json()
    missing.json()


def called_as(call_id: str) -> list[dict[str, object]]:
    return [{**CALLING, "tool_calls": [{**CALL, "id": call_id}]}, {**RESULT, "tool_call_id": call_id}]


ERRORS: Mapping[str, object] = {
    "openai": {"error": {"message": "Slow down", "type": "rate_limit", "param": None, "code": "tokens"}},
    "azure-openai": {"error": {"message": "Slow down", "type": "rate_limit", "param": None, "code": "tokens"}},
    "groq": {"error": {"message": "Slow down", "type": "rate_limit", "code": "tokens"}},
    "cerebras": {"message": "Slow down", "type": "rate_limit", "param": None, "code": "tokens"},
    "xai": {"code": "tokens", "error": "Slow down"},
    "mistral": {"message": "Slow down", "request_id": f"{1:032x}"},
    "openrouter": {"error": {"message": "Slow down", "code": 429}, "user_id": "user_scripted"},
    "vllm": {"error": {"message": "Slow down", "type": "rate_limit", "param": None, "code": 429}},
    "fireworks": {"error": {"object": "error", "type": "rate_limit", "code": "tokens", "message": "Slow down"}},
    "baseten": {"error": "Slow down"},
    "google": {
        "error": {
            "code": 429,
            "message": "Slow down",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "tokens", "domain": "googleapis.com"},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"},
            ],
        }
    },
}


@pytest.mark.parametrize("vendor", ERRORS)
async def test_each_vendor_tells_an_error_in_its_own_form(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    provider.reply(Refusal(429, "rate_limit", "Slow down", "tokens", headers={"retry-after": "7"}))
    answer = await client.send(request(provider, vendor))
    assert (answer.status_code, answer.json()) == (429, ERRORS[vendor])


REFUSED = [
    ("openai", {"colour": "red"}, 400, "Unknown parameter: 'colour'."),
    ("openai", {"messages": [USER, {**SAID, "reasoning": "y"}]}, 400, "messages[1].reasoning"),
    ("openai", {"messages": [USER, CALLING]}, 400, "did not have response messages: call12345"),
    ("openai", {"messages": [USER, RESULT]}, 400, "must be a response to a preceeding message"),
    ("openai", {"model": "gpt-5", "max_tokens": 5}, 400, "Use 'max_completion_tokens' instead"),
    ("openai", {"model": "gpt-5", "temperature": 0.5}, 400, "Only the default (1) value is supported"),
    ("openai", {"stream_options": {"include_usage": True}}, 400, "only allowed when 'stream' is enabled"),
    ("openai", {"tool_choice": "auto"}, 400, "only allowed when 'tools' are specified"),
    ("openai", {"response_format": {"type": "json_object"}}, 400, "must contain the word 'json'"),
    (
        "openai",
        {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": OBJECT, "strict": True}}},
        400,
        "'additionalProperties' is required",
    ),
    (
        "azure-openai",
        {"messages": [USER, *called_as("c" * 41)]},
        400,
        "string too long",
    ),
    ("mistral", {"stream_options": {"include_usage": True}}, 422, "extra_forbidden"),
    ("mistral", {"max_completion_tokens": 5}, 422, "max_completion_tokens"),
    ("mistral", {"messages": [USER, CALLING, RESULT, USER]}, 400, "Unexpected role 'user' after role 'tool'"),
    ("mistral", {"messages": [USER, SAID]}, 400, "prefix"),
    (
        "mistral",
        {"messages": [USER, *called_as("call_1")]},
        400,
        "with a length of 9",
    ),
    ("deepseek", {"messages": [USER, CALLING, RESULT]}, 400, "in the thinking mode must be passed back"),
    ("deepseek", {"response_format": SCHEMA}, 400, "This response_format type is unavailable now"),
    ("deepseek", {"messages": [{"role": "developer", "content": "x"}, USER]}, 422, "unknown variant `developer`"),
    ("deepseek", {"messages": [{"role": "user", "content": [IMAGE]}]}, 400, "unknown variant `image_url`"),
    ("groq", {"colour": "red"}, 400, "property 'colour' is unsupported"),
    (
        "groq",
        {"messages": [USER, {**SAID, "reasoning_content": "y"}]},
        400,
        "'messages.1' : for 'role:assistant' the following must be satisfied",
    ),
    ("groq", {"tools": [TOOL], "response_format": SCHEMA}, 400, "json mode cannot be combined"),
    ("cerebras", {"store": True}, 400, "property 'body.store' is unsupported"),
    ("fireworks", {"colour": "red"}, 400, "Extra inputs are not permitted, field: 'colour'"),
    (
        "fireworks",
        {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": OBJECT, "strict": True}}},
        400,
        "response_format.json_schema.strict",
    ),
    ("xai", {"model": "grok-4.20", "reasoning_effort": "low"}, 400, "does not support parameter reasoningEffort"),
    ("xai", {"temperature": 5}, 422, "less than or equal to 2"),
    ("ollama", {"messages": [{"role": "user", "content": [IMAGE]}]}, 400, "invalid image input"),
    ("litellm", {"messages": [USER, CALLING, RESULT]}, 400, "expects the `tools=` param"),
    ("vllm", {"messages": []}, 400, "messages"),
]  # fmt: skip


@pytest.mark.parametrize("refused", REFUSED)
async def test_a_chat_the_vendor_would_refuse_is_refused(provider, client, refused) -> None:
    vendor, changes, status, words = refused
    answer = await client.send(chat(provider, vendor, **changes))
    assert answer.status_code == status
    assert words in json.dumps(answer.json(), ensure_ascii=False).replace('\\"', '"')


TAKEN = [
    ("openai", {"model": "gpt-5", "max_completion_tokens": 5, "reasoning_effort": "low"}),
    ("openai", {"messages": [USER, CALLING, RESULT], "tools": [TOOL], "tool_choice": "auto"}),
    ("mistral", {"messages": [USER, CALLING, RESULT], "tools": [TOOL], "tool_choice": "any"}),
    ("mistral", {"messages": [USER, {**SAID, "prefix": True}]}),
    ("deepseek", {"messages": [USER, {**CALLING, "reasoning_content": ""}, RESULT], "thinking": {"type": "enabled"}}),
    ("cerebras", {"messages": [USER, {**SAID, "reasoning": "y"}]}),
    ("groq", {"reasoning_format": "parsed"}),
    ("fireworks", {"response_format": SCHEMA, "stream": True, "stream_options": {"include_usage": True}}),
    ("openrouter", {"reasoning": {"effort": "low"}, "provider": {"require_parameters": True}}),
    ("vllm", {"colour": "red"}),
    ("ollama", {"messages": [{"role": "user", "content": [INLINE]}]}),
    ("litellm", {"messages": [USER, {**CALLING, "thinking_blocks": []}, RESULT], "tools": [TOOL]}),
]  # fmt: skip


@pytest.mark.parametrize(("vendor", "changes"), TAKEN)
async def test_a_chat_the_vendor_would_take_is_taken(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str, changes: dict[str, Any]
) -> None:
    provider.script(Say("x"))
    answer = await client.send(chat(provider, vendor, **changes))
    assert (answer.status_code, answer.text if answer.status_code != 200 else "") == (200, "")


async def test_azure_wants_a_dated_version(provider: ScriptedProvider, client: httpx.AsyncClient) -> None:
    dated = chat(provider, "azure-openai")
    undated = httpx.Request("POST", dated.url.copy_with(query=None), headers=dated.headers, content=dated.content)
    assert (await client.send(undated)).status_code == 404
