"""What ``make prices`` prints: one line per model with its rates in dollars per million tokens, then the unpriced."""

from __future__ import annotations

from infra.prices.source import PriceRow
from infra.prices.table import Table

_HEADINGS = ("model", "input", "cached", "write", "write 1h", "output", "tiers", "source")
_RATES = ("input", "cachedInput", "cacheWrite", "cacheWrite1h", "output")


def report(table: Table) -> str:
    """The report as text."""
    lines: list[tuple[str, ...]] = [_HEADINGS]
    for entry in table.entries:
        row = entry.row
        if row is not None:
            rates = (str(row.get(rate, "-")) for rate in _RATES)
            lines.append((entry.model.id, *rates, _tiers(row), entry.origin))
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    unpriced = [f"  {entry.model.provider}: {entry.model.id}: {entry.origin}" for entry in table.unpriced]
    ending = ["Every model of the catalog has a price."]
    if unpriced:
        ending = ["No price, so a platform key will not pay for:", *unpriced]
    heading = f"{table.version}, prices in force on {table.as_of}"
    return "\n".join([heading, "", *shown, "", *ending, ""])


def _tiers(row: PriceRow) -> str:
    tiers = row.get("tiers")
    if not isinstance(tiers, list):
        return "-"
    return ", ".join(f">{tier['above']}: {tier['input']}/{tier['output']}" for tier in tiers)
