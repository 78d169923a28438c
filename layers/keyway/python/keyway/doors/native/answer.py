"""Writes the whole answer of an exchange as the native door's JSON object."""

from __future__ import annotations

from datetime import UTC, datetime

from keyway.answer import Answer, Segment, Timing, ToolRun, TranscriptMessage
from keyway.billing.cost import cost_json, dollars
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
        "toolCalls": [_tool_run(call) if isinstance(call, ToolRun) else _tool_call(call) for call in answer.tool_calls],
        "toolResults": [run.result for run in answer.tool_calls if isinstance(run, ToolRun) and _has_output(run)],
        "timing": _timing(answer.timing),
        "cost": cost_json(answer.cost),
        "credential": {"origin": answer.origin, **({"key": answer.key} if answer.key else {})},
        "requestId": answer.request_id,
    }
    if answer.extras:
        body["providerExtras"] = dict(answer.extras)
    if answer.messages:
        body["messages"] = [_message(said) for said in answer.messages]
    return body


def _message(said: TranscriptMessage) -> dict[str, object]:
    """A turn in the words of a request, for callers who go on with the conversation."""
    message: dict[str, object] = {"role": said.role, "content": said.content}
    if said.tool_calls:
        message["toolCalls"] = [
            {"id": call.id, "name": call.name, "arguments": dict(call.arguments)} for call in said.tool_calls
        ]
    if said.tool_call_id is not None:
        message["toolCallId"] = said.tool_call_id
    if said.extras:
        message["providerExtras"] = dict(said.extras)
    return message


def _has_output(run: ToolRun) -> bool:
    """Whether the tool did what was asked, and had something to say."""
    return run.status == "success" and run.result not in (None, False, "", 0)


def _tool_run(run: ToolRun) -> dict[str, object]:
    return {
        **_tool_call(run.call),
        "arguments": dict(run.arguments),
        "result": run.result,
        "success": run.status == "success",
        "startTime": _iso(run.started),
        "endTime": _iso(run.ended),
        "duration": _milliseconds(run.ended - run.started),
    }


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
        "toolsTime": _milliseconds(timing.tools_time),
        "firstResponseTime": _milliseconds(models[0].ended - models[0].started) if models else 0,
        "iterations": len(models),
        "timeSegments": [_segment(segment) for segment in timing.segments],
    }


def _segment(segment: Segment) -> dict[str, object]:
    """A stretch of time. What is not known of it is left out."""
    shown: dict[str, object | None] = {
        "type": segment.type,
        "name": segment.name,
        "startTime": _milliseconds(segment.started),
        "endTime": _milliseconds(segment.ended),
        "duration": _milliseconds(segment.ended - segment.started),
        "provider": segment.provider,
        "toolCallId": segment.tool_call_id,
        "ttft": None if segment.first_byte is None else _milliseconds(segment.first_byte),
        "assistantContent": segment.content or None,
        "thinkingContent": segment.thinking or None,
        "toolCalls": [_tool_call(call) for call in segment.tool_calls] or None,
        "finishReason": segment.finish_reason,
        "tokens": None if segment.usage is None else tokens(segment.usage),
        "cost": _segment_cost(segment),
        "errorMessage": segment.error,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _segment_cost(segment: Segment) -> dict[str, object] | None:
    if segment.tool_cost is not None:
        return {"total": dollars(segment.tool_cost)}
    return None if segment.cost is None else cost_json(segment.cost)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
