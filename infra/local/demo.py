"""``make demo``: the main job once, for everybody to see, and checked.

A streamed request on a hosted key to each provider, the same question as Step Functions would ask it, and one
request that is refused. What is shown is also checked: if the words did not arrive one by one, or the metrics do
not add up to the cost, the demo says so and exits with 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from decimal import Decimal

import httpx

from infra.local import terminal
from infra.local.caller import Caller, Json, RefusedError, StreamEvent
from infra.local.lines import Written
from infra.local.real_keys import real_vendors
from infra.local.system import LocalSystem
from stream_runtime.local import StartError

QUESTION = "In one sentence: what is a gateway?"
ASKED = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-4-6"}
"""The model that is asked of each provider."""


class DemoError(Exception):
    """Something is not as it should be; the message says what was expected and what came."""


def request(provider: str) -> dict[str, object]:
    """The question to one provider, in the words of the native door."""
    return {
        "provider": provider,
        "model": ASKED[provider],
        "messages": [{"role": "user", "content": QUESTION}],
        "maxTokens": 200,
        "workspaceId": "ws-demo",
        "userId": "user-demo",
    }


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
            }
        )
        await system.ready()
        for provider in ASKED:
            await _streamed(system, caller, provider)
        await _bare_event(system, caller)
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
    answer = _answer(provider, events)
    _check_one_by_one(provider, events)
    await _account(system, answer)


async def _bare_event(system: LocalSystem, caller: Caller) -> None:
    provider = next(iter(ASKED))
    terminal.heading("The same question as Step Functions asks it: a bare event in, plain JSON out")
    reply = await caller.invoke(request(provider))
    if reply.status != 200 or reply.json is None or "content" not in reply.json:
        raise DemoError(f"the bare event should be answered with plain JSON, but got {reply.body[:500]!r}")
    shown = {name: value for name, value in reply.json.items() if name != "timing"}
    for line in json.dumps(shown, indent=2, ensure_ascii=False).splitlines():
        terminal.say(f"  {line}")
    _check_metrics(reply.json, await system.lines.about(str(reply.json["requestId"])))


async def _refused(caller: Caller) -> None:
    terminal.heading("A request that is refused")
    wrong = {**request("openai"), "maxTokens": -5}
    terminal.quiet(f"  POST /v1/execute {json.dumps(wrong)}")
    reply = await caller.post(wrong)
    error = (reply.json or {}).get("error")
    if reply.status != 400 or not isinstance(error, Mapping) or "maxTokens" not in str(error.get("message")):
        raise DemoError(f"a negative maxTokens should be a 400 naming the field, but got {reply.body[:500]!r}")
    terminal.say(f"  {reply.status}  {reply.body.decode()}")


async def _account(system: LocalSystem, answer: Json) -> None:
    """Who paid, how much of what, and the lines that say so."""
    written = await system.lines.about(str(answer["requestId"]))
    _check_metrics(answer, written)
    tokens, cost, credential = _object(answer, "tokens"), _object(answer, "cost"), _object(answer, "credential")
    pricing = _object(cost, "pricing")
    terminal.say()
    terminal.pairs(
        {
            "paid by": f"{credential['key']} ({credential['origin']})",
            "tokens": f"{tokens['input']} in, {tokens['output']} out",
            "cost": f"${_money(cost['total'])} = ${_money(cost['input'])} in + ${_money(cost['output'])} out"
            f", at ${_money(pricing['input'])} and ${_money(pricing['output'])} for a million tokens",
        }
    )
    terminal.say("  metrics")
    for metric in written.metrics:
        terminal.metric(metric)
    terminal.quiet(f"  as written, in CloudWatch's Embedded Metric Format ({written.metrics[0].namespace}):")
    for line in system.lines.all:
        if '"_aws"' in line and str(answer["requestId"]) in line:
            terminal.quiet(f"    {line}")


def _answer(provider: str, events: list[StreamEvent]) -> Json:
    last = events[-1] if events else None
    if last is None or last.name != "done":
        raise DemoError(f"{provider}: the stream should end with done, but ended with {last}")
    text = "".join(str(event.data["text"]) for event in events if event.name == "text_delta")
    if last.data["content"] != text:
        raise DemoError(f"{provider}: the pieces make {text!r}, but the whole answer is {last.data['content']!r}")
    return last.data


def _check_one_by_one(provider: str, events: list[StreamEvent]) -> None:
    """Half of the pieces, at least, came in a read of their own."""
    deltas = [event for event in events if event.name == "text_delta"]
    reads = len({event.read for event in deltas})
    if len(deltas) < 2 or reads < len(deltas) / 2:
        raise DemoError(f"{provider}: {len(deltas)} pieces of text came in {reads} reads, not one by one")


def _check_metrics(answer: Json, written: Written) -> None:
    """One ``Used`` with the key that paid, no ``Failed``, and charges that add up to the cost."""
    total = Decimal(str(_object(answer, "cost")["total"]))
    key = _object(answer, "credential").get("key")
    used = [metric.dimensions.get("Key") for metric in written.named("Used")]
    if used != [key] or written.named("Failed"):
        raise DemoError(f"there should be one Used metric for {key} and no Failed, but there is {written.metrics}")
    if total <= 0:
        raise DemoError("the answer was paid for with a hosted key, but its cost is zero")
    if written.charged != total:
        raise DemoError(f"CostCharged adds up to {written.charged}, but the answer cost {total}")


def _object(data: Json, name: str) -> Json:
    value = data.get(name)
    if not isinstance(value, Mapping):
        raise DemoError(f"{name} is missing from the answer: {json.dumps(data)[:500]}")
    return value


def _money(value: object) -> str:
    return terminal.amount(Decimal(str(value)))


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
