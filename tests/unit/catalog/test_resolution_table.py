"""What the rows come to, for every listed model, as one readable table.

A one-line edit of a row, of a default or of the code that reads them shows here how far it reaches. To accept a
change, run this file as a program and look at the diff of ``resolution.txt``.
"""

from __future__ import annotations

from pathlib import Path

from keyway.capabilities import Model
from keyway.catalog import Catalog

TABLE = Path(__file__).parent / "resolution.txt"


def resolved() -> str:
    catalog = Catalog.load()
    unlisted = [catalog.model(provider, "unlisted") for provider in catalog.providers()]
    rows: list[tuple[str, ...]] = [
        (
            "provider",
            "model",
            "temp",
            "efforts",
            "verbosity",
            "thinking",
            "schema",
            "most out",
            "window",
            "in",
            "cached",
            "out",
            "",
        )
    ]
    rows += [_line(catalog, model) for model in (*catalog.models(), *unlisted)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _line(catalog: Catalog, model: Model) -> tuple[str, ...]:
    price = catalog.price(model)
    return (
        model.provider,
        model.id,
        "-" if model.temperature is None else f"{model.temperature[0]:g}..{model.temperature[1]:g}",
        "/".join(model.reasoning_efforts) or "-",
        "/".join(model.verbosities) or "-",
        ("/".join(model.thinking_levels) or "-") + (" adaptive" if model.adaptive_thinking else ""),
        "native" if model.structured_outputs else "-",
        str(model.max_output_tokens or "-"),
        str(model.context_window or "-"),
        "-" if price is None else str(price.rates.input),
        "-" if price is None else str(price.rates.cache_read or "-"),
        "-" if price is None else str(price.rates.output),
        ", ".join(_remarks(catalog, model)),
    )


def _remarks(catalog: Catalog, model: Model) -> list[str]:
    provider = catalog.provider(model.provider)
    spoken = catalog.spoken(provider, model).wire
    remarks = [] if spoken == provider.wire else [spoken]
    return [*remarks, "deprecated"] if catalog.is_deprecated(model) else remarks


def test_every_model_resolves_as_the_table_says():
    assert resolved() == TABLE.read_text(encoding="utf-8")


if __name__ == "__main__":
    TABLE.write_text(resolved(), encoding="utf-8")
