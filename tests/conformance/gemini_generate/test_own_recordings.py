"""Small answers written by hand, one behaviour each, and what they come to however their bytes are split."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import pytest

from keyway.events import FinishReason, ToolCall, Usage
from keyway.wire import gemini_generate as wire
from tests.conformance.feeding import Outcome, outcome_however_split

FOLDER = Path(__file__).parent / "recordings"
PLAIN = Usage(input=10, output=7)
Whole: TypeAlias = tuple[str, str, tuple[ToolCall, ...], FinishReason, Usage | None]


def read(name: str) -> Outcome:
    body = (FOLDER / name).read_bytes()
    return outcome_however_split(lambda: wire.decoder(wire.dialect({}), provider="google"), body)


def say(text: str, reason: FinishReason = "stop", usage: Usage | None = PLAIN) -> Whole:
    return (text, "", (), reason, usage)


def look(call_id: str, **arguments: object) -> ToolCall:
    return ToolCall(call_id, "look", arguments)


WHOLE_ANSWERS: dict[str, Whole] = {
    "array_of_chunks.json": say("Once upon a time."),
    "bare_lines_that_are_no_json.sse": say("Whole."),
    "signature_after_the_last_text.sse": say("Paris it is."),
    "signature_after_the_finish.sse": say("Paris."),
    "signatures_on_a_thought_a_text_and_the_first_of_two_calls.sse": (
        "Let me look.", "Hm.", (look("c1", city="Paris"), look("c2", city="Rome")), "tool_calls", PLAIN,
    ),
    "prompt_blocked.json": say("", "content_filter", Usage(10, 0)),
    "prompt_blocked.sse": say("", "content_filter", None),
    "safety_after_some_text.sse": say("The way to", "content_filter"),
    "content_without_parts.json": say("", "length", Usage(10, 4096, reasoning=4096)),
    "recitation_half_way.sse": say("To be, or", "content_filter"),
    "length_after_a_call.sse": ("And", "", (look("c1", city="Paris"),), "length", PLAIN),
    "thoughts_used_every_token.sse": ("", "Let me see", (), "length", Usage(10, 100, reasoning=100)),
    "parallel_calls_without_ids.sse": (
        "", "", (look("call_r1_0", city="Paris"), ToolCall("call_r1_1", "now", {}), look("call_r1_2", city="Paris")),
        "tool_calls", PLAIN,
    ),
    "calls_that_share_an_id.sse": (
        "", "", (look("c1", n=1), look("call_69f17a44a0c3f2b1_1", n=2)), "tool_calls", PLAIN,
    ),
    "arguments_that_are_no_object.sse": (
        "", "", (ToolCall("c1", "look", {}, malformed='"Paris"'),), "tool_calls", PLAIN,
    ),
    "malformed_call.json": say("", "error"),
    "usage_in_every_chunk.sse": say("One two three", usage=Usage(120, 35, cache_read=64, reasoning=30)),
    "no_usage.sse": say("Hi.", usage=None),
    "usage_without_counts.sse": say("Hi.", usage=None),
    "unknown_finish_and_unknown_parts.sse": say("Two.", "error"),
    "crlf_and_no_last_blank_line.sse": say("Grüße 👋"),
    "done_is_no_end.sse": say("Hi."),
}  # fmt: skip
"""Text, thinking, calls, finish reason and usage of each answer that ends well."""

FAILURES = {
    "error_in_an_event.sse": ("ProviderUnavailable", 503, "Once upon", PLAIN),
    "error_as_bare_json.sse": ("ProviderUnavailable", 503, "Once upon", PLAIN),
    "error_as_bare_json_without_a_last_line_end.sse": ("ProviderUnavailable", 503, "Once upon", PLAIN),
    "error_as_bare_json_right_after_an_event.sse": ("ProviderUnavailable", 503, "Once upon", PLAIN),
    "error_as_a_bare_array.sse": ("ProviderUnavailable", 503, "Once upon", PLAIN),
    "error_continued_without_data.sse": ("ProviderUnavailable", 503, "Once upon", PLAIN),
    "error_as_an_array_in_an_event.sse": ("ProviderUnavailable", 503, "Once upon", PLAIN),
    "array_that_ends_in_an_error.json": ("ProviderUnavailable", 503, "Once upon", PLAIN),
    "error_as_a_document.json": ("ProviderUnavailable", 503, "", None),
    "error_as_an_array.json": ("RateLimited", 429, "", None),
    "array_of_nothing.json": ("ProviderProtocolError", None, "", None),
    "call_without_a_name.sse": ("ProviderProtocolError", None, "", PLAIN),
    "cut_off_before_a_finish.sse": ("ProviderProtocolError", None, "Once upon a", PLAIN),
    "cut_off_within_an_event.sse": ("ProviderProtocolError", None, "Once upon a", PLAIN),
    "empty.json": ("ProviderProtocolError", None, "", None),
}
"""Error, the status it stands for, the text that came before it, and the usage that stays readable."""


@pytest.mark.parametrize("name", sorted(WHOLE_ANSWERS))
def test_an_answer_is_read_whole(name: str) -> None:
    text, thinking, calls, reason, usage = WHOLE_ANSWERS[name]

    outcome = read(name)

    assert (outcome.text, outcome.thinking, outcome.calls) == (text, thinking, calls)
    assert [(call.id, call.name) for call in outcome.started] == [(call.id, call.name) for call in calls]
    assert (outcome.finished.finish_reason, outcome.finished.usage) == (reason, usage)


@pytest.mark.parametrize("name", sorted(FAILURES))
def test_a_failure_is_told_after_what_was_said(name: str) -> None:
    kind, status, text, usage = FAILURES[name]

    outcome = read(name)

    assert outcome.error is not None
    assert (outcome.error[0], outcome.error[2]) == (kind, status)
    assert outcome.text == text
    assert outcome.usage == usage


def test_every_recording_has_an_expectation() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*WHOLE_ANSWERS, *FAILURES])


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (
            "signature_after_the_last_text.sse",
            [{"type": "text", "length": 12}, {"type": "text", "length": 0, "thoughtSignature": "c2lnMQ=="}],
        ),
        (
            "signature_after_the_finish.sse",
            [{"type": "text", "length": 6}, {"type": "text", "length": 0, "thoughtSignature": "c2lnMQ=="}],
        ),
        (
            "signatures_on_a_thought_a_text_and_the_first_of_two_calls.sse",
            [
                {"type": "thought", "text": "Hm.", "thoughtSignature": "dA=="},
                {"type": "text", "length": 4},
                {"type": "text", "length": 8, "thoughtSignature": "dHg="},
                {"type": "functionCall", "id": "c1", "thoughtSignature": "Y2FsbA=="},
            ],
        ),
    ],
)
def test_signatures_are_noted_with_their_places(name: str, parts: list[dict[str, object]]) -> None:
    kept = {"provider": "google", "model": "gemini-3-flash-preview", "parts": parts}
    assert read(name).finished.extras == {"gemini_generate": kept}


def test_an_answer_without_signatures_keeps_nothing() -> None:
    assert read("parallel_calls_without_ids.sse").finished.extras == {}
