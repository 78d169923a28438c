"""The names a provider's models answer to.

A model is found by its id in any case, with or without our prefix, by an alias, by a dated variant of any of these
(``gpt-4.1-2025-04-14``), and with a region before it where the provider knows regions (``us.anthropic.claude-…``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from keyway.capabilities import Model
from keyway.catalog.rows import Listing, Provider

_DATE = re.compile(r"-20\d\d(?:\d{4}|-\d\d-\d\d)$")
"""The end of a dated model id: Anthropic writes ``-20250929``, OpenAI ``-2025-04-14``."""


def undated(model_id: str) -> str:
    """``model_id`` without the date it may end with."""
    return _DATE.sub("", model_id)


def full_names(listing: Listing) -> Iterator[str]:
    """The id and the aliases of a model, in lower case: names that say whose model it is."""
    yield listing.model.id.lower()
    yield from (alias.lower() for alias in listing.aliases)


class Names:
    """One provider's models by every name they answer to.

    Raises:
        ValueError: Two models claim one name.
    """

    def __init__(self, provider: Provider, listings: Iterable[Listing]) -> None:
        self._provider = provider
        short: dict[str, Listing] = {}
        full: dict[str, Listing] = {}
        for listing in listings:
            short[listing.model.sent_as.lower()] = listing
            for name in full_names(listing):
                if full.setdefault(name, listing) is not listing:
                    raise ValueError(f"models of {provider.id}: {name} names two models")
        self._names = short | full

    def model(self, model_id: str) -> Model | None:
        """The model called ``model_id``, to be sent in the vendor's spelling, or as asked where the name says more."""
        asked = model_id.lower()
        found = self._names.get(asked)
        if found is not None and asked in (found.model.id.lower(), found.model.sent_as.lower()):
            return found.model
        sent = self._provider.sent_as(asked)
        if found is None:
            plain = self._provider.without_region(sent)
            found = self._names.get(plain) or self._names.get(undated(plain)) or self._names.get(undated(asked))
        return None if found is None else replace(found.model, sent_as=sent)
