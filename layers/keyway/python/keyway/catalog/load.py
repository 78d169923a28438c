"""Reads the catalog's JSON files, once per process, and rows that come from elsewhere in the same form.

Errors name the file, the row and the key. Shipped rows are read when they are first needed; tests read all of them.
The gateway reads ``prices.json`` and never imports the package its numbers come from: that import takes about 180 ms
and 1.6 MB on every cold start, for a table of which this one needs a few lines, and it would let a price change with an
unnoticed upgrade of a dependency.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

from keyway.catalog import parse
from keyway.catalog.lazy import Lazy
from keyway.catalog.reading import Row
from keyway.catalog.rows import Listing, Provider
from keyway.money import Price

Rows: TypeAlias = Mapping[str, object]
"""Rows by id, as they stand in a JSON file."""

Providers: TypeAlias = Mapping[str, Provider]
Listings: TypeAlias = Mapping[str, Mapping[str, Listing]]
"""Models' rows by provider and model id."""
Prices: TypeAlias = Mapping[str, Mapping[str, Price]]
"""Prices by provider and model id."""


@cache
def shipped_providers() -> Lazy[Provider]:
    """The rows of ``providers.json``.

    Raises:
        ValueError: The file is wrong; a wrong row raises when it is first looked at. So in the two below.
    """
    return Lazy(_file("providers.json"), lambda name, row: _provider(name, row, "providers.json"))


def shipped_listings(known: Providers) -> Lazy[Mapping[str, Listing]]:
    """The rows of ``models.json``, of providers that are ``known``."""
    return Lazy(_file("models.json"), lambda owner, rows: listings(owner, rows, known, "models.json"))


@cache
def shipped_prices() -> Lazy[Mapping[str, Price]]:
    """The rows of ``prices.json``."""
    return _price_table("prices.json")


@cache
def unlisted_prices() -> Prices:
    """Prices of models that no row lists, by provider and by the id on the wire, in lower case.

    Read only when such a model is priced: the table is longer than all the others together.
    """
    return _price_table("prices_unlisted.json", in_lower_case=True)


def providers(rows: Rows, where: str) -> dict[str, Provider]:
    """Provider rows by id."""
    return {name: _provider(name, row, where) for name, row in rows.items()}


def listings(owner: str, rows: object, known: Providers, where: str) -> dict[str, Listing]:
    """The rows of one provider's models. ``owner`` must be one of ``known``."""
    if owner not in known:
        raise ValueError(f"{where}: {owner} is not a provider")
    return {
        name: parse.listing(name, known[owner], Row(row, f"{where}: {owner}: {name}"))
        for name, row in _objects(rows, f"{where}: {owner}").items()
    }


def prices(owner: str, rows: object, where: str, *, updated_at: str, version: str) -> dict[str, Price]:
    """The rows of one provider's prices. ``updated_at`` holds for rows that name no date of their own."""
    table = _objects(rows, f"{where}: {owner}")
    return {name: _price(name, row, f"{where}: {owner}", updated_at, version) for name, row in table.items()}


def _price_table(file: str, *, in_lower_case: bool = False) -> Lazy[Mapping[str, Price]]:
    table = Row(_file(file), file)
    version, updated_at, rows_by_owner = table.text("version"), table.text("asOf"), table.mapping("prices")
    table.done()

    def of_owner(owner: str, rows: object) -> Mapping[str, Price]:
        named = _objects(rows, f"{file}: {owner}")
        if in_lower_case:
            named = {name.lower(): row for name, row in named.items()}
        return Lazy(named, lambda name, row: _price(name, row, f"{file}: {owner}", updated_at, version))

    return Lazy(rows_by_owner, of_owner)


def _provider(name: str, row: object, where: str) -> Provider:
    return parse.provider(name, Row(row, f"{where}: {name}"))


def _price(name: str, row: object, where: str, updated_at: str, version: str) -> Price:
    return parse.price(Row(row, f"{where}: {name}"), updated_at=updated_at, version=version)


@cache
def _file(name: str) -> Rows:
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    try:
        rows = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name}: not JSON: {error}") from None
    return _objects(rows, name)


def _objects(rows: object, where: str) -> Rows:
    if not isinstance(rows, Mapping):
        raise ValueError(f"{where}: must be an object of rows by id")  # noqa: TRY004 - the data is wrong
    return rows
