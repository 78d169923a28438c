"""The command. Writes ``prices.json`` and ``prices_unlisted.json`` and prints the report; ``--check`` only compares.

python -m infra.prices                      prices in force today
python -m infra.prices --as-of 2026-06-30   prices in force on that day
python -m infra.prices --check              exit 1 unless the files are what would be written for their own day
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from infra.prices.report import report
from infra.prices.table import Table, make
from keyway.catalog import load, parse
from keyway.catalog.reading import Row

CATALOG = Path(parse.__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns the exit code: 0, 1 when a check fails, 2 when the data is wrong."""
    parser = argparse.ArgumentParser(prog="python -m infra.prices", description="Writes the catalog's price table.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is out of date")
    parser.add_argument("--as-of", type=date.fromisoformat, help="the day whose prices are wanted (default: today)")
    parser.add_argument("--catalog", type=Path, default=CATALOG, help="the folder of the catalog's files")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            return _check(options.catalog)
        table = _table(options.catalog, options.as_of or datetime.now(UTC).date())
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"prices: {problem}\n")
        return 2
    for name, text in _files(table).items():
        (options.catalog / name).write_text(text, encoding="utf-8")
    sys.stdout.write(report(table))
    return 0


def _check(folder: Path) -> int:
    as_of = date.fromisoformat(Row(_json(folder / "prices.json"), "prices.json").text("asOf"))
    wanted = _files(_table(folder, as_of))
    stale = [name for name, text in wanted.items() if (folder / name).read_text(encoding="utf-8") != text]
    for name in stale:
        sys.stderr.write(
            f"prices: {name} is not what its sources give for {as_of}. Run `make prices AS_OF={as_of}` (without AS_OF,"
            " for the prices of today) and look at the diff.\n"
        )
    return 1 if stale else 0


def _files(table: Table) -> dict[str, str]:
    return {"prices.json": table.text(), "prices_unlisted.json": table.unlisted_text()}


def _table(folder: Path, as_of: date) -> Table:
    providers = load.providers(_json(folder / "providers.json"), "providers.json")
    listings = {
        owner: load.listings(owner, rows, providers, "models.json")
        for owner, rows in _json(folder / "models.json").items()
    }
    models = [listing.model for rows in listings.values() for listing in rows.values()]
    without_models = [owner for owner in providers if not listings.get(owner)]
    return make(models, _json(folder / "price_overrides.json"), as_of, without_models=without_models)


def _json(path: Path) -> dict[str, object]:
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"{path.name}: must hold one object")  # noqa: TRY004 - the file is wrong, not the program
    return data


if __name__ == "__main__":
    sys.exit(main())
