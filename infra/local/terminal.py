"""Text for a terminal: headings, aligned pairs, quiet details. Without colour where nobody can see it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal

from infra.local.lines import Metric

_BOLD, _DIM, _RED, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"


def heading(text: str) -> None:
    """A blank line, then ``text``."""
    _write(f"\n{_styled(text, _BOLD)}\n")


def say(text: str = "") -> None:
    """A line."""
    _write(f"{text}\n")


def quiet(text: str) -> None:
    """A line of detail."""
    _write(f"{_styled(text, _DIM)}\n")


def complain(text: str) -> None:
    """A line of bad news, to standard error."""
    sys.stderr.write(f"{_styled(text, _RED, sys.stderr.isatty())}\n")


def pairs(rows: Mapping[str, str], indent: int = 2) -> None:
    """Names and what they are, in two columns."""
    width = max(map(len, rows), default=0)
    for name, value in rows.items():
        say(f"{' ' * indent}{name:<{width}}  {value}")


def metric(one: Metric) -> None:
    """A metric in one line: its name, its value, its dimensions."""
    unit = "USD" if one.name.startswith("Cost") else one.unit
    dimensions = "  ".join(f"{name}={value}" for name, value in one.dimensions.items())
    say(f"    {one.name:<12} {amount(one.value):>10} {unit:<6} {dimensions}")


def amount(value: Decimal) -> str:
    """A decimal without an exponent and without idle zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _styled(text: str, style: str, tty: bool | None = None) -> str:
    shown = sys.stdout.isatty() if tty is None else tty
    return f"{style}{text}{_PLAIN}" if shown else text


def _write(text: str) -> None:
    # What the terminal cannot show is shown as a question mark; it is no reason to stop.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()
