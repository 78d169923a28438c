"""What is deployed: three layers and two functions, each a folder; and how large the layers may be.

Of the layers, ``stream_runtime`` is the exec wrapper and the runtime client it starts, ``keyway`` the library both
functions import, and ``dependencies`` the third-party wheels for the target's machine. The functions are a page each,
with the operator's tool catalog beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.build import tree
from infra.build.target import Target
from infra.build.wheels import fetch, unpack

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"

BUDGET = 50_000_000
"""Bytes of all layers together, unpacked. Lambda's own limit is 250 MB; what a cold start loads is what counts."""

FUNCTIONS = ("gateway", "workspace_keys")
"""The packages in ``functions/``."""

CATALOG = ROOT / "infra" / "tools" / "catalog.json"
"""The operator's tools."""

DEPLOYED_CATALOG = "tool_catalog.json"
"""The same file in a function's folder."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A built folder: a layer's is what Lambda unpacks at ``/opt``, a function's at ``/var/task``."""

    name: str
    folder: Path
    digest: str
    size: int


def layers(target: Target, into: Path | None = None) -> tuple[Artifact, ...]:
    """Builds every layer for ``target``, each in a folder of its own below ``into``.

    Raises:
        BuildError: A wheel cannot be had, or would not run on the target.
    """
    into = into or CACHE / "layers" / target.architecture
    return tuple(_artifact(name, into / name, partial(fill, target)) for name, fill in _LAYERS.items())


def function(name: str, into: Path) -> Artifact:
    """Builds the function whose package is ``functions/<name>``, in a folder of its own below ``into``.

    The tool catalog is copied as it is; whoever deploys it has it checked (``infra/constructs/tool_catalog.py``).
    """

    def fill(folder: Path) -> None:
        tree.copy(ROOT / "functions" / name, folder / name, leave_out=("events",))
        tree.copy(CATALOG, folder / DEPLOYED_CATALOG)

    return _artifact(name, into / name, fill)


def _artifact(name: str, folder: Path, fill: Callable[[Path], None]) -> Artifact:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fill(folder)
    tree.settle(folder)
    return Artifact(name, folder, tree.digest(folder), tree.size(folder))


def _stream_runtime(_: Target, folder: Path) -> None:
    source = ROOT / "layers" / "stream_runtime"
    tree.copy(source / "stream-runtime", folder / "stream-runtime")
    # Lambda on one machine is for machines that are not Lambda.
    tree.copy(source / "python", folder / "python", leave_out=("local",))


def _keyway(_: Target, folder: Path) -> None:
    tree.copy(ROOT / "layers" / "keyway" / "python", folder / "python")


def _dependencies(target: Target, folder: Path) -> None:
    lock = ROOT / "layers" / "dependencies" / "requirements.txt"
    unpack(lock, target, fetch(lock, target, CACHE / "wheels"), folder / "python")


_LAYERS: dict[str, Callable[[Target, Path], None]] = {
    "stream_runtime": _stream_runtime,
    "keyway": _keyway,
    "dependencies": _dependencies,
}
"""Name to what fills it; the names are those of the folders in ``layers/``."""
