"""Which settings the vendors' models take. The whole of it is ``resolution.txt``; here stand the rules behind it."""

from __future__ import annotations

import pytest

from keyway.catalog import Catalog

CATALOG = Catalog.load()
LOW_TO_HIGH = ("low", "medium", "high")


def model(provider, model_id):
    found = CATALOG.model(CATALOG.provider(provider), model_id)
    assert found.known
    return found


def listed(provider):
    return [model for model in CATALOG.models() if model.provider == provider]


@pytest.mark.parametrize(
    ("models", "efforts"),
    [
        (["gpt-5.5-pro", "gpt-5.4-pro", "gpt-5.2-pro"], ("medium", "high", "xhigh")),
        (["gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano", "gpt-5.2"], ("none", *LOW_TO_HIGH, "xhigh")),
        (["gpt-5.1"], ("none", *LOW_TO_HIGH)),
        (["gpt-5-pro"], ("high",)),
        (["gpt-5", "gpt-5-mini", "gpt-5-nano"], ("minimal", *LOW_TO_HIGH)),
        (["o4-mini", "o3", "o3-mini", "o1"], LOW_TO_HIGH),
        (["o3-pro", "gpt-4.1", "gpt-4o", "gpt-5-chat-latest"], ()),
    ],
)
def test_efforts_of_openais_models(models, efforts):
    assert all(model("openai", name).reasoning_efforts == efforts for name in models)


@pytest.mark.parametrize(
    ("models", "efforts"),
    [
        (["gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano", "o3", "o4-mini"], LOW_TO_HIGH),
        (["gpt-5.2", "gpt-5.1", "gpt-5.1-codex"], ("none", *LOW_TO_HIGH)),
        (["gpt-5", "gpt-5-mini", "gpt-5-nano"], ("minimal", *LOW_TO_HIGH)),
        (["gpt-4o", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-5-chat", "model-router"], ()),
    ],
)
def test_efforts_of_azures_models_are_their_own(models, efforts):
    assert all(model("azure-openai", f"azure/{name}").reasoning_efforts == efforts for name in models)


@pytest.mark.parametrize("provider", ["openai", "azure-openai"])
def test_verbosity_belongs_to_the_fifth_generation_but_not_to_its_pro_and_chat_models(provider):
    for found in listed(provider):
        takes = "gpt-5" in found.id and "pro" not in found.id and "chat" not in found.id
        assert found.verbosities == (LOW_TO_HIGH if takes else ()), found.id


def test_no_other_vendor_has_efforts_or_verbosities():
    others = [model for model in CATALOG.models() if model.provider not in ("openai", "azure-openai")]
    assert not any(model.reasoning_efforts or model.verbosities for model in others)


@pytest.mark.parametrize(
    ("provider", "name", "levels", "adaptive"),
    [
        ("anthropic", "claude-opus-4-8", (*LOW_TO_HIGH, "xhigh", "max"), True),
        ("anthropic", "claude-opus-4-7", (*LOW_TO_HIGH, "xhigh", "max"), True),
        ("anthropic", "claude-opus-4-6", (*LOW_TO_HIGH, "max"), True),
        ("anthropic", "claude-sonnet-4-6", (*LOW_TO_HIGH, "max"), True),
        ("anthropic", "claude-haiku-4-5", LOW_TO_HIGH, False),
        ("anthropic", "claude-3-haiku-20240307", (), False),
        ("azure-anthropic", "azure-anthropic/claude-opus-4-6", (*LOW_TO_HIGH, "max"), True),
        ("azure-anthropic", "azure-anthropic/claude-opus-4-5", LOW_TO_HIGH, False),
        ("google", "gemini-3.5-flash", ("minimal", *LOW_TO_HIGH), False),
        ("google", "gemini-3.1-flash-lite", ("minimal", *LOW_TO_HIGH), False),
        ("google", "gemini-3-flash-preview", ("minimal", *LOW_TO_HIGH), False),
        ("google", "gemini-3.1-pro-preview", LOW_TO_HIGH, False),
        ("google", "gemini-2.5-pro", (), False),
        ("google", "gemini-2.5-flash", (), False),
        ("vertex", "vertex/gemini-3-pro-preview", LOW_TO_HIGH, False),
    ],
)
def test_thinking_levels(provider, name, levels, adaptive):
    found = model(provider, name)
    assert (found.thinking_levels, found.adaptive_thinking) == (levels, adaptive)


@pytest.mark.parametrize(("sold", "original", "prefix"), [("vertex", "google", "vertex/")])
def test_a_twin_has_the_levels_and_range_of_its_original(sold, original, prefix):
    originals = {found.id: found for found in listed(original)}
    twins = [(found, originals[found.sent_as]) for found in listed(sold) if found.sent_as in originals]
    assert len(twins) == 10
    for twin, plain in twins:
        assert twin.id == prefix + plain.id
        assert (twin.thinking_levels, twin.temperature) == (plain.thinking_levels, plain.temperature)


@pytest.mark.parametrize(
    ("provider", "ranges"),
    [
        ("google", {(0, 2)}),
        ("xai", {(0, 2)}),
        ("groq", {(0, 2)}),
        ("mistral", {(0, 1.5)}),
        ("bedrock", {(0, 1)}),
        ("azure-anthropic", {(0, 1)}),
    ],
)
def test_one_range_of_temperature_for_all_models_of_a_vendor(provider, ranges):
    assert {found.temperature for found in listed(provider) if "deep-research" not in found.id} == ranges


@pytest.mark.parametrize(
    ("provider", "refusing"),
    [
        ("openai", {"gpt-5", "gpt-5.5", "gpt-5.4-mini", "gpt-5-pro", "o1", "o3-pro", "o4-mini"}),
        ("azure-openai", {"azure/model-router", "azure/gpt-5.1-codex", "azure/o3"}),
        ("anthropic", {"claude-opus-4-8", "claude-opus-4-7"}),
        ("google", {"deep-research-pro-preview-12-2025"}),
        ("vertex", {"vertex/deep-research-pro-preview-12-2025"}),
        ("deepseek", {"deepseek-v4-pro", "deepseek-r1", "deepseek-reasoner"}),
        ("cerebras", {"cerebras/llama3.1-8b", "cerebras/qwen-3-235b-a22b-instruct-2507"}),
    ],
)
def test_models_that_refuse_a_temperature(provider, refusing):
    without = {found.id for found in listed(provider) if found.temperature is None}
    assert refusing <= without
    if provider not in ("openai", "azure-openai"):
        assert refusing == without


@pytest.mark.parametrize("provider", CATALOG.providers(), ids=lambda provider: provider.id)
def test_what_an_unlisted_model_takes(provider):
    found = CATALOG.model(provider, "unlisted-model")
    widest = {"fireworks", "baseten", "openrouter", "ollama-cloud", "vllm", "litellm", "groq"}
    expected = (0, 2) if provider.id in widest else (0, 1) if provider.id in ("together", "bedrock") else None
    assert found.temperature == expected
    assert (found.reasoning_efforts, found.verbosities, found.thinking_levels) == ((), (), ())


def test_a_vendors_announced_end_is_told():
    ending = {offer.model.id for offer in CATALOG.listing() if offer.deprecated}
    assert {"gpt-4o", "azure/gpt-4o", "gemini-2.0-flash", "grok-3-latest", "mistral-large-2411"} <= ending
    assert not {"gpt-5.5", "gemini-2.5-pro", "grok-4.3", "mistral-large-latest"} & ending
