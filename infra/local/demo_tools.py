"""The demo's part about tools: the model asks for a search, the gateway runs it on a hosted key, the model goes on.

Every event of the stream is shown as it arrives. In the end the model's tokens and the search are one bill.
"""

from __future__ import annotations

import json

from infra.local import terminal
from infra.local.account import show_account
from infra.local.caller import Caller, Json, StreamEvent
from infra.local.checks import DemoError, answer_of, check_one_by_one, member, tool_calls
from infra.local.system import LocalSystem

TOOL = "web_search"
QUESTION = f"Use {TOOL} to find out what a gateway is, and tell me in one sentence."


async def searched(system: LocalSystem, caller: Caller, asked: Json) -> None:
    """A request that needs the tool, from the first event to the bill. Raises ``DemoError``."""
    terminal.heading("A model that uses a tool: the gateway runs it, on a hosted key of the tool's own")
    terminal.quiet(f"  POST /v1/execute {json.dumps({**asked, 'stream': True})}")
    terminal.say()
    before = len(system.search.requests)
    events: list[StreamEvent] = []
    async for event in caller.stream(asked):
        events.append(event)
        if shown := _shown(event):
            terminal.say(f"  {event.milliseconds:7.1f} ms  {shown}")
    answer = answer_of(events)
    check_one_by_one(events)
    _check_order(events)
    terminal.say()
    for call in tool_calls(answer):
        terminal.say(f"  {call['name']} {json.dumps(call['arguments'])} took {call.get('duration')} ms and said")
        terminal.quiet(f"    {json.dumps(call.get('result'), ensure_ascii=False)[:300]}")
    if len(system.search.requests) == before:
        raise DemoError(f"{TOOL} should have been called, but the search API was not")
    if float(str(member(answer, "cost").get("toolCost", 0))) <= 0:
        raise DemoError("the search was paid for with a hosted key, but toolCost is zero")
    await show_account(system, answer, tools={TOOL: "SEARCH_API_KEY"})


def _shown(event: StreamEvent) -> str:
    """An event in one line; nothing for the last one, which is shown apart."""
    match event.name:
        case "text_delta":
            return str(event.data["text"]).strip()
        case "done":
            return ""
        case _:
            return f"{event.name} {json.dumps(event.data)}"


def _check_order(events: list[StreamEvent]) -> None:
    """The tool starts and ends well, one turn is over before the last one begins, and that one has the text."""
    told = [(event.name, event.data.get("status") or event.data.get("turn")) for event in events]
    order = [
        ("tool_call_start", None),
        ("turn_end", "intermediate"),
        ("tool_call_end", "success"),
        ("turn_end", "final"),
    ]
    places = [told.index(step) if step in told else -1 for step in order]
    if -1 in places or places != sorted(places):
        raise DemoError(f"the events should come in the order {order}, but came as {told}")
