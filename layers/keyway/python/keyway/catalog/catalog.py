"""Answers questions about providers, models and prices.

A model is looked up by its id in any case, with or without our prefix, by an alias, and by a dated variant of any of
these: ``gpt-4.1-2025-04-14`` has the capabilities and the price of ``gpt-4.1`` and is sent as it was asked for. A
dated variant that costs something else has a row of its own. An id that no row matches is passed on with the
provider's fallback capabilities, ``known=False`` and no price.

The rows come from the JSON files beside this module (``load.py``). Whether a key may pay for a model is ``keys/``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from keyway.capabilities import Model
from keyway.catalog import load
from keyway.catalog.load import Listings, Prices, Providers, Rows
from keyway.catalog.rows import Listing, Provider
from keyway.errors import ModelUnavailable
from keyway.money import Price

_DATE = re.compile(r"-20\d\d(?:\d{4}|-\d\d-\d\d)$")
"""The end of a dated model id: Anthropic writes ``-20250929``, OpenAI ``-2025-04-14``."""


class Catalog:
    """Every provider, model and price. Immutable; one serves the whole process."""

    def __init__(
        self,
        providers: Providers,
        listings: Listings,
        prices: Prices,
        *,
        blocked_providers: Collection[str] = (),
        blocked_models: Collection[str] = (),
    ) -> None:
        self._providers = providers
        self._listings = listings
        self._prices = prices
        self._blocked_providers = _BlockList.of(blocked_providers)
        self._blocked_models = _BlockList.of(blocked_models)
        self._names = {owner: _names(providers[owner], rows.values()) for owner, rows in listings.items()}

    @classmethod
    def load(
        cls,
        *,
        providers: Rows | None = None,
        models: Mapping[str, Rows] | None = None,
        prices: Mapping[str, Rows] | None = None,
        blocked_providers: Collection[str] = (),
        blocked_models: Collection[str] = (),
    ) -> Catalog:
        """The shipped catalog, with an operator's additions and exclusions.

        Args:
            providers: More provider rows by id, in the form of ``providers.json``; they replace shipped ones.
            models: More model rows by provider and id, in the form of ``models.json``.
            prices: More price rows by provider and model id, in the form of ``prices.json``.
            blocked_providers: Provider ids that are refused, in any case; a trailing ``*`` stands for any ending.
            blocked_models: Model ids that are refused, in the same way. A blocked model's dated variants and
                aliases are blocked with it.

        Raises:
            ValueError: A row is wrong; the message names the file, the row and the key.
        """
        shipped_providers, shipped_listings, shipped_prices = load.shipped()
        found = {**shipped_providers, **load.providers(providers or {}, "providers")}
        listings = dict(shipped_listings)
        for owner, rows in (models or {}).items():
            listings[owner] = {**listings.get(owner, {}), **load.listings(owner, rows, found, "models")}
        known_prices = dict(shipped_prices)
        for owner, rows in (prices or {}).items():
            known_prices |= load.prices(owner, rows, "prices", updated_at="", version="operator")
        return cls(found, listings, known_prices, blocked_providers=blocked_providers, blocked_models=blocked_models)

    def provider(self, provider_id: str) -> Provider:
        """The provider called ``provider_id``.

        Raises:
            ModelUnavailable: There is none of that name, or the operator has blocked it.
        """
        provider = self._providers.get(provider_id)
        if provider is None or self._blocked_providers.covers(provider_id):
            known = ", ".join(sorted(name for name in self._providers if not self._blocked_providers.covers(name)))
            problem = "unknown" if provider is None else "not available here"
            raise ModelUnavailable(f"provider: {provider_id!r} is {problem}; known are {known}")
        return provider

    def providers(self) -> tuple[Provider, ...]:
        """Every provider that is not blocked."""
        return tuple(provider for name, provider in self._providers.items() if not self._blocked_providers.covers(name))

    def model(self, provider: Provider, model_id: str) -> Model:
        """The model called ``model_id`` at ``provider``; see the module's docstring for how it is found.

        Raises:
            ModelUnavailable: The operator has blocked the model, or the id is nothing but our prefix.
        """
        model = self._listed(provider, model_id) or replace(
            provider.fallback, id=model_id, sent_as=provider.sent_as(model_id)
        )
        if self._blocked_models.covers(model_id, model.id, _DATE.sub("", model_id)):
            raise ModelUnavailable(f"model: {model_id!r} is not available here", provider=provider.id)
        if not model.sent_as:
            raise ModelUnavailable(f"model: {model_id!r} names no model of {provider.name}", provider=provider.id)
        return model

    def provider_of(self, model_id: str) -> Provider:
        """The provider a bare model id belongs to: the one that lists it, else the one whose pattern it matches.

        Raises:
            ModelUnavailable: No provider claims the id.
        """
        candidates = self.providers()
        for provider in candidates:
            if self._listed(provider, model_id):
                return provider
        for provider in candidates:
            if any(re.search(pattern, model_id.lower()) for pattern in provider.model_patterns):
                return provider
        raise ModelUnavailable(f"model: no provider is known for {model_id!r}; name one in provider")

    def price(self, model: Model) -> Price | None:
        """What ``model`` costs, or ``None`` when that is not known."""
        return self._prices.get((model.provider, model.id))

    def is_hosted_model(self, provider: Provider, model: Model) -> bool:
        """Whether the platform's own key may pay for ``model`` on the legacy path."""
        return model.known and provider.hosting is not None and provider.hosting.covers_catalog

    def is_deprecated(self, model: Model) -> bool:
        """Whether the vendor has announced the end of ``model``."""
        listing = self._listings.get(model.provider, {}).get(model.id)
        return listing is not None and listing.deprecated

    def models(self) -> tuple[Model, ...]:
        """Every listed model that is not blocked, by provider, in the order of the rows."""
        return tuple(
            listing.model
            for provider in self.providers()
            for listing in self._listings.get(provider.id, {}).values()
            if not self._blocked_models.covers(listing.model.id)
        )

    def _listed(self, provider: Provider, model_id: str) -> Model | None:
        names = self._names.get(provider.id, {})
        asked = model_id.lower()
        if found := names.get(asked):
            return found.model if asked not in found.aliases else replace(found.model, sent_as=provider.sent_as(asked))
        dated = _DATE.search(asked)
        if dated is None or (found := names.get(asked[: dated.start()])) is None:
            return None
        return replace(found.model, sent_as=provider.sent_as(asked))


@dataclass(frozen=True, slots=True)
class _BlockList:
    """Ids an operator refuses, in lower case: whole ones, and beginnings."""

    ids: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, patterns: Collection[str]) -> _BlockList:
        lowered = [pattern.strip().lower() for pattern in patterns]
        return cls(
            ids=frozenset(pattern for pattern in lowered if pattern),
            beginnings=tuple(pattern[:-1] for pattern in lowered if pattern.endswith("*")),
        )

    def covers(self, *names: str) -> bool:
        lowered = [name.lower() for name in names]
        return any(name in self.ids or name.startswith(self.beginnings) for name in lowered)


def _names(provider: Provider, listings: Iterable[Listing]) -> dict[str, Listing]:
    """Every name a model of ``provider`` answers to, in lower case. A full id wins over a name without prefix."""
    found: dict[str, Listing] = {}
    full: dict[str, Listing] = {}
    for listing in listings:
        found[listing.model.sent_as.lower()] = listing
        for name in (listing.model.id, *listing.aliases):
            if full.setdefault(name.lower(), listing) is not listing:
                raise ValueError(f"models of {provider.id}: {name} names two models")
    return found | full
