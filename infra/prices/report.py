"""What ``make prices`` prints: one line per model with its rates in dollars per million tokens, then what has none."""

from __future__ import annotations

from collections import Counter

from infra.prices.source import Found, PriceRow
from infra.prices.table import Table

_HEADINGS = ("provider", "model", "input", "cached", "write", "write 1h", "output", "tiers", "source", "left out")
_RATES = ("input", "cachedInput", "cacheWrite", "cacheWrite1h", "output")


def report(table: Table) -> str:
    """The report as text."""
    lines: list[tuple[str, ...]] = [_HEADINGS]
    for entry in table.entries:
        row = entry.row
        if row is not None:
            rates = (str(row.get(rate, "-")) for rate in _RATES)
            left_out = ", ".join(entry.left_out)
            lines.append((entry.model.provider, entry.model.id, *rates, _tiers(row), entry.origin, left_out))
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    heading = f"{table.version}, prices in force on {table.as_of}"
    return "\n".join([heading, "", *shown, "", *_unlisted(table), *_unpriced(table), ""])


def _unlisted(table: Table) -> list[str]:
    """How many ids are priced of providers that list no model, and why others are not."""
    lines = []
    for owner, ids in table.unlisted.items():
        problems = Counter(str(problem) for problem in ids.values() if not isinstance(problem, Found))
        priced = len(ids) - problems.total()
        without = "".join(f"; {count} without: {problem}" for problem, count in problems.most_common())
        lines.append(f"{owner}: lists no model; {priced} ids priced{without}")
    return [*lines, ""] if lines else []


def _unpriced(table: Table) -> list[str]:
    if not table.unpriced:
        return ["Every model of the catalog has a price."]
    lines = [f"  {entry.model.provider}: {entry.model.id}: {entry.origin}" for entry in table.unpriced]
    return ["No price, so a platform key will not pay for:", *lines]


def _tiers(row: PriceRow) -> str:
    tiers = row.get("tiers")
    if not isinstance(tiers, list):
        return "-"
    return ", ".join(f">{tier['above']}: {tier['input']}/{tier['output']}" for tier in tiers)
