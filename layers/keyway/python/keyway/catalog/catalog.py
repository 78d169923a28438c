"""Answers questions about providers, models and prices.

How a model is found by its name is ``names.py``. A dated variant has the capabilities and the price of its model and
is sent as it was asked for; one that costs something else has a row of its own. An id that no row matches is passed
on with the provider's fallback capabilities, ``known=False``, and the price that is known of it otherwise, if any.

The rows come from the JSON files beside this module (``load.py``). Whether a key may pay for a model is ``keys/``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from keyway.capabilities import Model
from keyway.catalog import load
from keyway.catalog.blocklist import BlockList
from keyway.catalog.load import Listings, Prices, Providers, Rows
from keyway.catalog.names import Names, full_names, undated
from keyway.catalog.rows import Offer, Provider, Spoken
from keyway.errors import ModelUnavailable
from keyway.money import Price


class Catalog:
    """Every provider, model and price. Its answers never change; one serves the whole process."""

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
        self._blocked_providers = BlockList.of(blocked_providers)
        self._blocked_models = BlockList.of(blocked_models)
        self._names: dict[str, Names] = {}

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
            prices: More price rows by provider and model id, in the form of ``prices.json``. A model that no row
                lists may be priced too, under its id with or without our prefix.
            blocked_providers: Provider ids that are refused, in any case; a trailing ``*`` stands for any ending.
            blocked_models: Model ids that are refused, in the same way. A blocked model's dated variants and
                aliases are blocked with it.

        Raises:
            ValueError: A row is wrong; the message names the file, the row and the key.
        """
        more = load.providers(providers or {}, "providers")
        found = load.shipped_providers().also(more)
        for provider in more.values():
            if provider.priced_as is not None and provider.priced_as not in found:
                raise ValueError(f"providers: {provider.id}: pricedAs {provider.priced_as!r} is not a provider")
        listings = load.shipped_listings(found)
        for owner, rows in (models or {}).items():
            listed = {**listings.get(owner, {}), **load.listings(owner, rows, found, "models")}
            listings = listings.also({owner: listed})
        known_prices = load.shipped_prices()
        for owner, rows in (prices or {}).items():
            priced = load.prices(owner, rows, "prices", updated_at="", version="operator")
            known_prices = known_prices.also({owner: {**known_prices.get(owner, {}), **priced}})
        catalog = cls(found, listings, known_prices, blocked_providers=blocked_providers, blocked_models=blocked_models)
        for owner in {**more, **(models or {})}:
            catalog._names_of(found[owner])
        return catalog

    def provider(self, provider_id: str) -> Provider:
        """The provider called ``provider_id``.

        Raises:
            ModelUnavailable: There is none of that name, or the operator has blocked it.
        """
        if provider_id not in self._providers or self._blocked_providers.covers(provider_id):
            known = ", ".join(sorted(name for name in self._providers if not self._blocked_providers.covers(name)))
            problem = "not available here" if provider_id in self._providers else "unknown"
            raise ModelUnavailable(f"provider: {provider_id!r} is {problem}; known are {known}")
        return self._providers[provider_id]

    def providers(self) -> tuple[Provider, ...]:
        """Every provider that is not blocked."""
        return tuple(provider for name, provider in self._providers.items() if not self._blocked_providers.covers(name))

    def model(self, provider: Provider, model_id: str) -> Model:
        """The model called ``model_id`` at ``provider``; see ``names.py`` for how it is found.

        Raises:
            ModelUnavailable: The operator has blocked the model, or the id is nothing but our prefix.
        """
        model = self._names_of(provider).model(model_id) or replace(
            provider.fallback, id=model_id, sent_as=provider.sent_as(model_id)
        )
        if self._blocked_models.covers(*_names_to_block(provider, model_id, model)):
            raise ModelUnavailable(f"model: {model_id!r} is not available here", provider=provider.id)
        if not model.sent_as:
            raise ModelUnavailable(f"model: {model_id!r} names no model of {provider.name}", provider=provider.id)
        return model

    def provider_of(self, model_id: str) -> Provider:
        """The provider a bare model id belongs to.

        That is the one that lists it, else the one whose pattern it matches, else the one that claims the rest.

        Raises:
            ModelUnavailable: No provider claims the id, or the operator has blocked the one that does.
        """
        asked = model_id.lower()
        owner = self._owners.get(asked) or self._owners.get(undated(asked)) or self._claimant(asked)
        if owner is None:
            raise ModelUnavailable(f"model: no provider is known for {model_id!r}; name one in provider")
        return self.provider(owner)

    def spoken(self, provider: Provider, model: Model) -> Spoken:
        """The protocol that ``model`` is reached by at ``provider``, and its dialect."""
        listing = self._listings.get(provider.id, {}).get(model.id)
        if listing is None or listing.wire is None:
            return Spoken(provider.wire, provider.dialect)
        return Spoken(listing.wire, provider.other_wires[listing.wire])

    def price(self, model: Model) -> Price | None:
        """What ``model`` costs, or ``None`` when that is not known."""
        priced = self._prices.get(model.provider, {})
        return priced.get(model.id) if model.known else self._price_of_unlisted(model, priced)

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

    def listing(self) -> tuple[Offer, ...]:
        """What a caller may be told of every model of ``models``."""
        return tuple(Offer(model, self.price(model), self.is_deprecated(model)) for model in self.models())

    def _price_of_unlisted(self, model: Model, priced: Mapping[str, Price]) -> Price | None:
        """From the operator's rows, else from the provider it is sold at the price of, else from the long table."""
        sent = model.sent_as.lower()
        provider = self._providers.get(model.provider)
        if provider is None:
            return None
        for name in priced:
            if provider.sent_as(name).lower() == sent:
                return priced[name]
        if provider.priced_as is not None:
            original = self._names_of(self._providers[provider.priced_as]).model(sent)
            return None if original is None else self.price(original)
        return load.unlisted_prices().get(provider.id, {}).get(sent)

    def _claimant(self, model_id: str) -> str | None:
        for provider in self._providers.values():
            if any(re.search(pattern, model_id) for pattern in provider.model_patterns):
                return provider.id
        return next((provider.id for provider in self._providers.values() if provider.claims_the_rest), None)

    @cached_property
    def _owners(self) -> Mapping[str, str]:
        """The provider of every full name. Where two claim one, the earlier row has it."""
        owners: dict[str, str] = {}
        for owner, rows in self._listings.items():
            for listing in rows.values():
                for name in full_names(listing):
                    owners.setdefault(name, owner)
        return owners

    def _names_of(self, provider: Provider) -> Names:
        if provider.id not in self._names:
            self._names[provider.id] = Names(provider, self._listings.get(provider.id, {}).values())
        return self._names[provider.id]


def _names_to_block(provider: Provider, asked: str, model: Model) -> Iterator[str]:
    """What ``asked`` may stand as in a block list: a name without our prefix is no way round it."""
    yield from (asked, undated(asked), model.id)
    if provider.strip is not None:
        full = provider.strip.prefix + model.sent_as
        yield from (full, undated(full))
