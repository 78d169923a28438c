"""Finding a provider, and what its row says."""

from __future__ import annotations

import pytest

from keyway.catalog import Catalog
from keyway.catalog.rows import AuthHeader, Hosting, Strip
from keyway.errors import ModelUnavailable

CATALOG = Catalog.load()
BEARER = (AuthHeader("authorization", "Bearer "),)


def test_there_are_twenty_providers():
    assert {provider.id for provider in CATALOG.providers()} == {
        "anthropic",
        "azure-anthropic",
        "azure-openai",
        "baseten",
        "bedrock",
        "cerebras",
        "deepseek",
        "fireworks",
        "google",
        "groq",
        "litellm",
        "mistral",
        "ollama",
        "ollama-cloud",
        "openai",
        "openrouter",
        "together",
        "vertex",
        "vllm",
        "xai",
    }


def test_the_platform_may_pay_for_exactly_eight():
    assert {provider.id: provider.hosting for provider in CATALOG.providers() if provider.hosting is not None} == {
        "openai": Hosting("OPENAI_API_KEY", "openai", covers_catalog=True),
        "anthropic": Hosting("ANTHROPIC_API_KEY", "anthropic", covers_catalog=True),
        "google": Hosting("GEMINI_API_KEY", "google", covers_catalog=True),
        "mistral": Hosting("MISTRAL_API_KEY", "mistral"),
        "fireworks": Hosting("FIREWORKS_API_KEY", "fireworks"),
        "together": Hosting("TOGETHER_API_KEY", "together"),
        "baseten": Hosting("BASETEN_API_KEY", "baseten"),
        "ollama-cloud": Hosting("OLLAMA_CLOUD_API_KEY", "ollama-cloud"),
    }


@pytest.mark.parametrize(
    ("rule", "providers"),
    [
        ("rotation", {"openai", "anthropic", "google", "mistral"}),
        ("singular", {"fireworks", "together", "baseten"}),
        ("pool-only", {"ollama-cloud"}),
        ("caller", {"vertex", "deepseek", "xai", "cerebras", "groq", "openrouter"}),
        ("caller-or-own", {"vllm", "litellm"}),
        ("caller-or-blank", {"azure-openai", "azure-anthropic"}),
        ("empty", {"ollama"}),
        ("ambient", {"bedrock"}),
    ],
)
def test_whose_key_pays_without_the_flag(rule, providers):
    assert {provider.id for provider in CATALOG.providers() if provider.legacy == rule} == providers


@pytest.mark.parametrize(
    ("provider", "address"),
    [
        ("openai", "https://api.openai.com/v1"),
        ("anthropic", "https://api.anthropic.com"),
        ("google", "https://generativelanguage.googleapis.com/v1beta"),
        ("vertex", "https://{location}-aiplatform.googleapis.com/v1beta1"),
        ("deepseek", "https://api.deepseek.com/v1"),
        ("xai", "https://api.x.ai/v1"),
        ("cerebras", "https://api.cerebras.ai/v1"),
        ("groq", "https://api.groq.com/openai/v1"),
        ("mistral", "https://api.mistral.ai"),
        ("ollama", "http://localhost:11434/v1"),
        ("ollama-cloud", "https://ollama.com/v1"),
        ("openrouter", "https://openrouter.ai/api/v1"),
        ("fireworks", "https://api.fireworks.ai/inference/v1"),
        ("together", "https://api.together.ai/v1"),
        ("baseten", "https://inference.baseten.co/v1"),
        ("bedrock", "https://bedrock-runtime.{region}.amazonaws.com"),
        ("azure-openai", None),
        ("azure-anthropic", None),
        ("vllm", None),
        ("litellm", None),
    ],
)
def test_where_a_provider_is_reached(provider, address):
    assert CATALOG.provider(provider).base_url == address


@pytest.mark.parametrize("provider", CATALOG.providers(), ids=lambda provider: provider.id)
def test_which_headers_carry_the_key(provider):
    others = {
        "anthropic": (AuthHeader("x-api-key"),),
        "azure-anthropic": (AuthHeader("api-key"), AuthHeader("x-api-key")),
        "azure-openai": (AuthHeader("api-key"),),
        "bedrock": (),
        "google": (AuthHeader("x-goog-api-key"),),
    }
    assert provider.auth == others.get(provider.id, BEARER)
    assert provider.signing == ("bedrock" if provider.id == "bedrock" else None)


