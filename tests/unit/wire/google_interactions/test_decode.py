"""Streams of interactions, in today's and in yesterday's words, however their bytes are split."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyway.events import TurnFinished, Usage
from keyway.wire import google_interactions as wire
from tests.conformance.feeding import Outcome, outcome, outcome_however_split

USAGE = {"total_input_tokens": 10, "total_output_tokens": 20, "total_thought_tokens": 5, "total_tokens": 35}
DONE = "event: done\ndata: [DONE]\n\n"


def event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({**fields, 'event_type': kind})}\n\n"


def completed(status: str = "completed", **fields: Any) -> str:
    return event("interaction.completed", interaction={"id": "v1_a", "status": status, "usage": USAGE, **fields})


def delta(index: int, **fields: Any) -> str:
    return event("step.delta", index=index, delta=fields)


TODAY = (
    event("interaction.created", interaction={"id": "v1_a", "status": "in_progress"})
    + event("interaction.status_update", interaction_id="v1_a", status="in_progress")
    + event("step.start", index=0, step={"type": "thought"})
    + delta(0, type="thought_summary", content={"type": "text", "text": "Searching."})
    + delta(0, type="thought_signature", signature="c2ln")
    + event("step.stop", index=0)
    + event("step.start", index=1, step={"type": "google_search_call", "arguments": {"queries": ["TPU"]}})
    + event("step.stop", index=1)
    + event("step.start", index=2, step={"type": "model_output", "content": [{"type": "text", "text": "# "}]})
    + delta(2, type="text", text="Report")
    + delta(2, type="text_annotation_delta", annotations=[])
    + event("step.stop", index=2)
    + completed()
    + DONE
)
YESTERDAY = (
    event("interaction.start", interaction={"id": "v1_a", "status": "in_progress"})
    + event("content.start", index=0, content={"type": "thought"})
    + event("content.delta", index=0, delta={"type": "thought_summary", "content": {"text": "Searching."}})
    + event("content.stop", index=0)
    + event("content.start", index=1, content={"type": "text"})
    + event("content.delta", index=1, delta={"type": "text", "text": "# Report"})
    + event("content.stop", index=1)
    + event("interaction.complete", interaction={"id": "v1_a", "status": "completed", "usage": USAGE})
)


def read(body: str) -> Outcome:
    return outcome_however_split(lambda: wire.decoder(wire.dialect({}), provider="google"), body.encode())


@pytest.mark.parametrize("body", [TODAY, YESTERDAY])
def test_a_report_is_read_whole(body: str) -> None:
    result = read(body)

    assert (result.text, result.thinking, result.calls) == ("# Report", "Searching.", ())
    assert result.finished == TurnFinished("stop", Usage(input=10, output=25, reasoning=5), "v1_a")


def test_a_report_that_comes_only_with_the_end_is_told_once() -> None:
    steps = [
        {"type": "user_input", "content": [{"type": "text", "text": "Go"}]},
        {"type": "thought", "summary": [{"type": "text", "text": "Hm."}]},
        {"type": "model_output", "content": [{"type": "text", "text": "# Report"}]},
    ]
    thought = delta(0, type="thought_summary", content={"type": "text", "text": "Hm."})

    for body in (completed(steps=steps), thought + completed(steps=steps), TODAY.replace(DONE, "") + DONE):
        assert (read(body).text, read(body).finished.finish_reason) == ("# Report", "stop")
    assert read(thought + completed(steps=steps)).thinking == "Hm."


def test_an_interaction_as_one_document_is_read_too() -> None:
    interaction = {"id": "v1_a", "status": "completed", "outputs": [{"type": "text", "text": "# Report"}]}

    result = read(json.dumps(interaction))

    assert (result.text, result.finished) == ("# Report", TurnFinished("stop", None, "v1_a"))


@pytest.mark.parametrize(
    ("status", "reason"), [("incomplete", "length"), ("budget_exceeded", "length"), ("requires_action", "error")]
)
def test_an_end_that_is_not_completion_is_told(status: str, reason: str) -> None:
    assert read(completed(status)).finished.finish_reason == reason


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"total_input_tokens": 10, "total_output_tokens": 25, "total_reasoning_tokens": 5, "total_tokens": 35},
            Usage(10, 25, reasoning=5),
        ),
        (
            {"total_input_tokens": 10, "total_tool_use_tokens": 90, "total_output_tokens": 20, "total_tokens": 120},
            Usage(100, 20),
        ),
        (
            {"total_input_tokens": 100, "total_tool_use_tokens": 90, "total_output_tokens": 20, "total_tokens": 120},
            Usage(100, 20),
        ),
        ({"total_input_tokens": 10, "total_output_tokens": 20, "total_thought_tokens": 5}, Usage(10, 25, reasoning=5)),
        ({"total_input_tokens": 10, "total_cached_tokens": 4}, Usage(10, 0, cache_read=4)),
        ({}, None),
    ],
)
def test_the_total_tells_what_is_counted_twice(usage: dict[str, int], expected: Usage | None) -> None:
    assert read(completed(usage=usage)).finished.usage == expected


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (event("error", error={"code": "resource_exhausted", "message": "Slow down."}), "RateLimited", 429, "Slow"),
        (event("error", error={"code": 503, "message": "Busy."}), "ProviderUnavailable", 503, "Busy"),
        (completed("failed", error={"code": 400, "message": "Too broad."}), "ProviderRejected", 400, "Too broad"),
        (completed("failed"), "ProviderUnavailable", 500, "failed"),
        (completed("cancelled"), "ProviderUnavailable", 500, "cancelled"),
        (event("interaction.status_update", status="failed"), "ProviderUnavailable", 500, "failed"),
        (completed("in_progress"), "ProviderProtocolError", None, "not completed"),
        ('{"id": "v1_a", "status": "in_progress"}', "ProviderProtocolError", None, "not completed"),
        ('{"error": {"code": 400, "message": "No such agent."}}', "ProviderRejected", 400, "No such agent"),
        ('data: {"error": {"code": 401, "message": "Who?"}}\n\n', "AuthFailed", 401, "Who"),
        (DONE, "ProviderProtocolError", None, "before the interaction was completed"),
    ],
)  # fmt: skip
def test_a_failure_is_told(body: str, kind: str, status: int | None, said: str) -> None:
    result = read(body)

    assert result.error is not None
    assert (result.error[0], result.error[2]) == (kind, status)
    assert said in result.error[1]


def test_a_broken_stream_names_the_interaction_that_may_go_on() -> None:
    result = read(TODAY[: TODAY.index("event: interaction.completed")])

    assert result.error is not None
    assert result.error[0] == "ProviderProtocolError"
    assert "v1_a" in result.error[1]
    assert result.text == "# Report"


def test_the_usage_of_a_failed_interaction_stays_readable() -> None:
    assert read(completed("failed")).usage == Usage(input=10, output=25, reasoning=5)


NAMES = ("type", "text", "content", "delta", "step", "steps", "summary", "interaction", "id", "status", "usage",
         "error", "code", "total_input_tokens", "total_output_tokens", "total_thought_tokens")  # fmt: skip
KINDS = ("interaction.created", "step.start", "step.delta", "interaction.completed", "error", "completed", "failed",
         "text", "thought", "thought_summary", "model_output")  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 9) | st.sampled_from(KINDS),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inside, max_size=5),
    max_leaves=8,
)
frames = st.builds(
    lambda kind, fields: {**fields, "event_type": kind},
    st.sampled_from(KINDS) | anything,
    st.dictionaries(st.sampled_from(NAMES), anything, max_size=5),
)


@settings(max_examples=300)
@given(st.binary() | anything.map(lambda data: json.dumps(data).encode()) | st.lists(frames, max_size=6).map(
    lambda stream: b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in stream)
))  # fmt: skip
def test_any_bytes_decode_or_raise_one_of_our_errors(body: bytes) -> None:
    result = outcome(wire.decoder(wire.dialect({}), provider="google"), [body])

    finished = [event for event in result.events if isinstance(event, TurnFinished)]
    assert len(finished) == (0 if result.error else 1)
