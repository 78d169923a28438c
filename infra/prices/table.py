"""The price tables: the package's prices and our overrides, joined, and the text of the two files.

``prices.json`` holds the models of the catalog. ``prices_unlisted.json`` holds every id the package knows of providers
that list none: hosts of other vendors' models, whose choice changes too often to be rows of the catalog.

Both files record the day they were made for (``asOf``) and what they were made from (``version``), so that making them
again gives the same bytes on any other day. An override for a model the catalog does not list is refused: it is a
typing error, and the model it was meant for would silently keep another price.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

from infra.prices.source import Found, PriceRow, UnusablePriceError, find, known_ids
from keyway.capabilities import Model
from keyway.catalog import parse
from keyway.catalog.reading import Row


@dataclass(frozen=True, slots=True)
class Priced:
    """One model of the catalog with its price row, or with the reason why it has none.

    ``origin`` is the package's name for the model, or ``override``; ``left_out`` are rates of the package that the
    row cannot hold.
    """

    model: Model
    row: PriceRow | None
    origin: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Every model of the catalog, priced or not, every id of providers that list none, and what it was made from."""

    version: str
    as_of: date
    entries: tuple[Priced, ...]
    unlisted: Mapping[str, Mapping[str, Found | UnusablePriceError]]

    @property
    def unpriced(self) -> tuple[Priced, ...]:
        return tuple(entry for entry in self.entries if entry.row is None)

    def text(self) -> str:
        """``prices.json``: one line for each model, so that a changed price is a changed line."""
        owners: dict[str, dict[str, PriceRow]] = {}
        for entry in self.entries:
            if entry.row is not None:
                owners.setdefault(entry.model.provider, {})[entry.model.id] = entry.row
        return self._document(owners)

    def unlisted_text(self) -> str:
        """``prices_unlisted.json``, in the same form."""
        return self._document(
            {
                owner: {name: found.row for name, found in ids.items() if isinstance(found, Found)}
                for owner, ids in self.unlisted.items()
            }
        )

    def _document(self, owners: Mapping[str, Mapping[str, PriceRow]]) -> str:
        blocks = [
            f"    {json.dumps(owner)}: {{\n"
            + _lines([f"      {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()])
            + "\n    }"
            for owner, rows in owners.items()
        ]
        return (
            "{\n"
            f'  "version": {json.dumps(self.version)},\n'
            f'  "asOf": "{self.as_of.isoformat()}",\n'
            f'  "prices": {{\n{_lines(blocks)}\n  }}\n'
            "}\n"
        )


def make(
    models: Iterable[Model], overrides: Mapping[str, object], as_of: date, *, without_models: Iterable[str] = ()
) -> Table:
    """Prices for ``models``, and for what the package knows of the providers ``without_models``.

    Args:
        models: The catalog's models.
        overrides: Our own rows by provider and model id; they win.
        as_of: The day whose prices are wanted.
        without_models: Ids of providers that list no model.

    Raises:
        ValueError: An override is wrong, or is for a model that ``models`` does not hold.
    """
    ours = _overrides(overrides, as_of)
    entries = tuple(_priced(model, ours.pop((model.provider, model.id), None), as_of) for model in models)
    if ours:
        strays = ", ".join(f"{owner}: {model_id}" for owner, model_id in sorted(ours))
        raise ValueError(f"price_overrides.json: not in models.json: {strays}")
    canonical = json.dumps(overrides, sort_keys=True, separators=(",", ":")).encode()
    known = {owner: known_ids(owner, as_of) for owner in without_models}
    return Table(
        version=f"genai-prices {version('genai-prices')} + overrides {hashlib.sha256(canonical).hexdigest()[:12]}",
        as_of=as_of,
        entries=entries,
        unlisted={owner: ids for owner, ids in known.items() if ids},
    )


def _priced(model: Model, override: Found | None, as_of: date) -> Priced:
    try:
        found = override or find(model.provider, model.sent_as, as_of)
    except UnusablePriceError as problem:
        return Priced(model, None, str(problem))
    return Priced(model, found.row, found.source, found.left_out)


def _overrides(rows: Mapping[str, object], as_of: date) -> dict[tuple[str, str], Found]:
    found: dict[tuple[str, str], Found] = {}
    for owner, models in rows.items():
        if not isinstance(models, dict):
            raise ValueError(f"price_overrides.json: {owner}: must be an object of rows by model id")  # noqa: TRY004
        for model_id, row in models.items():
            found[owner, model_id] = _override(owner, row, f"price_overrides.json: {owner}: {model_id}", as_of)
    return found


def _override(owner: str, row: object, where: str, as_of: date) -> Found:
    reading = Row(row, where)
    reading.text("reason")
    reading.text("source")
    if (same_as := reading.optional_text("sameAs")) is not None:
        reading.done()
        try:
            found = find(owner, same_as, as_of)
        except UnusablePriceError as problem:
            raise ValueError(f"{where}: sameAs {same_as!r}: {problem}") from None
        return Found(found.row, f"override: {found.source}", found.left_out)
    date.fromisoformat(reading.text("updatedAt"))
    assert isinstance(row, dict)
    price = {key: value for key, value in row.items() if key not in ("reason", "source")}
    parse.price(Row(price, where), updated_at="", version="")
    return Found(price, "override")


def _lines(items: list[str]) -> str:
    return ",\n".join(items)
