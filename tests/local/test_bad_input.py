"""Requests that are wrong: a 4xx that names the field, no provider called, and the environment goes on serving."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from infra.local.caller import Caller
from infra.local.provider import Say, ScriptedProvider
from infra.local.system import LocalSystem
from tests.local.asking import assert_charged_once, question, streamed

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = question("openai")
NOT_JSON = [b"", b"{", b"hello", b"\xff\xfe", b'{"provider": NaN}', b"[" * 100_000]
WRONG: list[tuple[object, str]] = [
    ([], "object"),
    ("text", "object"),
    (None, "object"),
    ({}, "provider"),
    ({**GOOD, "provider": 5}, "provider"),
    ({**GOOD, "provider": ""}, "provider"),
    ({**GOOD, "model": None}, "model"),
    ({**GOOD, "model": ["gpt-4.1"]}, "model"),
    ({**GOOD, "messages": []}, "messages"),
    ({**GOOD, "messages": "hello"}, "messages"),
    ({**GOOD, "messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
    ({**GOOD, "messages": [{"role": "user"}]}, "messages[0]"),
    ({**GOOD, "messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    ({**GOOD, "messages": [{"role": "user", "content": "a\0b"}]}, "messages[0].content"),
    ({**GOOD, "messages": [{"role": "user", "content": "x", "colour": "red"}]}, "messages[0].colour"),
    ({**GOOD, "maxTokens": -5}, "maxTokens"),
    ({**GOOD, "maxTokens": 0}, "maxTokens"),
    ({**GOOD, "maxTokens": "many"}, "maxTokens"),
    ({**GOOD, "maxTokens": 1.5}, "maxTokens"),
    ({**GOOD, "temperature": "warm"}, "temperature"),
    ({**GOOD, "temperature": 99}, "temperature"),
    ({**GOOD, "stream": "yes"}, "stream"),
    ({**GOOD, "tools": [{"id": "no spaces allowed"}]}, "tools[0].id"),
    ({**GOOD, "tools": [{"id": "a"}, {"id": "a"}]}, "tools"),
    ({**GOOD, "responseFormat": {"name": "x"}}, "responseFormat.schema"),
    ({**GOOD, "apiKey": 5}, "apiKey"),
    ({**GOOD, "workspaceId": {}}, "workspaceId"),
    ({**GOOD, "colour": "red"}, "colour"),
]


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:20]))
async def test_a_body_that_is_no_json_is_a_400_that_says_so(
    provider: ScriptedProvider, caller: Caller, body: bytes
) -> None:
    reply = await caller.post(body)
    assert reply.status == 400
    assert error(reply.json)["type"] == "InvalidRequest"
    assert "body" in error(reply.json)["message"]
    assert provider.requests == []


@pytest.mark.parametrize(("body", "field"), WRONG)
async def test_a_wrong_field_is_a_400_that_names_it(
    provider: ScriptedProvider, caller: Caller, body: object, field: str
) -> None:
    reply = await caller.post(json.dumps(body).encode())
    assert reply.status == 400
    assert error(reply.json)["type"] == "InvalidRequest"
    assert field in error(reply.json)["message"]
    assert error(reply.json)["requestId"]
    assert "Traceback" not in reply.body.decode()
    assert provider.requests == []


@pytest.mark.parametrize(
    ("change", "named"),
    [({"provider": "nobody"}, "nobody"), ({"provider": "anthropic", "model": "gpt-4.1"}, "gpt-4.1")],
)
async def test_an_unknown_provider_or_model_is_refused_by_name(
    provider: ScriptedProvider, caller: Caller, change: dict[str, str], named: str
) -> None:
    reply = await caller.post({**GOOD, **change})
    assert 400 <= reply.status < 500
    assert named in error(reply.json)["message"]
    assert provider.requests == []


async def test_a_body_of_seven_megabytes_is_a_413_and_never_reaches_the_function(
    provider: ScriptedProvider, caller: Caller
) -> None:
    reply = await caller.post(json.dumps(question("openai", "x" * 7 * 1024 * 1024)).encode())
    assert reply.status == 413
    assert provider.requests == []


async def test_a_body_of_five_megabytes_is_served(provider: ScriptedProvider, caller: Caller) -> None:
    provider.script(Say("A long one."))
    stream = await streamed(caller, question("openai", "x" * 5 * 1024 * 1024))
    assert stream.last["content"] == "A long one."


async def test_a_nul_in_a_header_is_a_400(system: LocalSystem, provider: ScriptedProvider) -> None:
    address = urlsplit(system.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"POST /v1/execute HTTP/1.1\r\nhost: x\r\nx-name: a\0b\r\ncontent-length: 2\r\n\r\n{}")
    assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
    writer.close()
    assert provider.requests == []


async def test_a_nul_in_a_key_is_a_400_that_does_not_show_the_key(provider: ScriptedProvider, caller: Caller) -> None:
    for key in ("sk-secret\0", "sk-secret\r\nx-more: 1", "sk-geheim-schlüssel"):
        reply = await caller.post({**GOOD, "apiKey": key})
        assert 400 <= reply.status < 500, key
        assert "sk-secret" not in reply.body.decode()
        assert "sk-geheim" not in reply.body.decode()
    assert provider.requests == []


@pytest.mark.parametrize(("body", "field"), [(body, field) for body, field in WRONG if isinstance(body, dict)])
async def test_a_bare_event_fails_with_the_errors_name_and_ignores_what_it_does_not_know(
    provider: ScriptedProvider, caller: Caller, body: dict[str, object], field: str
) -> None:
    if field.endswith("colour"):
        provider.script(Say("Hi"))
        reply = await caller.invoke(body)
        assert reply.json is not None
        assert reply.json["content"] == "Hi"
        return
    reply = await caller.invoke(body)
    assert reply.json is not None
    assert reply.json["errorType"] == "InvalidRequest"
    assert field in str(reply.json["errorMessage"])


async def test_after_all_this_the_same_environment_still_serves(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller
) -> None:
    provider.script(Say("Hello"))
    answer = (await streamed(caller, GOOD)).last
    assert_charged_once(answer, await system.lines.about(answer["requestId"]))
    assert not [line for line in system.complaints if '"ERROR"' in line or "Traceback" in line]
    assert len(system.function.pids) == 1


def error(body: object) -> dict[str, str]:
    assert isinstance(body, dict)
    assert isinstance(body["error"], dict)
    return body["error"]
