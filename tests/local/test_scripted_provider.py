"""The scripted provider's own behaviour: gates, cuts, keys, strictness, and what it remembers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from infra.local.provider import (
    Break,
    Cut,
    Gate,
    HangUp,
    Refusal,
    Say,
    Script,
    ScriptedProvider,
    Start,
    Tokens,
    Verbatim,
    Wait,
    words,
)

OPENAI = {"model": "gpt-4.1", "input": "Hello?", "stream": True}
ANTHROPIC = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello?"}],
    "stream": True,
}
SPOKEN = {
    "openai": ("/responses", {"authorization": "Bearer good"}, OPENAI),
    "anthropic": ("/v1/messages", {"x-api-key": "good", "anthropic-version": "2023-06-01"}, ANTHROPIC),
}
both = pytest.mark.parametrize("vendor", SPOKEN)


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(keys={name: {"good"} for name in SPOKEN}) as provider:
        yield provider


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def request(provider: ScriptedProvider, vendor: str, **changes: object) -> httpx.Request:
    path, headers, body = SPOKEN[vendor]
    return httpx.Request("POST", provider.base_urls[vendor] + path, headers=headers, json={**body, **changes})


@both
async def test_nothing_after_a_gate_is_sent_before_it_is_opened(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    gate = Gate()
    provider.script(Say("before"), Wait(gate), Say("after"))
    response = await client.send(request(provider, vendor), stream=True)
    seen = b""
    async for chunk in response.aiter_raw():
        seen += chunk
        if b'"before"' in seen and b'"after"' not in seen:
            await gate.reached()
            gate.open()
    assert b'"after"' in seen
    assert await provider.requests[0].ended() == "answered"


@both
async def test_a_gate_before_any_content_holds_back_the_status_line(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    gate = Gate()
    provider.script(Wait(gate), Say("late"))
    sending = asyncio.create_task(client.send(request(provider, vendor), stream=True))
    await gate.reached()
    assert not sending.done()
    gate.open()
    response = await sending
    assert "late" in (await response.aread()).decode()


@both
async def test_a_started_answer_has_its_status_before_its_content(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    gate = Gate()
    provider.script(Start(), Wait(gate), Say("late"))
    response = await client.send(request(provider, vendor), stream=True)
    assert response.status_code == 200
    gate.open()
    assert "late" in (await response.aread()).decode()


@both
async def test_every_step_is_a_chunk_of_its_own(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    provider.script(*words("one two three"))
    body = (await client.send(request(provider, vendor))).text
    for word in ("one", " two", " three"):
        assert f'"{word}"' in body


@both
async def test_a_cut_body_is_whole_for_http_and_a_dropped_one_is_not(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    provider.script(Say("half"), Cut())
    body = (await client.send(request(provider, vendor))).text
    assert "half" in body
    assert "response.completed" not in body
    assert "message_stop" not in body
    provider.script(Say("half"), HangUp())
    with pytest.raises(httpx.RemoteProtocolError):
        await client.send(request(provider, vendor))
    assert await provider.requests[1].ended() == "hung up"


@both
async def test_a_client_that_leaves_is_noticed(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    provider.script(Say("hello"), Wait(Gate()))
    response = await client.send(request(provider, vendor), stream=True)
    await anext(response.aiter_raw())
    await response.aclose()
    assert await provider.requests[0].ended() == "abandoned"


@both
async def test_a_wrong_key_and_a_missing_one_are_401(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    wrong = request(provider, vendor)
    for name in ("authorization", "x-api-key"):
        if name in wrong.headers:
            wrong.headers[name] = wrong.headers[name].replace("good", "sk-a-wrong-key-0001")
    answer = await client.send(wrong)
    assert answer.status_code == 401
    assert "sk-a-wrong-key-0001" not in answer.text
    bare = httpx.Request("POST", wrong.url, json=SPOKEN[vendor][2])
    assert (await client.send(bare)).status_code == 401


async def test_each_vendor_words_its_refusals_in_its_own_way(
    provider: ScriptedProvider, client: httpx.AsyncClient
) -> None:
    for vendor in SPOKEN:
        provider.reply(
            Refusal(429, "rate_limit_error", "Slow down", "rate_limit_exceeded", headers={"retry-after": "7"})
        )
        answer = await client.send(request(provider, vendor))
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "7"
        error = {"message": "Slow down", "type": "rate_limit_error"}
        if vendor == "openai":
            assert answer.json() == {"error": {**error, "param": None, "code": "rate_limit_exceeded"}}
            assert answer.headers["x-request-id"].startswith("req_")
        else:
            request_id = answer.headers["request-id"]
            assert answer.json() == {"type": "error", "error": error, "request_id": request_id}


MISTAKES = [
    ("openai", {"colour": "red"}, "Unknown parameter: 'colour'."),
    ("openai", {"model": 5}, "Invalid type for 'model'"),
    ("openai", {"max_output_tokens": 1}, "integer below minimum value"),
    ("openai", {"model": "gpt-5", "temperature": 1}, "Unsupported parameter: 'temperature'"),
    ("openai", {"reasoning": {"effort": "low"}}, "Unsupported parameter: 'reasoning.effort'"),
    ("openai", {"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, "Invalid value"),
    ("openai", {"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "'input[0].content[0].text'"),
    (
        "openai",
        {"input": [{"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}]},
        "No tool output found for function call c1.",
    ),
    (
        "openai",
        {"input": [{"type": "function_call_output", "call_id": "c1", "output": "x"}]},
        "No tool call found for function call output with call_id c1.",
    ),
    (
        "openai",
        {"tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}]},
        "'additionalProperties' is required",
    ),
    ("openai", {"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
    ("openai", {"tool_choice": {"type": "function", "name": "f"}}, "not found in 'tools'"),
    ("anthropic", {"colour": "red"}, "colour: Extra inputs are not permitted"),
    ("anthropic", {"max_tokens": None}, "max_tokens: Input should be a valid integer"),
    ("anthropic", {"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
    ("anthropic", {"model": "claude-opus-4-8", "temperature": 1.0}, "temperature: `temperature` is deprecated"),
    ("anthropic", {"messages": [{"role": "assistant", "content": "x"}]}, 'must use the "user" role'),
    (
        "anthropic",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        "messages.0.content.0.text.text: String should have at least 1 character",
    ),
    (
        "anthropic",
        {
            "messages": [
                {"role": "user", "content": "x"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]},
                {"role": "user", "content": "y"},
            ]
        },
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1",
    ),
    (
        "anthropic",
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]}]},
        "unexpected `tool_use_id` found in `tool_result` blocks: t1",
    ),
    ("anthropic", {"thinking": {"type": "enabled", "budget_tokens": 1024}}, "must be greater than"),
    (
        "anthropic",
        {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 0.5},
        "may only be set to 1",
    ),
    (
        "anthropic",
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        "'additionalProperties' must be explicitly set to false",
    ),
]


@pytest.mark.parametrize(("vendor", "changes", "words"), MISTAKES)
async def test_a_request_the_vendor_would_refuse_is_refused(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str, changes: dict[str, object], words: str
) -> None:
    answer = await client.send(request(provider, vendor, **changes))
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert provider.requests[0].status == 400


async def test_replies_find_the_request_they_are_meant_for(
    provider: ScriptedProvider, client: httpx.AsyncClient
) -> None:
    provider.script(Say("for the second"), asked="second")
    provider.script(Say("for anybody"))
    first = await client.send(request(provider, "openai", input="the first"))
    second = await client.send(request(provider, "openai", input="the second"))
    assert "for anybody" in first.text
    assert "for the second" in second.text
    assert provider.forget() == 0


async def test_it_remembers_requests_with_the_key_and_without_judging_them(
    provider: ScriptedProvider, client: httpx.AsyncClient
) -> None:
    await client.send(request(provider, "openai"))
    await client.send(request(provider, "anthropic", colour="red"))
    assert [(one.provider, one.key, one.status) for one in provider.requests] == [
        ("openai", "good", 200),
        ("anthropic", "good", 400),
    ]
    assert provider.requests[1].body["colour"] == "red"


async def test_a_verbatim_answer_goes_out_as_it_is(provider: ScriptedProvider, client: httpx.AsyncClient) -> None:
    provider.reply(Verbatim(502, b"<html>Bad gateway</html>", headers={"server": "cloudflare"}))
    answer = await client.send(request(provider, "openai"))
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (
        502,
        b"<html>Bad gateway</html>",
        "text/html",
    )


@both
async def test_without_a_script_it_makes_conversation_word_by_word(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    body = (await client.send(request(provider, vendor))).text
    assert body.count(".delta" if vendor == "openai" else "text_delta") > 10


@both
async def test_unreported_tokens_are_left_out_and_content_types_can_lie(
    provider: ScriptedProvider, client: httpx.AsyncClient, vendor: str
) -> None:
    provider.reply(Script(Say("x"), report_tokens=False, content_type="application/octet-stream"))
    answer = await client.send(request(provider, vendor))
    assert '"output_tokens"' not in answer.text
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_cached_tokens_are_inside_openais_input_and_beside_anthropics(
    provider: ScriptedProvider, client: httpx.AsyncClient
) -> None:
    tokens = Tokens(input=100, output=10, cache_read=30, cache_write=20, cache_write_1h=5, reasoning=4)
    usages = {}
    for vendor in SPOKEN:
        provider.script(Say("x"), tokens=tokens)
        usages[vendor] = (await client.send(request(provider, vendor, stream=False))).json()["usage"]
    assert usages["openai"] == {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
        "output_tokens": 10,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 110,
    }
    assert usages["anthropic"]["input_tokens"] == 50
    assert usages["anthropic"]["cache_read_input_tokens"] == 30
    assert usages["anthropic"]["cache_creation"] == {"ephemeral_5m_input_tokens": 15, "ephemeral_1h_input_tokens": 5}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("flat", '"type":"error","code":"server_error","message":"boom","param":null'),
        (
            "nested",
            '"type":"error","error":{"type":"server_error","code":"server_error","message":"boom","param":null}',
        ),
        ("final", '"status":"failed"'),
    ],
)
async def test_openai_breaks_in_three_shapes(
    provider: ScriptedProvider, client: httpx.AsyncClient, form: str, expected: str
) -> None:
    provider.script(Say("x"), Break("server_error", "boom", form))  # type: ignore[arg-type]
    assert expected in (await client.send(request(provider, "openai"))).text
