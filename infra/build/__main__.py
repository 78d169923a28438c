"""``python -m infra.build [arm64|x86_64]``: builds the layers and prints their sizes against the budget."""

from __future__ import annotations

import sys
from typing import get_args

from infra.build.artifacts import BUDGET, ROOT, layers
from infra.build.target import Architecture, Target
from infra.build.wheels import BuildError
from infra.local import terminal


def main(arguments: list[str]) -> int:
    """Gives the exit code: 1 when a layer cannot be built or all are too large, 2 for a wrong argument."""
    known = {name: Target(name) for name in get_args(Architecture)}
    if any(name not in known for name in arguments):
        terminal.complain(f"usage: python -m infra.build [{'|'.join(known)}]")
        return 2
    for name in arguments or ["arm64"]:
        try:
            total = _report(known[name])
        except BuildError as error:
            terminal.complain(f"layers: {error}")
            return 1
        if total > BUDGET:
            terminal.complain(f"layers: {total - BUDGET:,} bytes more than the budget of {BUDGET:,}")
            return 1
    return 0


def _report(target: Target) -> int:
    total = 0
    terminal.say(f"Layers for {target.architecture}:")
    for layer in layers(target):
        total += layer.size
        terminal.say(
            f"  {layer.name:<16}{layer.size / 1e6:>8.2f} MB   {layer.digest[:12]}   {layer.folder.relative_to(ROOT)}"
        )
    terminal.say(f"  {'all':<16}{total / 1e6:>8.2f} MB   of {BUDGET / 1e6:.0f} MB")
    return total


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
