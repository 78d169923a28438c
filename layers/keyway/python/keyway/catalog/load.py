"""Reads the catalog's JSON files, once per process, and rows that come from elsewhere in the same form.

Errors name the file, the row and the key. The gateway reads ``prices.json`` and never imports the package its
numbers come from: that import takes about 180 ms and 1.6 MB on every cold start, for a table of which this one
needs a few lines, and it would let a price change with an unnoticed upgrade of a dependency.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

from keyway.catalog import parse
from keyway.catalog.reading import Row
from keyway.catalog.rows import Listing, Provider
from keyway.money import Price

Rows: TypeAlias = Mapping[str, object]
"""Rows by id, as they stand in a JSON file."""

Providers: TypeAlias = Mapping[str, Provider]
Listings: TypeAlias = Mapping[str, Mapping[str, Listing]]
"""Models' rows by provider and model id."""
Prices: TypeAlias = Mapping[tuple[str, str], Price]
"""Prices by provider and model id."""


@cache
def shipped() -> tuple[Providers, Listings, Prices]:
    """What the JSON files beside this module hold.

    Raises:
        ValueError: A file or row is wrong.
    """
    found = providers(_file("providers.json"), "providers.json")
    models = {owner: listings(owner, rows, found, "models.json") for owner, rows in _file("models.json").items()}
    table = Row(_file("prices.json"), "prices.json")
    version, updated_at, rows_by_owner = table.text("version"), table.text("asOf"), table.mapping("prices")
    table.done()
    known: dict[tuple[str, str], Price] = {}
    for owner, rows in rows_by_owner.items():
        known |= prices(owner, rows, "prices.json", updated_at=updated_at, version=version)
    return found, models, known


def providers(rows: Rows, where: str) -> dict[str, Provider]:
    """Provider rows by id."""
    return {name: parse.provider(name, Row(row, f"{where}: {name}")) for name, row in rows.items()}


def listings(owner: str, rows: object, known: Providers, where: str) -> dict[str, Listing]:
    """The rows of one provider's models. ``owner`` must be one of ``known``."""
    if owner not in known:
        raise ValueError(f"{where}: {owner} is not a provider")
    return {
        name: parse.listing(name, known[owner], Row(row, f"{where}: {owner}: {name}"))
        for name, row in _objects(rows, f"{where}: {owner}").items()
    }


def prices(owner: str, rows: object, where: str, *, updated_at: str, version: str) -> dict[tuple[str, str], Price]:
    """The rows of one provider's prices. ``updated_at`` holds for rows that name no date of their own."""
    return {
        (owner, name): parse.price(Row(row, f"{where}: {owner}: {name}"), updated_at=updated_at, version=version)
        for name, row in _objects(rows, f"{where}: {owner}").items()
    }


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
