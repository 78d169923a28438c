"""The command. Writes ``prices.json`` and prints the report; with ``--check`` it only compares.

python -m infra.prices                      prices in force today
python -m infra.prices --as-of 2026-06-30   prices in force on that day
python -m infra.prices --check              exit 1 unless the file is what would be written for its own day
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
    target: Path = options.catalog / "prices.json"
    try:
        if options.check:
            return _check(target)
        table = _table(options.catalog, options.as_of or datetime.now(UTC).date())
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"prices: {problem}\n")
        return 2
    target.write_text(table.text(), encoding="utf-8")
    sys.stdout.write(report(table))
    return 0


def _check(target: Path) -> int:
    written = target.read_text(encoding="utf-8")
    as_of = date.fromisoformat(Row(json.loads(written), target.name).text("asOf"))
    if _table(target.parent, as_of).text() == written:
        return 0
    sys.stderr.write(
        f"prices: {target.name} is not what its sources give for {as_of}. Run `make prices` and look at the diff.\n"
    )
    return 1


def _table(folder: Path, as_of: date) -> Table:
    providers = load.providers(_json(folder / "providers.json"), "providers.json")
    models = [
        listing.model
        for owner, rows in _json(folder / "models.json").items()
        for listing in load.listings(owner, rows, providers, "models.json").values()
    ]
    return make(models, _json(folder / "price_overrides.json"), as_of)


def _json(path: Path) -> dict[str, object]:
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"{path.name}: must hold one object")  # noqa: TRY004 - the file is wrong, not the program
    return data


if __name__ == "__main__":
    sys.exit(main())
