"""Small answers written by hand, one behaviour each, and what they come to however their bytes are split."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import pytest

from keyway.events import FinishReason, TextDelta, ToolCall, Usage
from keyway.wire import anthropic_messages as wire
from tests.conformance.feeding import Outcome, outcome_however_split

FOLDER = Path(__file__).parent / "recordings"
PLAIN = Usage(input=10, output=7)
Whole: TypeAlias = tuple[str, str, tuple[ToolCall, ...], FinishReason, Usage | None]


def read(name: str) -> Outcome:
    body = (FOLDER / name).read_bytes()
    return outcome_however_split(lambda: wire.decoder(wire.dialect({}), provider="anthropic"), body)


def say(text: str, reason: FinishReason = "stop", usage: Usage | None = PLAIN) -> Whole:
    return (text, "", (), reason, usage)


def call(call_id: str, name: str, arguments: dict[str, object], malformed: str | None = None) -> ToolCall:
    return ToolCall(call_id, name, arguments, malformed)


PARIS = call("toolu_1", "look", {"city": "Paris"})
WHOLE_ANSWERS: dict[str, Whole] = {
    "pings_and_comments_between_the_text.sse": say("Grüße, Welt 👋"),
    "refusal_without_blocks.sse": say("", "content_filter", Usage(10, 0)),
    "whole_refusal_without_blocks.json": say("", "content_filter", Usage(5, 0)),
    "max_tokens_inside_tool_arguments.sse": (
        "Looking.", "", (call("toolu_1", "look", {}, '{"city":"Par'),), "length", PLAIN,
    ),
    "max_tokens_before_tool_arguments.sse": (
        "", "", (PARIS, call("toolu_2", "look", {}, "")), "length", PLAIN,
    ),
    "whole_answer_cut_off_in_a_tool.json": (
        "", "", (call("toolu_1", "look", {}, '{"city": "Par"}'),), "length", Usage(5, 11),
    ),
    "thinking_used_every_token.sse": (
        "", "Let me see, and see again", (), "length", Usage(10, 4096, reasoning=4096),
    ),
    "tool_arguments_split_inside_escapes.sse": (
        "", "", (call("toolu_1", "write", {"text": 'a"bé 👋', "n": [1, 2]}),), "tool_calls", PLAIN,
    ),
    "tool_without_arguments.sse": (
        "", "", (call("toolu_1", "now", {}), call("toolu_2", "now", {})), "tool_calls", PLAIN,
    ),
    "usage_is_cumulative_and_null_keeps.sse": say(
        "One.", usage=Usage(650, 90, cache_read=500, cache_write=30, cache_write_1h=20, reasoning=25)
    ),
    "thinking_hidden_and_shown_before_two_tools.sse": (
        "Let me look.", "Two cities.", (PARIS, call("toolu_2", "look", {"city": "Rome"})), "tool_calls", PLAIN,
    ),
    "thinking_between_text_and_tools.sse": (
        "First.Second.", "Hm.Again.", (call("toolu_1", "look", {"n": 1}), call("toolu_2", "look", {"n": 2})),
        "tool_calls", PLAIN,
    ),
    "what_is_not_known_is_passed_over.sse": say("Found it."),
    "stop_reason_without_message_stop.sse": say("Whole."),
    "crlf_and_no_last_blank_line.sse": say("Whole."),
    "nothing_at_all_before_message_stop.sse": say("", usage=Usage(10, 1)),
    "whole_answer_with_tools.json": (
        "Let me look.", "Paris.", (PARIS, call("toolu_2", "now", {})), "tool_calls", Usage(12, 11, cache_read=7),
    ),
    "whole_answer_without_usage.json": say("Hi.", usage=None),
}  # fmt: skip
"""Text, thinking, calls, finish reason and usage of each answer that ends well."""

FAILURES = {
    "overloaded_after_some_text.sse": ("ProviderUnavailable", 529, "I was about"),
    "error_as_a_document.json": ("ProviderUnavailable", 500, ""),
    "cut_off_before_a_stop_reason.sse": ("ProviderProtocolError", None, "Once upon a"),
}
"""Error, the status it stands for, and the text that came before it."""


def test_every_recording_here_is_used() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*WHOLE_ANSWERS, *FAILURES}


@pytest.mark.parametrize("name", WHOLE_ANSWERS)
def test_a_whole_answer(name: str) -> None:
    outcome = read(name)

    finished = outcome.finished
    assert WHOLE_ANSWERS[name] == (
        outcome.text,
        outcome.thinking,
        outcome.calls,
        finished.finish_reason,
        finished.usage,
    )
    assert [(c.id, c.name) for c in outcome.calls] == [(s.id, s.name) for s in outcome.started]
    assert finished.response_id == "msg_1"


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_in_the_answer(name: str) -> None:
    outcome = read(name)

    error, status, text = FAILURES[name]
    assert outcome.error is not None
    assert (outcome.error[0], outcome.error[2]) == (error, status)
    assert "".join(event.text for event in outcome.events if isinstance(event, TextDelta)) == text
    assert len(outcome.events) == (1 if text else 0)


def test_what_a_broken_stream_had_cost_stays_readable() -> None:
    assert read("overloaded_after_some_text.sse").usage == Usage(10, 1)


def test_reasoning_is_kept_with_its_place_and_no_more_than_is_needed() -> None:
    assert read("thinking_hidden_and_shown_before_two_tools.sse").finished.extras == {
        "anthropic_messages": [
            {"type": "thinking", "thinking": "Two cities.", "signature": "sig-1"},
            {"type": "redacted_thinking", "data": "hidden-1"},
        ]
    }
    assert read("thinking_between_text_and_tools.sse").finished.extras == {
        "anthropic_messages": [
            {"type": "text", "length": 6},
            {"type": "thinking", "thinking": "Hm.", "signature": "sig-1"},
            {"type": "text", "length": 7},
            {"type": "tool_use"},
            {"type": "thinking", "thinking": "Again.", "signature": "sig-2"},
        ]
    }


def test_reasoning_that_was_cut_off_has_no_signature_and_is_not_kept() -> None:
    assert read("thinking_used_every_token.sse").finished.extras == {}
