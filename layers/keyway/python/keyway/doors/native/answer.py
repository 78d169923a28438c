"""Writes the whole answer of an exchange as the native door's JSON object."""

from __future__ import annotations

from datetime import UTC, datetime

from keyway.answer import Answer, Segment, Timing
from keyway.billing.cost import cost_json
from keyway.events import ToolCall
from keyway.report import tokens


def answer_json(answer: Answer) -> dict[str, object]:
    """The answer as a JSON object: money in US dollars, times as ISO 8601 or epoch milliseconds.

    ``tokens`` is null when the provider reported none: unknown, which is not the same as zero.
    """
    body: dict[str, object] = {"content": answer.content}
    if answer.thinking:
        body["thinking"] = answer.thinking
    body |= {
        "model": answer.model,
        "finishReason": answer.finish_reason,
        "tokens": tokens(answer.usage) if answer.usage else None,
        "toolCalls": [_tool_call(call) for call in answer.tool_calls],
        "toolResults": [],
        "timing": _timing(answer.timing),
        "cost": cost_json(answer.cost),
        "credential": {"origin": answer.origin, **({"key": answer.key} if answer.key else {})},
        "requestId": answer.request_id,
    }
    if answer.extras:
        body["providerExtras"] = dict(answer.extras)
    return body


def _tool_call(call: ToolCall) -> dict[str, object]:
    body: dict[str, object] = {"id": call.id, "name": call.name, "arguments": dict(call.arguments)}
    if call.malformed is not None:
        # Never to be run; shown so that whoever answers the call can tell the model what was wrong with it.
        body["malformedArguments"] = call.malformed
    return body


def _timing(timing: Timing) -> dict[str, object]:
    models = [segment for segment in timing.segments if segment.type == "model"]
    return {
        "startTime": _iso(timing.started),
        "endTime": _iso(timing.ended),
        "duration": _milliseconds(timing.ended - timing.started),
        "modelTime": _milliseconds(sum(segment.ended - segment.started for segment in models)),
        "toolsTime": 0,
        "firstResponseTime": _milliseconds(models[0].ended - models[0].started) if models else 0,
        "iterations": len(models),
        "timeSegments": [_segment(segment) for segment in timing.segments],
    }


def _segment(segment: Segment) -> dict[str, object]:
    body: dict[str, object] = {
        "type": segment.type,
        "name": segment.name,
        "startTime": _milliseconds(segment.started),
        "endTime": _milliseconds(segment.ended),
        "duration": _milliseconds(segment.ended - segment.started),
        "provider": segment.provider,
    }
    if segment.first_byte is not None:
        body["ttft"] = _milliseconds(segment.first_byte)
    if segment.finish_reason is not None:
        body["finishReason"] = segment.finish_reason
    if segment.usage is not None:
        body["tokens"] = tokens(segment.usage)
    if segment.cost is not None:
        body["cost"] = cost_json(segment.cost)
    return body


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