def test_anthropics_api_version_is_pinned_wherever_it_is_spoken():
    for provider in ("anthropic", "azure-anthropic"):
        assert CATALOG.provider(provider).headers == {"anthropic-version": "2023-06-01"}


def test_a_provider_sold_at_anothers_prices_names_one_that_exists():
    sold = {provider.id: provider.priced_as for provider in CATALOG.providers() if provider.priced_as}
    assert sold == {"azure-openai": "openai", "azure-anthropic": "anthropic", "vertex": "google"}
    with pytest.raises(ValueError, match="providers: acme: pricedAs 'opanai' is not a provider"):
        Catalog.load(providers={"acme": {"name": "A", "wire": "w", "legacyKeys": "caller", "pricedAs": "opanai"}})


def test_an_unknown_provider_is_refused_with_the_known_ones():
    with pytest.raises(ModelUnavailable, match=r"'opanai' is unknown; known are anthropic, azure-anthropic, .*, xai$"):
        CATALOG.provider("opanai")


@pytest.mark.parametrize("blocked", ["anthropic", "Anthropic", "anth*", "*"])
def test_a_blocked_provider_is_not_available_and_not_named(blocked):
    catalog = Catalog.load(blocked_providers=["", blocked])
    with pytest.raises(ModelUnavailable, match="'anthropic' is not available here; known are") as refusal:
        catalog.provider("anthropic")
    assert " anthropic," not in refusal.value.message
    assert not any(model.provider == "anthropic" for model in catalog.models())


@pytest.mark.parametrize(
    ("provider", "asked", "sent"),
    [
        ("groq", "groq/openai/gpt-oss-120b", "openai/gpt-oss-120b"),
        ("groq", "Groq/llama", "llama"),
        ("groq", "groq/groq/compound", "groq/compound"),
        ("openrouter", "openrouter/anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4.5"),
        ("openrouter", "openrouter/openrouter/auto", "openrouter/auto"),
        ("openrouter", "meta/openrouter/x", "meta/openrouter/x"),
        ("fireworks", "fireworks/accounts/fireworks/models/kimi-k3", "accounts/fireworks/models/kimi-k3"),
        ("together", "together/meta-llama/Llama-3-8b-chat-hf", "meta-llama/Llama-3-8b-chat-hf"),
        ("baseten", "baseten/moonshotai/Kimi-K3", "moonshotai/Kimi-K3"),
        ("ollama-cloud", "ollama-cloud/gpt-oss:120b", "gpt-oss:120b"),
        ("azure-openai", "azure/gpt-4o", "gpt-4o"),
        ("azure-openai", "my-azure/gpt-4o", "my-gpt-4o"),
        ("azure-anthropic", "azure-anthropic/claude-opus-4-6", "claude-opus-4-6"),
        ("vertex", "vertex/gemini-2.5-pro", "gemini-2.5-pro"),
        ("cerebras", "cerebras/gpt-oss-120b", "gpt-oss-120b"),
        ("litellm", "litellm/openai/gpt-4o", "openai/gpt-4o"),
        ("vllm", "vllm/generic", "generic"),
        ("bedrock", "bedrock/meta.llama3-3-70b-instruct-v1:0", "meta.llama3-3-70b-instruct-v1:0"),
        ("deepseek", "deepseek-chat", "deepseek-chat"),
        ("ollama", "hf.co/bartowski/llama", "hf.co/bartowski/llama"),
        ("openai", "openai/gpt-4o", "openai/gpt-4o"),
    ],
)
def test_our_prefix_is_removed_once_and_by_the_rows_rule(provider, asked, sent):
    row = CATALOG.provider(provider)
    assert row.sent_as(asked) == sent
    assert CATALOG.model(row, asked).sent_as == sent


def test_an_unanchored_prefix_is_removed_wherever_it_first_stands():
    assert Strip("azure/", anchored=False)("a/azure/azure/b") == "a/azure/b"
