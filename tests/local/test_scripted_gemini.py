"""What Google's APIs take and what they refuse, as they are played; over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from infra.local.provider import Say, ScriptedProvider
from tests.local.gemini_question import KEY, question

OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(keys={name: {KEY} for name in ("google", "vertex")}) as provider:
        yield provider


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def contents(*turns: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"role": role, "parts": [part]} for role, part in turns]


DECLARED = [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": OBJECT}]}]
CALLED = {"functionCall": {"name": "f", "args": {}}}
RETURNED = {"functionResponse": {"name": "f", "response": {}}}
SAID = ("user", {"text": "x"})

REFUSED = [
    ("gemini-2.5-flash", {"colour": "red"}, 'Unknown name "colour": Cannot find field.'),
    ("gemini-2.5-flash", {"contents": []}, "contents is not specified"),
    ("gemini-2.5-flash", {"contents": contents(("system", {"text": "x"}))}, "valid role: user, model"),
    ("gemini-2.5-flash", {"contents": contents(("user", {}))}, "must have one initialized field"),
    (
        "gemini-2.5-flash",
        {"tools": [{"functionDeclarations": [{"name": "f", "parameters": {**OBJECT, "additionalProperties": False}}]}]},
        'Unknown name "additionalProperties"',
    ),
    (
        "gemini-2.5-flash",
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
        "Thinking level is not supported for this model.",
    ),
    (
        "gemini-3-flash-preview",
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 5}}},
        "only set only one of thinking budget and thinking level",
    ),
    (
        "gemini-2.0-flash",
        {"tools": DECLARED, "generationConfig": {"responseMimeType": "application/json"}},
        "Function calling with a response mime type: 'application/json' is unsupported",
    ),
    ("gemini-2.5-flash", {"contents": contents(SAID, ("model", CALLED), SAID)}, "number of function response parts"),
    ("gemini-2.5-flash", {"contents": contents(SAID, ("user", RETURNED))}, "immediately after a function call turn"),
    (
        "gemini-3-flash-preview",
        {"contents": contents(SAID, ("model", CALLED), ("user", RETURNED)), "tools": DECLARED},
        "missing a thought_signature",
    ),
    (
        "gemini-3-flash-preview",
        {"contents": contents(("user", {"text": "x"}), ("model", {"text": "y", "thoughtSignature": "not base64!"}))},
        "Base64 decoding failed",
    ),
    (
        "gemini-2.5-flash",
        {"tools": DECLARED, "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["f"]}}},
        "only when function calling mode is ANY",
    ),
]  # fmt: skip


@pytest.mark.parametrize("vendor", ["google", "vertex"])
@pytest.mark.parametrize("refused", REFUSED)
async def test_a_request_gemini_would_refuse_is_refused(provider, client, vendor, refused) -> None:
    model, changes, words = refused
    answer = await client.send(question(provider, vendor, model, **changes))
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert words in answer.json()["error"]["message"]


async def test_gemini_takes_a_signature_back_and_forgives_what_was_before_the_users_last_words(
    provider: ScriptedProvider, client: httpx.AsyncClient
) -> None:
    signed = {**CALLED, "thoughtSignature": "c2lnbmF0dXJl"}
    for history in (
        contents(SAID, ("model", signed), ("user", RETURNED)),
        contents(SAID, ("model", CALLED), ("user", RETURNED), ("model", {"text": "y"}), SAID),
    ):
        answer = await client.send(question(provider, model="gemini-3-flash-preview", contents=history, tools=DECLARED))
        assert answer.status_code == 200


async def test_a_stream_of_gemini_has_to_be_asked_for_as_events(
    provider: ScriptedProvider, client: httpx.AsyncClient
) -> None:
    plain = question(provider)
    url = str(plain.url).replace(":generateContent", ":streamGenerateContent")
    for query, status in (("", 400), ("?alt=sse", 200)):
        provider.script(Say("x"))
        sent = httpx.Request("POST", url + query, headers=plain.headers, content=plain.content)
        assert (await client.send(sent)).status_code == status


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"background": False}, "background=true is required"),
        ({"generation_config": {}}, "not supported for agent interactions"),
        ({"model": "gemini-3-flash"}, "Exactly one of model and agent"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
async def test_an_agent_refuses_what_it_cannot_do(
    provider: ScriptedProvider, client: httpx.AsyncClient, changes: dict[str, object], words: str
) -> None:
    task = {
        "agent": "deep-research-preview",
        "input": "What is a gateway?",
        "background": True,
        "store": True,
        **changes,
    }
    url = f"{provider.base_urls['google']}/interactions"
    answer = await client.post(url, headers={"x-goog-api-key": KEY}, json=task)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
