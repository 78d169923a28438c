"""The matrix as a table for people: what became of each cell, and why some were not run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.matrix.features import FEATURES
from tests.matrix.not_offered import MODES, source
from tests.matrix.ways import WAYS

NOT_RUN = "."
_MARKS = {"passed": "+", "failed": "F", "error": "F", "skipped": "?"}
_LEGEND = (
    "Two marks a cell, streamed and not: + passed, F failed, - not offered (the sources below), . not run this time."
)


def cell_of(node_id: str) -> tuple[str, str, str] | None:
    """Row, column and mode of a test of ``test_cell``, by its node id."""
    name, bracket, rest = node_id.rpartition("::")[2].partition("[")
    if name != "test_cell" or not bracket:
        return None
    way, feature, mode = rest.removesuffix("]").split("|")
    return way, feature, mode


def table(outcomes: Mapping[tuple[str, str, str], str]) -> Iterator[str]:
    """The lines of the table. ``outcomes`` are pytest's words for the cells that were run."""
    width = max(len(way.id) for way in WAYS)
    columns = [feature.name for feature in FEATURES]
    yield _LEGEND
    yield "  ".join(["".ljust(width), *columns])
    for way in WAYS:
        marks = ("".join(_mark(way.id, name, mode, outcomes) for mode in MODES).ljust(len(name)) for name in columns)
        yield "  ".join([way.id.ljust(width), *marks]).rstrip()
    yield ""
    yield from _sources()


def _mark(way: str, feature: str, mode: str, outcomes: Mapping[tuple[str, str, str], str]) -> str:
    if source(way, feature, "stream" if mode == "stream" else "document") is not None:
        return "-"
    return _MARKS.get(outcomes.get((way, feature, mode), ""), NOT_RUN)


def _sources() -> Iterator[str]:
    """Each source once, with what it says is missing."""
    missing: dict[str, dict[str, list[str]]] = {}
    for way in WAYS:
        for feature in FEATURES:
            for mode in MODES:
                if written := source(way.id, feature.name, mode):
                    missing.setdefault(written, {}).setdefault(f"{way.id}: {feature.name}", []).append(mode)
    yield "Not offered:"
    for written, cells in missing.items():
        named = (cell if len(modes) == len(MODES) else f"{cell} ({modes[0]})" for cell, modes in cells.items())
        yield f"  {'; '.join(named)}"
        yield f"      {written}"
