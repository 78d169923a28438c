"""`python -m stream_runtime.local`: serve a function on loopback until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from .environment import StartError
from .platform import LocalLambda


def main() -> int:
    """Read the command line, serve, and give the exit code."""
    options = _options()
    try:
        return asyncio.run(_serve(options))
    except StartError as error:
        sys.stderr.write(f"stream_runtime.local: {options.handler} could not be started. {error}\n")
    except OSError as error:
        sys.stderr.write(f"stream_runtime.local: cannot listen on port {options.port}: {error}\n")
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m stream_runtime.local",
        description="Serve a Lambda function on loopback: a function URL that streams, and direct invocation. The "
        "function sees this process's environment besides the variables Lambda sets.",
    )
    parser.add_argument("--handler", required=True, help="module.attribute, for example app.handler")
    parser.add_argument("--environments", type=_positive, default=1, help="processes to run (default 1)")
    parser.add_argument("--concurrency", type=_positive, default=1, help="invocations at once in each (default 1)")
    parser.add_argument("--port", type=int, default=9000, help="port of the function URL; 0 is any free one")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds an invocation may take (default 900)")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the function's folder (default: this one)")
    parser.add_argument("--queue", type=int, default=None, help="calls that may wait before others get a 429")
    parser.add_argument("--snapstart", action="store_true", help="start each environment as a restored snapshot")
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    local = LocalLambda(
        options.handler,
        environments=options.environments,
        concurrency=options.concurrency,
        environment=dict(os.environ),
        python_path=[options.root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))],
        task_root=options.root,
        timeout=options.timeout,
        port=options.port,
        queue=options.queue,
        snapstart=options.snapstart,
    )
    async with local:
        sys.stderr.write(f"function URL  {local.url}/\ninvoke        {local.invoke_url}\n")
        await stop.wait()
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a number of at least 1 is expected")
    return number


if __name__ == "__main__":
    sys.exit(main())
