"""``make demo``: the main job once, for everybody to see, and checked.

A streamed request on a hosted key to each provider, the same question as Step Functions would ask it, one that needs a
tool (``demo_tools.py``), and one that is refused. What is shown is also checked (``checks.py``): if the words did not
arrive one by one, or the metrics do not add up to the cost, the demo says so and exits with 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping

import httpx

from infra.local import terminal
from infra.local.account import show_account
from infra.local.caller import Caller, Json, RefusedError, StreamEvent
from infra.local.checks import DemoError, answer_of, check_metrics, check_one_by_one
from infra.local.demo_tools import QUESTION as TOOL_QUESTION
from infra.local.demo_tools import TOOL, searched
from infra.local.real_keys import real_vendors
from infra.local.system import LocalSystem
from stream_runtime.local import StartError

QUESTION = "In one sentence: what is a gateway?"
ASKED = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-4-6"}
"""The model that is asked of each provider."""


def request(provider: str, question: str = QUESTION, *tools: Json) -> dict[str, object]:
    """A question to one provider, in the words of the native door."""
    asked: dict[str, object] = {
        "provider": provider,
        "model": ASKED[provider],
        "messages": [{"role": "user", "content": question}],
        "maxTokens": 200,
        "workspaceId": "ws-demo",
        "userId": "user-demo",
    }
    return {**asked, "tools": list(tools)} if tools else asked


async def demo(environment: Mapping[str, str]) -> None:
    """Runs the whole demo. Raises ``DemoError``, or what kept the system from starting or answering."""
    real = real_vendors(environment)
    terminal.heading("Keyway on this machine")
    async with LocalSystem(real=real) as system, Caller(system.url, system.function.invoke_url) as caller:
        terminal.pairs(
            {
                "function URL": f"{system.url}  (the gateway in process {system.function.pids[0]})",
                "AWS": f"{system.aws.url}  (Secrets Manager, DynamoDB, KMS and AppConfig, in memory)",
                **{name: _place(system, name) for name in ASKED},
                "search": f"{system.search.url}  (scripted)",
            }
        )
        await system.ready()
        for provider in ASKED:
            await _streamed(system, caller, provider)
        await _bare_event(system, caller)
        await searched(system, caller, request(next(iter(ASKED)), TOOL_QUESTION, {"id": TOOL}))
        await _refused(caller)
    terminal.heading("Everything arrived one by one, and the metrics add up to the cost.")


async def _streamed(system: LocalSystem, caller: Caller, provider: str) -> None:
    terminal.heading(f"A streamed request to {provider}, on a hosted key")
    terminal.quiet(f"  POST /v1/execute {json.dumps({**request(provider), 'stream': True})}")
    terminal.say()
    events: list[StreamEvent] = []
    async for event in caller.stream(request(provider)):
        events.append(event)
        if event.name == "text_delta":
            terminal.say(f"  {event.milliseconds:7.1f} ms  {str(event.data['text']).strip()}")
    answer = answer_of(events)
    check_one_by_one(events)
    await show_account(system, answer)


async def _bare_event(system: LocalSystem, caller: Caller) -> None:
    provider = next(iter(ASKED))
    terminal.heading("The same question as Step Functions asks it: a bare event in, plain JSON out")
    reply = await caller.invoke(request(provider))
    if reply.status != 200 or reply.json is None or "content" not in reply.json:
        raise DemoError(f"the bare event should be answered with plain JSON, but got {reply.body[:500]!r}")
    shown = {name: value for name, value in reply.json.items() if name != "timing"}
    for line in json.dumps(shown, indent=2, ensure_ascii=False).splitlines():
        terminal.say(f"  {line}")
    check_metrics(reply.json, await system.lines.about(str(reply.json["requestId"])))


async def _refused(caller: Caller) -> None:
    terminal.heading("A request that is refused")
    wrong = {**request("openai"), "maxTokens": -5}
    terminal.quiet(f"  POST /v1/execute {json.dumps(wrong)}")
    reply = await caller.post(wrong)
    error = (reply.json or {}).get("error")
    if reply.status != 400 or not isinstance(error, Mapping) or "maxTokens" not in str(error.get("message")):
        raise DemoError(f"a negative maxTokens should be a 400 naming the field, but got {reply.body[:500]!r}")
    terminal.say(f"  {reply.status}  {reply.body.decode()}")


def _place(system: LocalSystem, provider: str) -> str:
    address = system.provider_addresses.get(provider)
    if provider in system.real:
        return f"{address or 'the real provider'}  (called for real, with {', '.join(system.real[provider].keys)})"
    return f"{address}  (scripted, in the provider's own protocol)"


def main() -> int:
    """Gives the exit code."""
    try:
        asyncio.run(demo(os.environ))
    except (DemoError, RefusedError, StartError, TimeoutError, httpx.HTTPError) as error:
        terminal.complain(f"\nThe demo failed: {error or type(error).__name__}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
