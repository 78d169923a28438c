"""One model's price as the ``genai-prices`` package has it, as a row of ``prices.json``.

A rate that depends on the time of day, or on something this gateway does not count (pages, pictures made), cannot be a
row: ``UnusablePriceError`` says so, and the model stays without a price until there is an override. Prices of the
provider's own tools (web and file search) are left out because the gateway does not offer those. So are prices for
request variants (priority, batch): the gateway asks for the standard one. Dearer input by sound is left out too, and
the report says where: usage does not tell sound from text, so its tokens cost what text costs.

Bedrock's models are looked up as they are sent: with the geographic prefix that an id without one gets. For recent
models AWS asks ten per cent more there than at the global endpoint, which has rows of its own (``global.…``).

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
from genai_prices.types import (
    ClauseEquals,
    ClauseOr,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    TieredPrices,
)

PriceRow: TypeAlias = dict[str, object]

_RATES = {
    "input": "input_mtok",
    "cachedInput": "cache_read_mtok",
    "cacheWrite": "cache_write_mtok",
    "cacheWrite1h": "cache_write_1h_mtok",
    "output": "output_mtok",
}
_NOT_OFFERED = frozenset({"web_searches_kcount", "storage_searches_kcount"})
_NOT_COUNTED = frozenset({"input_audio_mtok", "cache_audio_read_mtok", "audio_hours", "input_audio_hours"})

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
    left_out: tuple[str, ...] = ()
    """Rates of the package that the row does not hold, because usage does not count what they are for."""


def find(provider_id: str, sent_as: str, as_of: date) -> Found:
    """The price in force on ``as_of`` of the model that ``provider_id`` knows as ``sent_as``.

    Raises:
        UnusablePriceError: There is none, or none that a row can express.
    """
    theirs = _PROVIDERS.get(provider_id, provider_id)
    provider = next((provider for provider in providers if provider.id == theirs), None)
    asked = f"us.{sent_as}" if provider_id == "bedrock" and not sent_as.startswith("global.") else sent_as
    model = provider and provider.find_model(asked, all_providers=providers)
    if not model:
        raise UnusablePriceError("genai-prices does not list it")
    return _found(model, theirs, as_of)


def known_ids(provider_id: str, as_of: date) -> Mapping[str, Found | UnusablePriceError]:
    """The price, or why there is none, of every id that the package knows of ``provider_id`` by its full spelling.

    Ids it knows by a pattern only are not among them. The package does not look at case, so ids that differ in
    nothing else are one.
    """
    provider = next((provider for provider in providers if provider.id == provider_id), None)
    ids: dict[str, Found | UnusablePriceError] = {}
    seen: set[str] = set()
    for model in provider.models if provider else ():
        found: Found | UnusablePriceError
        try:
            found = _found(model, provider_id, as_of)
        except UnusablePriceError as problem:
            found = problem
        for spelling in _spellings(model.match):
            # Where two models match, the package takes the first.
            if spelling.lower() not in seen:
                ids[spelling] = found
                seen.add(spelling.lower())
    return ids


def _spellings(match: MatchLogic) -> list[str]:
    match match:
        case ClauseEquals(equals=spelling):
            return [spelling]
        case ClauseOr(or_=clauses):
            return [spelling for clause in clauses for spelling in _spellings(clause)]
        case _:
            return []


def _found(model: ModelInfo, theirs: str, as_of: date) -> Found:
    price = _in_force(model, as_of)
    published = {name for name, value in vars(price).items() if value is not None}
    return Found(row=_row(price), source=f"{theirs}/{model.id}", left_out=tuple(sorted(published & _NOT_COUNTED)))


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
    if strange := sorted(published.keys() - set(_RATES.values()) - _NOT_OFFERED - _NOT_COUNTED):
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
