"""What the end-to-end tests ask, and how they look at what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from infra.local.caller import Caller, StreamEvent
from infra.local.lines import Written
from infra.local.provider import Reply, Script

MODELS = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-4-6"}
WORKSPACE = "ws-of-the-tests"
"""A workspace without keys of its own, for which the flag is on: the platform's keys pay."""

both_vendors = pytest.mark.parametrize("vendor", MODELS)


def question(vendor: str, text: object = "Hello?", **more: object) -> dict[str, object]:
    """A request on a hosted key."""
    asked = {
        "provider": vendor,
        "model": MODELS[vendor],
        "messages": [{"role": "user", "content": text}],
        "workspaceId": WORKSPACE,
        **more,
    }
    return {name: value for name, value in asked.items() if value is not None}


@dataclass(slots=True)
class Streamed:
    """A stream that was read to its end."""

    events: list[StreamEvent] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    @property
    def texts(self) -> list[str]:
        return [str(event.data["text"]) for event in self.events if event.name == "text_delta"]

    @property
    def last(self) -> Mapping[str, Any]:
        """The object of the last event."""
        return self.events[-1].data


async def streamed(caller: Caller, body: Mapping[str, object]) -> Streamed:
    """Reads a whole stream. Raises ``RefusedError`` when there is none."""
    return Streamed([event async for event in caller.stream(body)])


def total(answer: Mapping[str, Any]) -> Decimal:
    """What the answer says it cost, in USD."""
    return Decimal(str(answer["cost"]["total"]))


def assert_charged_once(answer: Mapping[str, Any], written: Written) -> None:
    """A hosted key paid: one ``Used`` that names it, no ``Failed``, and charges that add up to the cost."""
    assert answer["credential"]["origin"] == "hosted"
    assert [metric.dimensions["Key"] for metric in written.named("Used")] == [answer["credential"]["key"]]
    assert {metric.name for metric in written.metrics} == {"Used", "CostCharged"}
    assert written.charged == total(answer) > 0


def assert_failed_once(written: Written, reason: str, *, used: bool = False) -> None:
    """One ``Failed`` with this reason, and nothing charged."""
    assert [metric.dimensions["Reason"] for metric in written.named("Failed")] == [reason]
    assert not written.named("CostCharged")
    assert len(written.named("Used")) == used


def for_good(reply: Reply) -> Reply:
    """``reply`` with the word of the vendor that another try is of no use, so that the gateway takes it at once."""
    if isinstance(reply, Script):
        return reply
    return replace(reply, headers={**reply.headers, "x-should-retry": "false"})
