"""A matrix as a table for people: what became of each cell, and why some were not run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import pytest

from tests.matrix.not_offered import MODES, Mode
from tests.matrix.ways import WAYS

Source: TypeAlias = Callable[[str, str, Mode], str | None]
"""Where it is written that a cell (row, column, mode) is not offered; ``None`` for one that is to be run."""

NOT_RUN = "."
_MARKS = {"passed": "+", "failed": "F", "error": "F", "skipped": "?"}
_LEGEND = (
    "Two marks a cell, streamed and not: + passed, F failed, - not offered (the sources below), . not run this time."
)


def summary(
    reporter: pytest.TerminalReporter, title: str, columns: Sequence[str], source: Source, *, test: str = "test_cell"
) -> None:
    """Writes the table at the end of a run in which cells were run. For ``pytest_terminal_summary``."""
    outcomes: dict[tuple[str, str, str], str] = {}
    for outcome in ("passed", "skipped", "failed", "error"):  # the worst of a test's phases comes last
        for report in reporter.stats.get(outcome, ()):
            if (cell := cell_of(report.nodeid, test)) is not None:
                outcomes[cell] = outcome
    if outcomes:
        reporter.section(title)
        for line in table(outcomes, columns, source):
            reporter.write_line(line)


def cell_of(node_id: str, test: str) -> tuple[str, str, str] | None:
    """Row, column and mode of a test of that name, by its node id."""
    name, bracket, rest = node_id.rpartition("::")[2].partition("[")
    if name != test or not bracket:
        return None
    way, feature, mode = rest.removesuffix("]").split("|")
    return way, feature, mode


def table(outcomes: Mapping[tuple[str, str, str], str], columns: Sequence[str], source: Source) -> Iterator[str]:
    """The lines of the table. ``outcomes`` are pytest's words for the cells that were run."""
    width = max(len(way.id) for way in WAYS)
    yield _LEGEND
    yield "  ".join(["".ljust(width), *columns])
    for way in WAYS:
        marks = (
            "".join(_mark(way.id, name, mode, outcomes, source) for mode in MODES).ljust(len(name)) for name in columns
        )
        yield "  ".join([way.id.ljust(width), *marks]).rstrip()
    yield ""
    yield from _sources(columns, source)


def _mark(way: str, feature: str, mode: str, outcomes: Mapping[tuple[str, str, str], str], source: Source) -> str:
    if source(way, feature, "stream" if mode == "stream" else "document") is not None:
        return "-"
    return _MARKS.get(outcomes.get((way, feature, mode), ""), NOT_RUN)


def _sources(columns: Sequence[str], source: Source) -> Iterator[str]:
    """Each source once, with what it says is missing."""
    missing: dict[str, dict[str, list[str]]] = {}
    for way in WAYS:
        for column in columns:
            for mode in MODES:
                if written := source(way.id, column, mode):
                    missing.setdefault(written, {}).setdefault(f"{way.id}: {column}", []).append(mode)
    yield "Not offered:"
    for written, cells in missing.items():
        named = (cell if len(modes) == len(MODES) else f"{cell} ({modes[0]})" for cell, modes in cells.items())
        yield f"  {'; '.join(named)}"
        yield f"      {written}"
