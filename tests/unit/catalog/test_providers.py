"""Finding a provider, and what its row says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyway.catalog import Catalog
from keyway.catalog.rows import AuthHeader, Hosting, Strip
from keyway.errors import ModelUnavailable

MORE = json.loads((Path(__file__).parent / "more_providers.json").read_text(encoding="utf-8"))


def test_openai_speaks_responses_with_a_bearer_token():
    openai = Catalog.load().provider("openai")
    assert (openai.wire, openai.base_url) == ("openai_responses", "https://api.openai.com/v1")
    assert openai.auth == (AuthHeader("authorization", "Bearer "),)
    assert openai.hosting == Hosting("OPENAI_API_KEY", "openai", covers_catalog=True)
    assert openai.legacy == "rotation"


def test_anthropic_pins_its_api_version_and_has_a_header_of_its_own_for_the_key():
    anthropic = Catalog.load().provider("anthropic")
    assert anthropic.auth == (AuthHeader("x-api-key"),)
    assert anthropic.headers == {"anthropic-version": "2023-06-01"}


def test_an_unknown_provider_is_refused_with_the_known_ones():
    with pytest.raises(ModelUnavailable, match=r"'opanai' is unknown; known are anthropic, openai"):
        Catalog.load().provider("opanai")


@pytest.mark.parametrize("blocked", ["anthropic", "Anthropic", "anth*", "*"])
def test_a_blocked_provider_is_not_available_and_not_named(blocked):
    catalog = Catalog.load(blocked_providers=["", blocked])
    with pytest.raises(ModelUnavailable, match=r"'anthropic' is not available here; known are (openai)?$"):
        catalog.provider("anthropic")
    assert not any(model.provider == "anthropic" for model in catalog.models())


def test_each_kind_of_provider_fits_a_row():
    catalog = Catalog.load(providers=MORE)
    assert len(catalog.providers()) == 20
    assert {provider.legacy for provider in catalog.providers()} == {
        "rotation",
        "singular",
        "caller",
        "caller-or-own",
        "caller-or-blank",
        "empty",
        "pool-only",
        "ambient",
    }
    assert catalog.provider("bedrock").signing == "bedrock"
    assert catalog.provider("azure-openai").base_url is None
    assert len(catalog.provider("azure-anthropic").auth) == 2
    assert catalog.provider("mistral").dialect == {"streamOptions": False}


@pytest.mark.parametrize(
    ("provider", "asked", "sent"),
    [
        ("groq", "groq/openai/gpt-oss-120b", "openai/gpt-oss-120b"),
        ("groq", "Groq/llama", "llama"),
        ("openrouter", "openrouter/openrouter/auto", "openrouter/auto"),
        ("openrouter", "meta/openrouter/x", "meta/openrouter/x"),
        ("azure-openai", "my-azure/gpt-4o", "my-gpt-4o"),
        ("vllm", "vllm/generic", "generic"),
        ("deepseek", "deepseek-chat", "deepseek-chat"),
    ],
)
def test_our_prefix_is_removed_once_and_by_the_rows_rule(provider, asked, sent):
    assert Catalog.load(providers=MORE).provider(provider).sent_as(asked) == sent


def test_an_unanchored_prefix_is_removed_wherever_it_first_stands():
    assert Strip("azure/", anchored=False)("a/azure/azure/b") == "a/azure/b"


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4.1", "openai"),
        ("GPT-9-turbo", "openai"),
        ("o4-mini-2025-04-16", "openai"),
        ("o9", "openai"),
        ("claude-fable-1", "anthropic"),
        ("gemini-9", "google"),
        ("vertex/gemini-2.5-pro", "vertex"),
        ("azure-anthropic/claude-sonnet-4-5", "azure-anthropic"),
    ],
)
def test_a_bare_model_id_finds_its_provider_by_row_or_pattern(model, provider):
    assert Catalog.load(providers=MORE).provider_of(model).id == provider


def test_a_model_nobody_claims_asks_for_a_provider():
    with pytest.raises(ModelUnavailable, match="no provider is known for 'llama3'; name one"):
        Catalog.load().provider_of("llama3")


def test_a_blocked_provider_claims_no_model():
    with pytest.raises(ModelUnavailable):
        Catalog.load(blocked_providers=["openai"]).provider_of("gpt-4.1")
