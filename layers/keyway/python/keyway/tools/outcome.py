"""What one tool call came to: what the model is told, what the caller is shown, and what is owed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from keyway.answer import ToolRun
from keyway.billing.cost import dollars
from keyway.billing.records import Charge
from keyway.events import ToolCall
from keyway.tools.executor import ToolFailure


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one call.

    Attributes:
        run: For the answer.
        content: For the model: the output, or the error, as JSON.
        charge: For the account; ``None`` when no hosted key was used, or nothing can be said of its price.
    """

    run: ToolRun
    content: str
    charge: Charge | None = None


def succeeded(
    call: ToolCall,
    arguments: Mapping[str, object],
    output: object,
    charge: Charge | None,
    *,
    started: float,
    ended: float,
) -> Outcome:
    """The tool did what was asked. The caller is shown what it cost beside an object's other members."""
    cost = charge.amount if charge else None
    shown = output
    if cost is not None and isinstance(output, Mapping):
        shown = {**output, "cost": {"total": dollars(cost)}}
    run = ToolRun(call, arguments, "success", shown, started, ended, cost)
    return Outcome(run, _json(output), charge)


def failed(
    call: ToolCall, arguments: Mapping[str, object], failure: ToolFailure, *, started: float, ended: float
) -> Outcome:
    """The tool did not. The model is told why, so that it can do otherwise."""
    error = _error(call, failure.message)
    if failure.status is not None:
        error["status"] = failure.status
    if failure.retry_after is not None:
        error["retryAfter"] = round(failure.retry_after, 3)
    return Outcome(ToolRun(call, arguments, "error", error, started, ended), _json(error))


def cancelled(call: ToolCall, *, started: float, ended: float) -> Outcome:
    """The exchange ended before the tool did."""
    error = _error(call, "The tool was stopped before it had finished.")
    return Outcome(ToolRun(call, call.arguments, "cancelled", error, started, ended), _json(error))


def _error(call: ToolCall, message: str) -> dict[str, object]:
    return {"error": True, "message": message, "tool": call.name}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
