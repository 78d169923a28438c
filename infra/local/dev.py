"""``make dev``: the whole system stays up until Ctrl-C, with every line the function writes.

The port of the function URL is 9000, or what ``PORT`` says. Providers with a real key in the environment are
called for real; the others are scripted.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
from collections.abc import Mapping

from infra.local import terminal
from infra.local.demo import request
from infra.local.demo_tools import QUESTION as SEARCH_QUESTION
from infra.local.real_keys import real_vendors
from infra.local.system import CALLERS_KEY, LocalSystem
from infra.local.tools import ASK_USER, WORD_COUNT
from stream_runtime.local import StartError

PORT = 9000


async def dev(environment: Mapping[str, str]) -> None:
    """Serves until the process is told to stop. Raises ``OSError`` when the port is taken."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    real = real_vendors(environment)
    port = int(environment.get("PORT") or PORT)
    async with LocalSystem(real=real, concurrency=16, port=port, on_line=terminal.quiet, timeout=900) as system:
        terminal.heading("Keyway is up; Ctrl-C stops it")
        addresses = {name: system.provider_addresses.get(name, "the real provider") for name in ("openai", "anthropic")}
        terminal.pairs(
            {
                "function URL": f"{system.url}  (the gateway in process {system.function.pids[0]})",
                "AWS": system.aws.url,
                **addresses,
                "search": system.search.url,
            }
        )
        terminal.heading("To try")
        for about, command in commands(system):
            terminal.quiet(f"  # {about}")
            terminal.say(f"  {command}\n")
        terminal.say("What the function writes:")
        await stop.wait()
    terminal.heading("Stopped.")


def commands(system: LocalSystem) -> list[tuple[str, str]]:
    """curl commands that show one thing each."""
    execute = f"{system.url}/v1/execute"
    streamed = {**request("openai"), "stream": True}
    return [
        ("streamed, on a hosted key", _curl(execute, streamed)),
        ("the other provider, in one piece", _curl(execute, request("anthropic"))),
        ("on a key of the workspace's own: costs nothing", _curl(execute, {**streamed, "workspaceId": "ws-with-keys"})),
        (
            "the flag is off for this workspace, so the caller brings a key",
            _curl(execute, {**streamed, "workspaceId": "ws-opted-out", "apiKey": CALLERS_KEY}),
        ),
        (
            "a tool of the platform's: the model asks for a search, which is run on a hosted key of its own",
            _curl(execute, {**request("openai", SEARCH_QUESTION, {"id": "web_search"}), "stream": True}),
        ),
        (
            "another one, run by a Lambda function: costs nothing but the model",
            _curl(execute, request("openai", "Use world_clock: what time is it?", {"id": "world_clock"})),
        ),
        (
            "a tool of the caller's own, run by a Lambda function that the platform allows",
            _curl(execute, request("anthropic", "Use word_count, please.", WORD_COUNT)),
        ),
        (
            "a tool that only the caller can run: the call is handed back",
            _curl(execute, request("openai", "Use ask_user before you answer.", ASK_USER)),
        ),
        ("as Step Functions calls it", _curl(system.function.invoke_url, request("openai"))),
        ("is it there?", f"curl -s {system.url}/health"),
    ]


def _curl(url: str, body: Mapping[str, object]) -> str:
    return f"curl -sN {url} -d {shlex.quote(json.dumps(body))}"


def main() -> int:
    """Gives the exit code."""
    try:
        asyncio.run(dev(os.environ))
    except StartError as error:
        terminal.complain(f"The gateway could not be started: {error}")
        return 1
    except OSError as error:
        terminal.complain(f"The port cannot be used ({error}). PORT=9001 make dev takes another one.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
