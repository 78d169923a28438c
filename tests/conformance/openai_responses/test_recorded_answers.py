"""Recorded answers of OpenAI, Azure, DeepSeek and OpenRouter, against what their own JSON says they hold."""

from __future__ import annotations

import json
from typing import Any

from keyway.events import Usage
from keyway.wire.openai_responses import decoder, dialect, failure
from tests.conformance.feeding import Recording, outcome, outcome_however_split, recorded

WIRE = "openai_responses"


def said(recording: Recording) -> Any:
    """The response object: the document itself, or the one in the stream's terminal event."""
    if not recording.stream:
        return json.loads(recording.response)
    lines = [line.removeprefix("data: ") for line in recording.response.decode().splitlines()]
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return next(event["response"] for event in events if event["type"] == "response.completed")


def parts(item: dict[str, Any], field: str) -> list[str]:
    return [part["text"] for part in item.get(field) or []]


@recorded(WIRE, lambda row: row["status"] == 200)
def test_a_recorded_answer_decodes_to_what_it_says(recording: Recording) -> None:
    response = said(recording)
    items = response["output"]
    calls = [item for item in items if item["type"] == "function_call"]
    thoughts = [parts(item, "summary") or parts(item, "content") for item in items if item["type"] == "reasoning"]
    usage = response["usage"]

    outcome = outcome_however_split(lambda: decoder(dialect({}), provider=recording.provider), recording.response)

    assert outcome.text == "".join(
        text for item in items if item["type"] == "message" for text in parts(item, "content")
    )
    assert outcome.thinking == "\n\n".join(text for texts in thoughts for text in texts)
    assert [(call.id, call.name, call.arguments, call.malformed) for call in outcome.calls] == [
        (item["call_id"], item["name"], json.loads(item["arguments"]), None) for item in calls
    ]
    assert [(start.id, start.name) for start in outcome.started] == [(item["call_id"], item["name"]) for item in calls]
    assert outcome.finished.finish_reason == ("tool_calls" if calls else "stop")
    assert outcome.finished.response_id == response["id"]
    assert outcome.usage == Usage(
        input=usage["input_tokens"],
        output=usage["output_tokens"],
        cache_read=usage["input_tokens_details"]["cached_tokens"],
        cache_write=usage["input_tokens_details"].get("cache_write_tokens", 0),
        reasoning=usage["output_tokens_details"]["reasoning_tokens"],
    )
    assert outcome.usage.total == usage["total_tokens"]


@recorded(WIRE, lambda row: row["status"] == 200)
def test_reasoning_worth_replaying_is_kept_unchanged(recording: Recording) -> None:
    wanted = [
        (item.get("id"), item.get("encrypted_content"), item.get("summary"), item.get("content") or None)
        for item in said(recording)["output"]
        if item["type"] == "reasoning" and (item.get("encrypted_content") or item.get("content"))
    ]
    extras = outcome(decoder(dialect({}), provider="openai"), [recording.response]).finished.extras
    entries = extras.get("openai_responses", [])
    assert isinstance(entries, list)
    kept = [entry for entry in entries if entry["type"] == "reasoning"]

    assert [
        (item.get("id"), item.get("encrypted_content"), item["summary"], item.get("content")) for item in kept
    ] == wanted


@recorded(WIRE, lambda row: row["status"] >= 400)
def test_a_recorded_refusal_keeps_its_status_and_words(recording: Recording) -> None:
    error = json.loads(recording.response)["error"]

    raised = failure(recording.status, recording.headers, recording.response, provider=recording.provider, now=0)

    assert raised.type == "ProviderRejected"
    assert raised.status == raised.upstream_status == recording.status
    assert error["message"] in raised.message
    assert error["code"] in raised.message
