"""A folder of files as a value: written with fixed modes and times, summed up as one digest.

Two trees with the same digest are the same layer to Lambda: paths, bytes and executable bits.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

_EPOCH = 315_532_800
"""1980-01-01, the first day a zip file can name."""

_NEVER = ("__pycache__", "*.pyc", ".DS_Store")


def copy(source: Path, target: Path, *, leave_out: tuple[str, ...] = ()) -> None:
    """Copies a file or a folder, without bytecode and what ``leave_out`` names. Executable bits are kept."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NEVER, *leave_out), dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def settle(folder: Path) -> None:
    """Gives every file and folder the same time, and a mode that any user of the container can read."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (_EPOCH, _EPOCH))


def digest(folder: Path) -> str:
    """SHA-256, in hex, of every file's path, executable bit and bytes."""
    total = hashlib.sha256()
    for path in files(folder):
        kind = "x" if path.stat().st_mode & 0o100 else "-"
        content = path.read_bytes()
        total.update(f"{path.relative_to(folder).as_posix()}\0{kind}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in files(folder))


def files(folder: Path) -> Iterator[Path]:
    """Every file, in the order of its path."""
    return iter(sorted(path for path in folder.rglob("*") if path.is_file()))
