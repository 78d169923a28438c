"""A provider nobody has heard of is one row of data: whatever protocol of ours it speaks, it can be called.

Nothing but the operator's rows knows of Acme here. Its host is the scripted provider, at the path of a vendor that
speaks the same protocol.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from pydantic import SecretStr

from infra.local.provider import Script, ScriptedProvider, Tokens, words
from keyway.answer import Answer
from keyway.catalog import Catalog
from keyway.chat import Caller, ChatRequest, Json
from keyway.errors import KeyRequired, ModelUnavailable, UnpricedModel
from keyway.outside.upstream import HttpUpstream
from tests.exchange.harness import (
    CALLERS_SECRET,
    HOSTED_SECRET,
    WORKSPACE_SECRET,
    Lines,
    Stores,
    call,
    captured,
    gateway_over,
)

PRICE = {"input": "2", "output": "10", "updatedAt": "2026-11-01"}
HOSTING = {"keyPrefix": "ACME_API_KEY", "byokProvider": "acme"}
STORES = Stores(platform={"ACME_API_KEY_1": HOSTED_SECRET}, workspace={("w-own", "acme"): WORKSPACE_SECRET})
BEARER = [{"header": "authorization", "prefix": "Bearer "}]


@dataclass(frozen=True)
class Acme:
    """Acme, if it spoke ``wire``: the row's own part, and whose path on the scripted provider is the same."""

    wire: str
    like: str
    row: Json = field(default_factory=dict)
    asks: Json = field(default_factory=dict)

    def provider_row(self, provider: ScriptedProvider, **more: object) -> Json:
        row = {"auth": BEARER, **self.row, **more}
        address = provider.base_urls[self.like]
        return {"name": "Acme", "wire": self.wire, "baseUrl": address, "legacyKeys": "caller", **row}


EVERY_WIRE = {
    acme.wire: acme
    for acme in (
        Acme("openai_chat", "openrouter", {"dialect": {"max_tokens": "max_tokens", "files": "none"}}),
        Acme("openai_responses", "openai"),
        Acme("anthropic_messages", "anthropic", {"auth": [{"header": "x-api-key"}]}),
        Acme("gemini_generate", "google", {"auth": [{"header": "x-goog-api-key"}]}),
        Acme("google_interactions", "google", {"auth": [{"header": "x-goog-api-key"}]}),
        Acme("bedrock_converse", "bedrock", {"auth": [], "signing": "bedrock"}, {"bedrockRegion": "eu-west-1"}),
    )
}
every_wire = pytest.mark.parametrize("acme", EVERY_WIRE.values(), ids=EVERY_WIRE)
either_way = pytest.mark.parametrize("stream", [True, False], ids=["stream", "document"])


async def ask(catalog: Catalog, asks: Json, *, workspace: str, key: str | None = None) -> tuple[Answer, Lines]:
    """What is answered by a gateway whose operator has set no addresses, and what it writes down."""
    request = {"provider": "acme", "model": "acme-1", "messages": [{"role": "user", "content": "Hello"}], **asks}
    caller = Caller.model_validate({"workspaceId": workspace, "apiKey": key and SecretStr(key)})
    with captured() as lines:
        async with contextlib.aclosing(HttpUpstream()) as upstream:
            keyway = gateway_over(upstream, STORES, catalog=catalog)
            answer = await (await keyway.open(ChatRequest.model_validate(request), caller, call())).whole()
    return answer, lines


@either_way
@every_wire
async def test_it_is_called_with_a_callers_key(acme: Acme, stream: bool):
    async with ScriptedProvider(keys={acme.like: {CALLERS_SECRET}}) as provider:
        provider.reply(Script(*words("Hello from Acme."), tokens=Tokens(1_000, 100)))
        catalog = Catalog.load(providers={"acme": acme.provider_row(provider)}, models={"acme": {"acme-1": {}}})
        answer, lines = await ask(catalog, {**acme.asks, "stream": stream}, workspace="w1", key=CALLERS_SECRET)

    assert (answer.content, answer.finish_reason, answer.origin) == ("Hello from Acme.", "stop", "caller")
    assert answer.usage is not None
    assert (answer.usage.input, answer.usage.output) == (1_000, 100)
    assert lines.metrics == []
    assert [line["provider"] for line in lines.exchanges] == ["acme"]


@either_way
@every_wire
async def test_it_is_hosted_when_the_row_says_so(acme: Acme, stream: bool):
    async with ScriptedProvider(keys={acme.like: {HOSTED_SECRET}}) as provider:
        provider.reply(Script(*words("Hello from Acme."), tokens=Tokens(1_000, 100)))
        row = acme.provider_row(provider, hosting=HOSTING, legacyKeys="pool-only")
        catalog = Catalog.load(
            providers={"acme": row}, models={"acme": {"acme-1": {}}}, prices={"acme": {"acme-1": PRICE}}
        )
        answer, lines = await ask(catalog, {**acme.asks, "stream": stream}, workspace="w1")

    assert (answer.content, answer.origin, answer.key) == ("Hello from Acme.", "hosted", "ACME_API_KEY_1")
    assert answer.cost.total == lines.charged == Decimal("0.003")
    [used], [charged] = lines.named("Used"), lines.named("CostCharged")
    assert {(line["Provider"], line["Tool"]) for line in (used, charged)} == {("acme", "acme-1")}


async def test_a_hosted_one_takes_the_workspaces_own_key_first():
    acme = EVERY_WIRE["openai_chat"]
    async with ScriptedProvider(keys={acme.like: {WORKSPACE_SECRET}}) as provider:
        provider.reply(Script(*words("Hello."), tokens=Tokens(1_000, 100)))
        row = acme.provider_row(provider, hosting=HOSTING, legacyKeys="pool-only")
        answer, lines = await ask(Catalog.load(providers={"acme": row}), {"model": "acme-2"}, workspace="w-own")

    assert (answer.content, answer.origin, answer.cost.total) == ("Hello.", "byok", 0)
    assert lines.metrics == []


async def test_without_a_price_no_platform_key_pays_for_it():
    acme = EVERY_WIRE["openai_chat"]
    async with ScriptedProvider() as provider:
        row = acme.provider_row(provider, hosting=HOSTING, legacyKeys="pool-only")
        with pytest.raises(UnpricedModel):
            await ask(Catalog.load(providers={"acme": row}), {}, workspace="w1")
        assert not provider.requests


async def test_one_that_is_not_hosted_is_paid_for_by_nobody_else():
    acme = EVERY_WIRE["openai_chat"]
    async with ScriptedProvider() as provider:
        with pytest.raises(KeyRequired):
            await ask(Catalog.load(providers={"acme": acme.provider_row(provider)}), {}, workspace="w1")
        assert not provider.requests


async def test_its_models_are_found_by_a_bare_name():
    async with ScriptedProvider() as provider:
        row = EVERY_WIRE["openai_chat"].provider_row(provider, modelPatterns=["^acme-"])
        catalog = Catalog.load(providers={"acme": row}, models={"acme": {"pluto": {}}})

    assert catalog.provider_of("acme-9").id == catalog.provider_of("pluto").id == "acme"
    assert "acme" in {offer.model.provider for offer in catalog.listing()}


async def test_without_its_row_it_is_not_there():
    with pytest.raises(ModelUnavailable, match="'acme' is unknown"):
        await ask(Catalog.load(), {}, workspace="w1", key=CALLERS_SECRET)
