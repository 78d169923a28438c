"""One model's price as the ``genai-prices`` package has it, as a row of ``prices.json``.

A rate that depends on the time of day, or on something this gateway does not count (audio, pages), cannot be a row:
``UnusablePriceError`` says so, and the model stays without a price until there is an override. Prices of the
provider's own tools (web and file search) are left out because the gateway does not offer those. So are prices for
request variants (priority, batch): the gateway asks for the standard one.

In the package as in our rows, a tier's rates hold for the whole of a request whose input is longer than the tier's
``start`` (``genai_prices.types.calc_unit_price``: ``total_input_tokens > tier.start``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from genai_prices.data import providers
from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices

PriceRow: TypeAlias = dict[str, object]

_RATES = {
    "input": "input_mtok",
    "cachedInput": "cache_read_mtok",
    "cacheWrite": "cache_write_mtok",
    "cacheWrite1h": "cache_write_1h_mtok",
    "output": "output_mtok",
}
_NOT_OFFERED = frozenset({"web_searches_kcount", "storage_searches_kcount"})

_PROVIDERS = {
    "azure-anthropic": "azure",
    "azure-openai": "azure",
    "bedrock": "aws",
    "vertex": "google",
    "xai": "x-ai",
}
"""The package's names for providers, where they are not ours."""


class UnusablePriceError(ValueError):
    """The package has no price for a model that a row could express; the message says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A price row, and the package's name for the model it was found under."""

    row: PriceRow
    source: str


def find(provider_id: str, sent_as: str, as_of: date) -> Found:
    """The price in force on ``as_of`` of the model that ``provider_id`` knows as ``sent_as``.

    Raises:
        UnusablePriceError: There is none, or none that a row can express.
    """
    theirs = _PROVIDERS.get(provider_id, provider_id)
    provider = next((provider for provider in providers if provider.id == theirs), None)
    model = provider and provider.find_model(sent_as, all_providers=providers)
    if not model:
        raise UnusablePriceError("genai-prices does not list it")
    return Found(row=_row(_in_force(model, as_of)), source=f"{theirs}/{model.id}")


def _in_force(model: ModelInfo, as_of: date) -> ModelPrice:
    if isinstance(model.prices, ModelPrice):
        return model.prices
    # Later entries win; a time of day anywhere means that no entry holds for the whole of a day.
    current: ModelPrice | None = None
    for entry in model.prices:
        match entry.constraint:
            case None:
                current = entry.prices
            case StartDateConstraint(start_date=start):
                current = entry.prices if start <= as_of else current
            case _:
                raise UnusablePriceError("its price depends on the time of day")
    if current is None:
        raise UnusablePriceError(f"its price is not yet in force on {as_of}")
    return current


def _row(price: ModelPrice) -> PriceRow:
    published = {key: value for key, value in vars(price).items() if value is not None}
    if strange := sorted(published.keys() - set(_RATES.values()) - _NOT_OFFERED):
        raise UnusablePriceError(f"its price has parts that a row cannot hold: {', '.join(strange)}")
    rates = {ours: published[theirs] for ours, theirs in _RATES.items() if theirs in published}
    if missing := {"input", "output"} - rates.keys():
        raise UnusablePriceError(f"its price has no rate for {' and '.join(sorted(missing))}")
    row: PriceRow = dict(_rates_above(rates, None))
    thresholds = {tier.start for rate in rates.values() if isinstance(rate, TieredPrices) for tier in rate.tiers}
    if thresholds:
        row["tiers"] = [{"above": above, **_rates_above(rates, above)} for above in sorted(thresholds)]
    return row


def _rates_above(rates: Mapping[str, Decimal | TieredPrices], threshold: int | None) -> dict[str, str]:
    """Each rate as it is for a request just longer than ``threshold``, or for the shortest one."""
    shown = {}
    for name, rate in rates.items():
        amount = rate.base if isinstance(rate, TieredPrices) else rate
        if isinstance(rate, TieredPrices) and threshold is not None:
            amount = next((tier.price for tier in reversed(rate.tiers) if tier.start <= threshold), amount)
        shown[name] = f"{amount:f}"
    return shown
