"""Every provider speaks protocols that exist, with flags that those protocols know."""

from __future__ import annotations

import pytest

from keyway.catalog import Catalog
from keyway.catalog.rows import Spoken
from keyway.wire.registry import WIRES, wire

CATALOG = Catalog.load()
SPOKEN = [
    pytest.param(Spoken(name, dialect), id=f"{provider.id}-{name}")
    for provider in CATALOG.providers()
    for name, dialect in {provider.wire: provider.dialect, **provider.other_wires}.items()
]


@pytest.mark.parametrize("spoken", SPOKEN)
def test_a_rows_dialect_is_accepted_by_its_wire(spoken):
    wire(spoken.wire).dialect(spoken.dialect)


def test_every_wire_is_spoken_by_some_provider():
    assert {param.values[0].wire for param in SPOKEN} == set(WIRES)


@pytest.mark.parametrize(
    ("wire_name", "providers"),
    [
        ("openai_responses", {"openai", "azure-openai"}),
        ("anthropic_messages", {"anthropic", "azure-anthropic"}),
        ("gemini_generate", {"google", "vertex"}),
        ("bedrock_converse", {"bedrock"}),
        (
            "openai_chat",
            {
                *("deepseek", "xai", "cerebras", "groq", "mistral", "ollama", "ollama-cloud", "openrouter"),
                *("fireworks", "together", "baseten", "vllm", "litellm"),
            },
        ),
    ],
)
def test_who_speaks_what(wire_name, providers):
    assert {provider.id for provider in CATALOG.providers() if provider.wire == wire_name} == providers


@pytest.mark.parametrize("provider", ["google", "vertex"])
def test_only_deep_research_goes_over_the_interactions_api(provider):
    row = CATALOG.provider(provider)
    by_wire = {model.id: CATALOG.spoken(row, model).wire for model in CATALOG.models() if model.provider == provider}
    assert {model for model, name in by_wire.items() if name == "google_interactions"} == {
        model for model in by_wire if "deep-research" in model
    }
    assert set(by_wire.values()) == {"gemini_generate", "google_interactions"}


def test_a_model_without_a_wire_of_its_own_is_spoken_to_as_its_provider_is():
    google = CATALOG.provider("google")
    for asked in ("gemini-2.5-pro", "unlisted"):
        assert CATALOG.spoken(google, CATALOG.model(google, asked)) == Spoken(google.wire, google.dialect)


def test_a_model_keeps_its_wire_under_another_case():
    vertex = CATALOG.provider("vertex")
    research = CATALOG.model(vertex, "Vertex/Deep-Research-Pro-Preview-12-2025")
    path = "/projects/{project}/locations/{location}/interactions"
    assert CATALOG.spoken(vertex, research) == Spoken("google_interactions", {"path": path})


def test_a_models_wire_has_to_be_one_that_its_provider_speaks():
    with pytest.raises(ValueError, match=r"openai: gpt-9: wire 'morse' is not among the otherWires of openai"):
        Catalog.load(models={"openai": {"gpt-9": {"wire": "morse"}}})
