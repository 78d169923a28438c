"""Answers written by hand, one behaviour each, named by it: what every one of them has to come to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from keyway.events import FinishReason, ToolCall, Usage
from keyway.wire.openai_responses import decoder, dialect
from tests.conformance.feeding import outcome_however_split

FOLDER = Path(__file__).parent / "recordings"
USUAL = Usage(10, 5)


@dataclass(frozen=True)
class Case:
    """What a recording comes to: an answer, or the ``error`` (its type and upstream status) that ends it."""

    text: str = ""
    thinking: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: FinishReason = "stop"
    usage: Usage | None = USUAL
    error: tuple[str, int | None] | None = None


def call(name: str, arguments: dict[str, object], malformed: str | None = None) -> ToolCall:
    return ToolCall(f"call_{name}", "find", arguments, malformed)


HALF = '{"q":"a long que'
SPECIAL: dict[str, object] = {"city": "Zürich 🏔", "note": 'a "quoted" word'}
BROKEN_OFF = ("ProviderProtocolError", None)

CASES = {
    "text_with_obfuscation.sse": Case("Grüße aus Zürich 🏔.", usage=Usage(20, 6, cache_read=16)),
    "reasoning_then_commentary_and_a_call.sse": Case(
        "Let me look.",
        "**Looking**\n\nFirst.\n\n**Calling**",
        (call("a", SPECIAL),),
        "tool_calls",
        Usage(40, 60, cache_write=8, reasoning=32),
    ),
    "parallel_calls_interleaved.sse": Case(
        calls=(call("b", {"q": "two"}), call("a", {"q": "one"})), finish="tool_calls"
    ),
    "refusal.sse": Case("I can't help with that.", finish="content_filter"),
    "refusal.json": Case("I can't help with that.", finish="content_filter"),
    "length_within_a_call.sse": Case(
        calls=(call("a", {"q": "done"}), call("b", {}, HALF)), finish="length", usage=Usage(30, 16)
    ),
    "length_within_a_call_never_closed.sse": Case(calls=(call("a", {}, "{}"),), finish="length", usage=Usage(30, 16)),
    "length_within_a_call.json": Case(calls=(call("a", {}, ""),), finish="length", usage=Usage(30, 16)),
    "length_before_any_text.sse": Case(finish="length", usage=Usage(12, 64, reasoning=64)),
    "content_filter_within_text.sse": Case("Half of ", finish="content_filter"),
    "incomplete_for_a_new_reason.sse": Case("So far.", finish="length"),
    "error_flat.sse": Case("Well", usage=None, error=("RateLimited", 429)),
    "error_nested.sse": Case(usage=None, error=("ProviderRejected", 400)),
    "error_without_type.sse": Case(usage=None, error=("ProviderUnavailable", 502)),
    "error_in_a_document.json": Case(usage=None, error=("RateLimited", 429)),
    "failed_server_error_with_usage.sse": Case(
        "Well", usage=Usage(100, 7, cache_read=50), error=("ProviderUnavailable", 500)
    ),
    "failed_invalid_prompt.sse": Case(usage=None, error=("ProviderRejected", 400)),
    "failed_insufficient_quota.sse": Case(usage=None, error=("RateLimited", 429)),
    "failed_in_a_document.json": Case(usage=Usage(9, 0), error=("RateLimited", 429)),
    "truncated.sse": Case("Well then", usage=None, error=BROKEN_OFF),
    "truncated_within_a_frame.sse": Case("Well", usage=None, error=BROKEN_OFF),
    "done_without_an_answer.sse": Case(usage=None, error=BROKEN_OFF),
    "no_deltas.sse": Case("All at once.", "Thinking.", (call("a", {"q": 1}),), "tool_calls"),
    "terminal_only.sse": Case("One. Two.", "Raw.", (call("a", {"q": 1}),), "tool_calls"),
    "terminal_with_other_ids_and_positions.sse": Case("Four.", "Hm."),
    "unknown_events_and_items.sse": Case("Found."),
    "usage_null.sse": Case("Hi.", usage=None),
    "arguments_in_odd_shapes.json": Case(
        calls=(
            call("none", {}),
            call("object", {"q": 1}),
            call("twice", {"q": 2}),
            call("prefixed", {"q": 3}),
            call("array", {}, "[1]"),
            call("broken", {}, '{"q":'),
            call("nan", {}, '{"q":NaN}'),
        ),
        finish="tool_calls",
    ),
    "document_after_blank_lines.json": Case("Patience."),
    "comments_crlf_and_no_last_blank_line.sse": Case("Grüße"),
    "in_progress_document.json": Case(usage=None, error=BROKEN_OFF),
    "gateway_page.html": Case(usage=None, error=BROKEN_OFF),
    "empty.sse": Case(usage=None, error=BROKEN_OFF),
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_comes_to_the_same_however_it_is_split(name: str) -> None:
    body = (FOLDER / name).read_bytes()
    expected = CASES[name]

    outcome = outcome_however_split(lambda: decoder(dialect({}), provider="openai"), body)

    assert outcome.text == expected.text
    assert outcome.thinking == expected.thinking
    assert outcome.usage == expected.usage
    if expected.error is None:
        assert outcome.calls == expected.calls
        assert {start.id for start in outcome.started} == {done.id for done in expected.calls}
        assert outcome.finished.finish_reason == expected.finish
        assert outcome.finished.usage == expected.usage
    else:
        assert outcome.error is not None
        assert (outcome.error[0], outcome.error[2]) == expected.error


def test_every_recording_has_an_expectation() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(CASES)
