"""Third-party wheels: fetched once by pip against the lock's hashes, unpacked without the network.

Nothing is ever built from source: a wheel for the target exists, or this fails and says so.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.build.target import Target

_UNUSED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""Of a wheel's metadata: what pip writes about this machine."""


class BuildError(Exception):
    """A layer cannot be built. The message is for the person who ran the build."""


def fetch(lock: Path, target: Target, cache: Path) -> Path:
    """A folder with the lock's wheels for ``target``; from ``cache`` if they were fetched before.

    Raises:
        BuildError: A wheel cannot be had, has another hash than the lock, or would not run on the target.
    """
    name = hashlib.sha256(lock.read_bytes() + repr(target.pip_options).encode()).hexdigest()[:16]
    folder = cache / f"{target.architecture}-{name}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as fetched:
            _pip("download", f"--dest={fetched}", *target.pip_options, lock=lock)
            with suppress(OSError):  # somebody else has just fetched the same
                Path(fetched).rename(folder)
    if strange := [wheel.name for wheel in sorted(folder.iterdir()) if not target.accepts(wheel.name)]:
        raise BuildError(f"these do not run on Lambda's {target.architecture}: {', '.join(strange)}")
    return folder


def unpack(lock: Path, target: Target, wheels: Path, into: Path) -> None:
    """Installs the lock's wheels into the folder ``into``, as ``sys.path`` wants them."""
    options = ("--no-index", f"--find-links={wheels}", "--no-compile", "--no-warn-script-location")
    _pip("install", f"--target={into}", *options, *target.pip_options, lock=lock)
    shutil.rmtree(into / "bin", ignore_errors=True)  # commands, whose first line names this machine's Python
    for metadata in into.glob("*.dist-info"):
        for name in _UNUSED:
            (metadata / name).unlink(missing_ok=True)


def _pip(command: str, *options: str, lock: Path) -> None:
    run = [sys.executable, "-m", "pip", command, "--quiet", "--no-deps", "--require-hashes", f"--requirement={lock}"]
    done = subprocess.run(  # noqa: S603 - this interpreter's own pip
        [*run, *options, "--disable-pip-version-check"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = "\n".join(line for line in done.stderr.splitlines() if line.startswith("ERROR"))
        raise BuildError(f"pip {command} failed for {lock}:\n{said or done.stderr.strip()}")
