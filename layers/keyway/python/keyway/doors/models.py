"""Writes the catalog as ``GET /v1/models``: an OpenAI-style list, with what each model takes and costs beside it."""

from __future__ import annotations

from collections.abc import Iterable

from keyway.billing.cost import dollars
from keyway.capabilities import Model
from keyway.catalog import Offer
from keyway.money import Price


def models_json(offers: Iterable[Offer]) -> dict[str, object]:
    """The list of every model the catalog offers. Prices are US dollars per million tokens; null when not known."""
    return {"object": "list", "data": [_offer(offer) for offer in offers]}


def _offer(offer: Offer) -> dict[str, object]:
    model = offer.model
    return {
        "id": model.id,
        "object": "model",
        "owned_by": model.provider,
        "deprecated": offer.deprecated,
        "contextWindow": model.context_window,
        "maxOutputTokens": model.max_output_tokens,
        "capabilities": _capabilities(model),
        "pricing": _pricing(offer.price),
    }


def _capabilities(model: Model) -> dict[str, object]:
    return {
        "temperature": list(model.temperature) if model.temperature else None,
        "reasoningEffort": list(model.reasoning_efforts),
        "verbosity": list(model.verbosities),
        "thinkingLevel": list(model.thinking_levels),
        "structuredOutputs": model.structured_outputs,
    }


def _pricing(price: Price | None) -> dict[str, object] | None:
    if price is None:
        return None
    pricing: dict[str, object] = {"input": dollars(price.rates.input), "output": dollars(price.rates.output)}
    if price.rates.cache_read is not None:
        pricing["cachedInput"] = dollars(price.rates.cache_read)
    return pricing | {"updatedAt": price.updated_at}
