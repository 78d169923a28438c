"""`python -m stream_runtime app.handler`: the process Lambda's exec wrapper starts. The one place that reads the
environment and the command line; what happens then is `runtime`.
"""

from __future__ import annotations

import asyncio
import os
import sys

from .hooks import registered
from .runtime import load, run
from .settings import Settings, SettingsError


def main() -> int:
    """Run until the environment is told to go. Gives the exit code."""
    try:
        settings = Settings.from_environment(os.environ, sys.argv[1] if len(sys.argv) > 1 else None)
    except SettingsError as error:
        sys.stderr.write(f"stream_runtime: {error}\n")
        return 1
    _extend_path(settings)
    asyncio.run(_live(settings))
    return 0


async def _live(settings: Settings) -> None:
    export = _export_trace if settings.concurrency == 1 else _ignore
    exit_code = await run(settings, registered, lambda: load(settings.handler), export)
    sys.stdout.flush()
    sys.stderr.flush()
    # Not a return: asyncio and the interpreter would wait for threads that may never end, and shutdown has a budget.
    os._exit(exit_code)


def _extend_path(settings: Settings) -> None:
    """The function's code first, then the layers', then what AWS ships (boto3), in the order its own runtime has."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    first = [settings.task_root, f"/opt/python/lib/{version}/site-packages"]
    # pathlib would bring urllib with it, on the way to the first byte.
    for folder in reversed([folder for folder in first if folder and os.path.isdir(folder)]):  # noqa: PTH112
        if folder in sys.path:
            sys.path.remove(folder)
        sys.path.insert(0, folder)
    shipped = os.environ.get("LAMBDA_RUNTIME_DIR")
    if shipped and shipped not in sys.path:
        sys.path.append(shipped)


def _export_trace(value: str | None) -> None:
    """The AWS X-Ray SDK looks here. With concurrent invocations there is no one value, and so none is set."""
    if value:
        os.environ["_X_AMZN_TRACE_ID"] = value
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)


def _ignore(_: str | None) -> None:
    return


if __name__ == "__main__":
    sys.exit(main())
