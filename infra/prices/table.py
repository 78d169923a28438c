"""The price table: the package's prices and our overrides, joined, and the text of ``prices.json``.

The file records the day it was made for (``asOf``) and what it was made from (``version``), so that making it again
gives the same bytes on any other day. An override for a model the catalog does not list is refused: it is a typing
error, and the model it was meant for would silently keep another price.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

from infra.prices.source import PriceRow, UnusablePriceError, find
from keyway.capabilities import Model
from keyway.catalog import parse
from keyway.catalog.reading import Row


@dataclass(frozen=True, slots=True)
class Priced:
    """One model of the catalog with its price row, or with the reason why it has none."""

    model: Model
    row: PriceRow | None
    origin: str


@dataclass(frozen=True, slots=True)
class Table:
    """Every model of the catalog, priced or not, and what the prices were made from."""

    version: str
    as_of: date
    entries: tuple[Priced, ...]

    @property
    def unpriced(self) -> tuple[Priced, ...]:
        return tuple(entry for entry in self.entries if entry.row is None)

    def text(self) -> str:
        """``prices.json``: one line for each model, so that a changed price is a changed line."""
        owners: dict[str, list[str]] = {}
        for entry in self.entries:
            if entry.row is not None:
                line = f"      {json.dumps(entry.model.id)}: {json.dumps(entry.row)}"
                owners.setdefault(entry.model.provider, []).append(line)
        blocks = [f"    {json.dumps(owner)}: {{\n{_lines(lines)}\n    }}" for owner, lines in owners.items()]
        return (
            "{\n"
            f'  "version": {json.dumps(self.version)},\n'
            f'  "asOf": "{self.as_of.isoformat()}",\n'
            f'  "prices": {{\n{_lines(blocks)}\n  }}\n'
            "}\n"
        )


def make(models: Iterable[Model], overrides: Mapping[str, object], as_of: date) -> Table:
    """Prices for ``models``.

    Args:
        models: The catalog's models.
        overrides: Our own rows by provider and model id; they win.
        as_of: The day whose prices are wanted.

    Raises:
        ValueError: An override is wrong, or is for a model that ``models`` does not hold.
    """
    ours = _overrides(overrides)
    entries = tuple(_priced(model, ours.pop((model.provider, model.id), None), as_of) for model in models)
    if ours:
        strays = ", ".join(f"{owner}: {model_id}" for owner, model_id in sorted(ours))
        raise ValueError(f"price_overrides.json: not in models.json: {strays}")
    canonical = json.dumps(overrides, sort_keys=True, separators=(",", ":")).encode()
    return Table(
        version=f"genai-prices {version('genai-prices')} + overrides {hashlib.sha256(canonical).hexdigest()[:12]}",
        as_of=as_of,
        entries=entries,
    )


def _priced(model: Model, override: PriceRow | None, as_of: date) -> Priced:
    if override is not None:
        return Priced(model, override, "override")
    try:
        found = find(model.provider, model.sent_as, as_of)
    except UnusablePriceError as problem:
        return Priced(model, None, str(problem))
    return Priced(model, found.row, found.source)


def _overrides(rows: Mapping[str, object]) -> dict[tuple[str, str], PriceRow]:
    found: dict[tuple[str, str], PriceRow] = {}
    for owner, models in rows.items():
        if not isinstance(models, dict):
            raise ValueError(f"price_overrides.json: {owner}: must be an object of rows by model id")  # noqa: TRY004
        for model_id, row in models.items():
            found[owner, model_id] = _override(row, f"price_overrides.json: {owner}: {model_id}")
    return found


def _override(row: object, where: str) -> PriceRow:
    reading = Row(row, where)
    reading.text("reason")
    reading.text("source")
    date.fromisoformat(reading.text("updatedAt"))
    assert isinstance(row, dict)
    price = {key: value for key, value in row.items() if key not in ("reason", "source")}
    parse.price(Row(price, where), updated_at="", version="")
    return price


def _lines(items: list[str]) -> str:
    return ",\n".join(items)
