"""Whose a bare model id is: the provider that lists it, else one whose pattern it matches, else Ollama."""

from __future__ import annotations

import pytest

from keyway.catalog import Catalog
from keyway.errors import ModelUnavailable

CATALOG = Catalog.load()


@pytest.mark.parametrize("model", CATALOG.models(), ids=lambda model: model.id)
def test_a_listed_model_belongs_to_the_provider_that_lists_it(model):
    assert CATALOG.provider_of(model.id).id == model.provider
    assert CATALOG.provider_of(model.id.upper()).id == model.provider


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("GPT-9-turbo", "openai"),
        ("o4-mini-2025-04-16", "openai"),
        ("o9", "openai"),
        ("text-embedding-3-small", "openai"),
        ("gpt-5.1-codex", "openai"),
        ("claude-fable-1", "anthropic"),
        ("claude-sonnet-4-20250514", "anthropic"),
        ("gemini-9", "google"),
        ("deep-research-max", "google"),
        ("grok-9", "xai"),
        ("cerebras/anything", "cerebras"),
        ("groq/anything", "groq"),
        ("mistral-huge", "mistral"),
        ("magistral-x", "mistral"),
        ("open-mistral-7b", "mistral"),
        ("codestral-x", "mistral"),
        ("ministral-x", "mistral"),
        ("devstral-x", "mistral"),
        ("azure/my-deployment", "azure-openai"),
        ("azure-anthropic/my-deployment", "azure-anthropic"),
        ("vertex/gemini-9", "vertex"),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock"),
        ("fireworks/accounts/fireworks/models/kimi-k3", "fireworks"),
        ("together/moonshotai/Kimi-K3", "together"),
        ("baseten/moonshotai/Kimi-K3", "baseten"),
        ("openrouter/openai/gpt-4o", "openrouter"),
        ("Ollama-Cloud/gpt-oss:120b", "ollama-cloud"),
        ("vllm/generic", "vllm"),
        ("litellm/gpt-4o", "litellm"),
    ],
)
def test_an_unlisted_id_belongs_to_the_provider_whose_pattern_it_matches(model, provider):
    assert CATALOG.provider_of(model).id == provider


@pytest.mark.parametrize("model", ["llama3", "deepseek-r9", "qwen3:32b", "ollama/llama3", "openai/gpt-4o", "fireworks"])
def test_an_id_that_nobody_claims_is_ollamas(model):
    assert CATALOG.provider_of(model).id == "ollama"


@pytest.mark.parametrize(
    ("name", "provider"),
    [("llama-3.3-70b-versatile", "ollama"), ("claude-opus-4-6", "anthropic"), ("gpt-oss-120b", "openai")],
)
def test_a_name_without_its_prefix_is_not_taken_for_a_listed_model(name, provider):
    assert CATALOG.provider_of(name).id == provider


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-9", "gpt-4.1-2025-04-14"])
def test_a_blocked_providers_model_is_not_handed_to_another(model):
    with pytest.raises(ModelUnavailable, match="'openai' is not available here"):
        Catalog.load(blocked_providers=["openai"]).provider_of(model)


def test_with_ollama_blocked_an_unknown_id_is_refused():
    with pytest.raises(ModelUnavailable, match="'ollama' is not available here"):
        Catalog.load(blocked_providers=["ollama"]).provider_of("llama3")


def test_an_operators_provider_claims_its_ids_before_ollama_does():
    acme = {"name": "Acme", "wire": "openai_chat", "legacyKeys": "caller", "modelPatterns": ["^acme/"]}
    catalog = Catalog.load(providers={"acme": acme}, models={"acme": {"anvil-1": {}}})
    assert catalog.provider_of("acme/hammer").id == "acme"
    assert catalog.provider_of("Anvil-1").id == "acme"
