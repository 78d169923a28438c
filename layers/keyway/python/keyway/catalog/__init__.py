"""Providers, models and prices, as data. Changing a row needs no code; no code here names a provider.

    providers.json        who is called, how, and whose keys may pay
    models.json           what each model can do and what it refuses
    prices.json           what each model costs; written by ``make prices``, never by hand
    prices_unlisted.json  the same for ids of providers that list no model; read only when such a model is priced
    price_overrides.json  our own prices, each with a reason; they win when ``prices.json`` is written

``catalog.py`` answers questions; ``names.py`` knows a model by its names; ``rows.py`` says what a row holds;
``load.py`` reads the files and ``parse.py`` their rows. The catalog knows no protocol (``wire/``) and chooses no key
(``keys/``).
"""

from __future__ import annotations

from keyway.catalog.catalog import Catalog
from keyway.catalog.rows import Hosting, LegacyRule, Offer, Provider, Spoken

__all__ = ["Catalog", "Hosting", "LegacyRule", "Offer", "Provider", "Spoken"]
