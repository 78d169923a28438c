"""``GET /v1/models``: what every listed model takes and costs."""

from __future__ import annotations

import json
from decimal import Decimal

from keyway.capabilities import Model
from keyway.catalog import Catalog, Offer
from keyway.doors.models import models_json
from keyway.money import Price, Rates

FULL = Offer(
    Model(
        "gpt-5.4",
        "openai",
        "gpt-5.4",
        temperature=(0, 2),
        reasoning_efforts=("low", "high"),
        verbosities=("low",),
        thinking_levels=("medium",),
        structured_outputs=True,
        max_output_tokens=128_000,
        context_window=400_000,
    ),
    Price(Rates(input=Decimal("2.5"), output=Decimal(15), cache_read=Decimal("0.25")), "2026-06-11", "v1"),
    deprecated=True,
)
BARE = Offer(Model("vllm/generic", "vllm", "generic"), None, deprecated=False)


def test_a_model_in_full_and_one_of_which_nothing_is_known():
    assert json.dumps(models_json([FULL, BARE])) == (
        '{"object": "list", "data": ['
        '{"id": "gpt-5.4", "object": "model", "owned_by": "openai", "deprecated": true, "contextWindow": 400000, '
        '"maxOutputTokens": 128000, "capabilities": {"temperature": [0, 2], "reasoningEffort": ["low", "high"], '
        '"verbosity": ["low"], "thinkingLevel": ["medium"], "structuredOutputs": true}, '
        '"pricing": {"input": 2.5, "output": 15.0, "cachedInput": 0.25, "updatedAt": "2026-06-11"}}, '
        '{"id": "vllm/generic", "object": "model", "owned_by": "vllm", "deprecated": false, "contextWindow": null, '
        '"maxOutputTokens": null, "capabilities": {"temperature": null, "reasoningEffort": [], "verbosity": [], '
        '"thinkingLevel": [], "structuredOutputs": false}, "pricing": null}]}'
    )


def test_a_price_without_a_rate_for_cached_tokens_names_none():
    price = Price(Rates(input=Decimal(1), output=Decimal(2)), "2026-06-11", "v1")
    (shown,) = models_json([Offer(BARE.model, price, deprecated=False)])["data"]
    assert shown["pricing"] == {"input": 1.0, "output": 2.0, "updatedAt": "2026-06-11"}


def test_no_models_are_an_empty_list():
    assert models_json([]) == {"object": "list", "data": []}


def test_the_list_is_the_catalogs():
    catalog = Catalog.load(blocked_providers=["openai"], blocked_models=["claude-opus*"])
    data = json.loads(json.dumps(models_json(catalog.listing())))["data"]
    shown = [(model["owned_by"], model["id"]) for model in data]
    assert shown == [(model.provider, model.id) for model in catalog.models()]
    assert len(shown) > 100
    assert len(set(shown)) == len(shown)
    assert not [provider for provider, _ in shown if provider == "openai"]
    assert not [name for _, name in shown if name.startswith("claude-opus")]
    haiku = next(model for model in data if model["id"] == "gemini-2.5-flash")
    assert (haiku["pricing"]["input"], haiku["pricing"]["output"]) == (0.3, 2.5)
