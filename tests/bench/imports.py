"""CPU seconds that an import takes in a fresh interpreter, beyond what the interpreter itself takes.

httpx looks for click, pygments and rich and loads them for a command line of its own. They come with development
tools and are not deployed, so they are made absent here.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from tempfile import TemporaryDirectory

from infra.local.system import PYTHON_PATH, ROOT

_PROGRAM = """
import sys, time
sys.modules.update(dict.fromkeys(("click", "pygments", "rich")))
before = time.process_time()
import {module}
print(time.process_time() - before)
"""


def import_seconds(modules: list[str], *, times: int) -> dict[str, float]:
    """The median of ``times`` fresh interpreters for each module, taken in turns. Everything is compiled beforehand."""
    measured: dict[str, list[float]] = {module: [] for module in modules}
    with TemporaryDirectory() as compiled:
        for _ in range(times + 1):
            for module in modules:
                measured[module].append(_once(module, compiled))
    return {module: statistics.median(seconds[1:]) for module, seconds in measured.items()}  # the first compiles


def _once(module: str, compiled: str) -> float:
    path = os.pathsep.join([*map(str, PYTHON_PATH), str(ROOT / "layers/stream_runtime/python")])
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(module=module)],
        env={"PYTHONPATH": path, "PYTHONPYCACHEPREFIX": compiled, "PATH": os.defpath},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(run.stdout)
