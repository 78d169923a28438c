"""What the demo insists on: words that came one by one, an answer that is what was streamed, metrics that add up.

The demo shows; this says when what it shows is not as it should be.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from infra.local.caller import Json, StreamEvent
from infra.local.lines import Written


class DemoError(Exception):
    """Something is not as it should be; the message says what was expected and what came."""


def answer_of(events: Sequence[StreamEvent]) -> Json:
    """The answer that a stream ends with. Its content is the text of the last turn, as it was streamed."""
    last = events[-1] if events else None
    if last is None or last.name != "done":
        raise DemoError(f"the stream should end with done, but ended with {last}")
    text = ""
    for event in events:
        if event.name == "text_delta":
            text += str(event.data["text"])
        elif event.name == "turn_end" and event.data["turn"] == "intermediate":
            text = ""
    if last.data["content"] != text:
        raise DemoError(f"the pieces make {text!r}, but the whole answer is {last.data['content']!r}")
    return last.data


def check_one_by_one(events: Sequence[StreamEvent]) -> None:
    """Half of the pieces, at least, came in a read of their own."""
    deltas = [event for event in events if event.name == "text_delta"]
    reads = len({event.read for event in deltas})
    if len(deltas) < 2 or reads < len(deltas) / 2:
        raise DemoError(f"{len(deltas)} pieces of text came in {reads} reads, not one by one")


def check_metrics(answer: Json, written: Written, *, tools: Mapping[str, str] | None = None) -> None:
    """One ``Used`` with the key that paid for the model, one for each tool's run, and charges that add up to the cost.

    ``tools`` are those that are run on hosted keys, each with the prefix of their names.
    """
    total = Decimal(str(member(answer, "cost")["total"]))
    used = [metric.dimensions.get("Key", "") for metric in written.named("Used")]
    expected = Counter([str(member(answer, "credential").get("key")), *_prefixes(answer, tools or {})])
    prefixes = set((tools or {}).values())
    found = Counter(stem if (stem := key.rpartition("_")[0]) in prefixes else key for key in used)
    if found != expected or written.named("Failed"):
        raise DemoError(f"there should be Used metrics for {dict(expected)} and no Failed, but got {written.metrics}")
    if total <= 0:
        raise DemoError("the answer was paid for with a hosted key, but its cost is zero")
    if written.charged != total:
        raise DemoError(f"CostCharged adds up to {written.charged}, but the answer cost {total}")


def member(data: Json, name: str) -> Json:
    """An object in ``data``."""
    value = data.get(name)
    if not isinstance(value, Mapping):
        raise DemoError(f"{name} is missing from the answer: {json.dumps(data)[:500]}")
    return value


def tool_calls(answer: Json) -> Sequence[Json]:
    """The calls that the model made."""
    calls = answer.get("toolCalls")
    return calls if isinstance(calls, list) else ()


def _prefixes(answer: Json, tools: Mapping[str, str]) -> Iterator[str]:
    for call in tool_calls(answer):
        if call.get("success") is True and call["name"] in tools:
            yield tools[str(call["name"])]
