"""Requests that choose their own address: what goes there is the caller's, and nothing of anybody else's."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Sequence
from typing import Any

import pytest
import trustme

from keyway.chat import Caller, ChatRequest
from keyway.errors import InvalidRequest, KeyRequired, KeywayError
from keyway.outside.addresses import AddressGuard
from keyway.outside.upstream import HttpUpstream
from tests.exchange.harness import CALLERS_SECRET, HOSTED_SECRET, WORKSPACE_SECRET, Stores, call, captured, gateway_over
from tests.exchange.parcels import CATALOG
from tests.outside.raw import Raw, serving

NAME = "llm.example"
CHOOSERS = ["azure-openai", "azure-anthropic", "vllm"]
PLATFORM = dict.fromkeys(
    ("VLLM_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_ANTHROPIC_API_KEY", "OPENAI_API_KEY_1"), HOSTED_SECRET
)


def rich() -> Stores:
    """Everybody has stored a key for everything."""
    providers = [provider.id for provider in CATALOG.providers()]
    return Stores(platform=PLATFORM, workspace={("w", provider): WORKSPACE_SECRET for provider in providers})


async def on_loopback(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def ask(provider: str, *, key: str | None, open_to: bool = True, operators: str | None = None) -> tuple[Raw, Any]:
    """What a server at the caller's address received, and the error it ended with. The server refuses everything."""
    authority, authorities, tls = trustme.CA(), ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(authorities)
    authority.issue_cert(NAME, "127.0.0.1").configure_cert(tls)
    refusal = b"HTTP/1.1 422 No\r\ncontent-length: 2\r\nx-should-retry: false\r\n\r\n{}"
    guard = AddressGuard(on_loopback, (lambda _address: True)) if open_to else AddressGuard(on_loopback)
    async with serving(refusal, tls=tls) as server:
        base_urls = {provider: operators.format(server.port)} if operators else {}
        async with contextlib.aclosing(HttpUpstream(guard=guard, authorities=authorities)) as upstream:
            keyway = gateway_over(upstream, rich(), base_urls=base_urls)
            request = {
                "provider": provider,
                "model": CATALOG.provider(provider).default_model,
                "messages": [{"role": "user", "content": "Hello"}],
                "azureEndpoint": f"https://{NAME}:{server.port}",
            }
            caller = {"workspaceId": "w", "userId": "u"} | ({"apiKey": key} if key else {})
            with pytest.raises(KeywayError) as ended:
                await keyway.open(ChatRequest.model_validate(request), Caller.model_validate(caller), call())
    return server, ended.value


@pytest.mark.parametrize("provider", CHOOSERS)
async def test_the_callers_own_key_goes_where_the_caller_says(provider):
    server, _ = await ask(provider, key=CALLERS_SECRET)
    assert CALLERS_SECRET in server.heads[0]
    assert server.names == [NAME]


@pytest.mark.parametrize("provider", CHOOSERS)
async def test_no_stored_key_does(provider):
    with captured() as lines:
        server, error = await ask(provider, key=None)
    assert isinstance(error, KeywayError)
    for text in (*server.heads, *map(repr, server.bodies), lines.text, repr(error)):
        for secret in (HOSTED_SECRET, WORKSPACE_SECRET):
            assert secret not in text
    assert not lines.metrics
    if isinstance(error, KeyRequired):
        assert server.connections == 0


@pytest.mark.parametrize("provider", CHOOSERS)
async def test_an_address_that_is_not_public_is_refused_without_a_connection(provider):
    with captured() as lines:
        server, error = await ask(provider, key=CALLERS_SECRET, open_to=False)
    assert isinstance(error, InvalidRequest)
    assert error.message == f"azureEndpoint: {NAME} is not a public address"
    assert error.status == 400
    assert server.connections == 0
    assert len(lines.exchanges) == 1


@pytest.mark.parametrize("provider", CHOOSERS)
async def test_the_operators_address_is_trusted_and_gets_the_platforms_key(provider):
    """It is not even looked up by the guard, which here would refuse it."""
    server, _ = await ask(provider, key=None, open_to=False, operators="https://127.0.0.1:{}")
    assert HOSTED_SECRET in server.heads[0]


def test_the_rows_that_let_callers_choose_are_these():
    assert [provider.id for provider in CATALOG.providers() if provider.caller_endpoint] == CHOOSERS
