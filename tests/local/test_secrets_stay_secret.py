"""Whatever is asked and however it fails: no key stands in any byte that leaves, nor in any line that is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

import httpx
import pytest

from infra.local.outage import Outage
from infra.local.provider import Break, Raw, Refusal, Reply, Say, Script, ScriptedProvider, Verbatim
from infra.local.system import CALLERS_KEY, LocalSystem
from tests.local.asking import both_vendors, for_good, question

pytestmark = pytest.mark.asyncio(loop_scope="module")

BY: Mapping[str, dict[str, object]] = {
    "the platform": {},
    "the workspace": {"workspaceId": "ws-with-keys"},
    "the caller": {"workspaceId": None, "apiKey": CALLERS_KEY},
}


def said(key: str) -> str:
    return f"Incorrect API key provided: {key}. Really: {key}"


QUOTES: list[Callable[[str], Reply]] = [
    lambda key: Refusal(400, "invalid_request_error", said(key)),
    lambda key: Refusal(401, "authentication_error", said(key), code="invalid_api_key"),
    lambda key: Refusal(403, key, said(key), code=key),
    lambda key: Refusal(404, "not_found_error", said(key), code="model_not_found"),
    lambda key: Refusal(429, "rate_limit_error", said(key), headers={"retry-after": key}),
    lambda key: Refusal(500, "api_error", said(key)),
    lambda key: Verbatim(502, f"<html>{said(key)}</html>".encode()),
    lambda key: Verbatim(200, said(key).encode()),
    lambda key: Verbatim(200, f'{{"error": "{said(key)}"}}'.encode(), "application/json"),
    lambda key: Verbatim(307, b"", headers={"location": f"http://127.0.0.1:9/?key={key}"}),
    lambda key: Script(Say("Hel"), Break("server_error", said(key))),
    lambda key: Script(Say("Hel"), Break(key, said(key), "final")),
    lambda key: Script(Say("Hel"), Raw(f"event: error\ndata: {said(key)}\n\n".encode()), Break("x", said(key))),
]
"""A vendor that quotes the key wherever it can."""


def _quoted(quote: Callable[[str], Reply], key: str) -> Reply:
    return for_good(quote(key))


@both_vendors
@pytest.mark.parametrize("who", BY)
@pytest.mark.parametrize("stream", [True, False])
async def test_a_vendor_that_quotes_the_key_is_not_quoted(
    system: LocalSystem, provider: ScriptedProvider, secrets: frozenset[str], *, vendor: str, who: str, stream: bool
) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        for quote in QUOTES:
            provider.reply(partial(_quoted, quote))
            body = question(vendor, stream=stream, **BY[who])
            async with http.stream("POST", f"{system.url}/v1/execute", json=body) as answer:
                seen = f"{answer.status_code} {answer.headers}".encode() + b"".join(
                    [part async for part in answer.aiter_raw()]
                )
            assert b"error" in seen
            assert not any(secret.encode() in seen for secret in secrets), seen
    assert {received.key for received in provider.requests} <= secrets


async def test_errors_of_our_own_show_no_key(
    system: LocalSystem, provider: ScriptedProvider, secrets: frozenset[str]
) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for wrong in ([CALLERS_KEY], {CALLERS_KEY: 1}, f"{CALLERS_KEY}\n", f"{CALLERS_KEY}\0"):
            reply = await http.post(f"{system.url}/v1/execute", json=question("openai", apiKey=wrong))
            assert 400 <= reply.status_code < 500
            assert CALLERS_KEY not in reply.text
        for outage in Outage:
            if outage is Outage.SILENT:
                continue
            system.aws.outages.declare("dynamodb", outage)
            reply = await http.post(f"{system.url}/v1/execute", json=question("openai", apiKey=CALLERS_KEY))
            system.aws.outages.mend()
            assert reply.status_code == 503
            assert not any(secret in reply.text for secret in secrets)
    assert provider.requests == []


async def test_bare_events_fail_without_showing_a_key(
    system: LocalSystem, provider: ScriptedProvider, secrets: frozenset[str]
) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        provider.reply(Refusal(401, "authentication_error", f"Incorrect API key provided: {CALLERS_KEY}"))
        event = question("openai", apiKey=CALLERS_KEY, workspaceId=None)
        reply = await http.post(system.function.invoke_url, content=json.dumps(event))
    assert reply.json()["errorType"] == "AuthFailed"
    assert not any(secret in reply.text for secret in secrets)
