"""One ordinary answer of each vendor, written by hand after its documentation, however the bytes are split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from keyway.events import FinishReason, ToolCall, Usage
from keyway.wire import openai_chat as wire
from tests.conformance.feeding import Outcome, outcome_however_split
from tests.conformance.openai_chat.dialects import DIALECTS

FOLDER = Path(__file__).parent / "recordings"
PLAIN = Usage(input=10, output=7)
PARIS = ToolCall("call_a", "look", {"city": "Paris"})
NOW = ToolCall("call_b", "now", {})


def read(name: str) -> Outcome:
    provider = name.partition("_")[0]
    body = (FOLDER / name).read_bytes()
    return outcome_however_split(lambda: wire.decoder(wire.dialect(DIALECTS[provider]), provider=provider), body)


def four(usage: Usage = PLAIN, *, thinking: str = "Hm.", calls: tuple[ToolCall, ...] = ()):
    return ("Four.", thinking, calls, "stop", usage)


def calls(*made: ToolCall, text: str = "", thinking: str = "", usage: Usage = PLAIN):
    reason: FinishReason = "tool_calls"
    return (text, thinking, made, reason, usage)


ANSWERS = {
    "openai_text.sse": ("Grüße, Welt 👋", "", (), "stop", Usage(10, 7, cache_read=4, reasoning=2)),
    "openai_two_calls_interleaved.sse": calls(PARIS, NOW),
    "openai_whole.json": calls(PARIS, NOW),
    "azure_filter_results_first.sse": ("Hi.", "", (), "stop", PLAIN),
    "deepseek_thinks_then_calls.sse": calls(
        PARIS, text="Let me look.", thinking="Paris.", usage=Usage(10, 7, cache_read=6, reasoning=3)
    ),
    "xai_reasoning_beside_output.sse": four(Usage(10, 27, cache_read=3, reasoning=20)),
    "cerebras_reasoning.sse": four(),
    "groq_usage_in_x_groq.sse": four(),
    "mistral_thinking_chunks.sse": four(Usage(10, 7, cache_read=5)),
    "mistral_whole_calls.sse": calls(
        ToolCall("KikbB849t", "look", {"city": "Paris"}), ToolCall("KikbB849u", "now", {})
    ),
    "ollama_calls_all_at_index_0.sse": calls(PARIS, NOW),
    "openrouter_signed_reasoning.sse": four(Usage(10, 7, cache_read=2, cache_write=3), thinking="Two twos."),
    "together_eos.sse": four(thinking=""),
    "fireworks_whole.json": four(),
    "vllm_cumulative_usage.sse": four(),
    "litellm_thinking_blocks.sse": four(),
}
"""Text, thinking, calls, finish reason and usage."""

KEPT: dict[str, dict[str, Any]] = {
    "deepseek_thinks_then_calls.sse": {"reasoning_content": "Paris."},
    "openrouter_signed_reasoning.sse": {
        "reasoning_details": [
            {
                "type": "reasoning.text",
                "text": "Two twos.",
                "format": "anthropic-claude-v1",
                "index": 0,
                "signature": "sig-1",
            },
            {
                "type": "reasoning.encrypted",
                "data": "hidden-1",
                "id": "rs_1",
                "format": "openai-responses-v1",
                "index": 1,
            },
        ]
    },
    "litellm_thinking_blocks.sse": {"thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "sig-1"}]},
}
"""What each answer wants back in the next request."""


def test_every_recording_here_is_used():
    assert {path.name for path in FOLDER.iterdir()} == set(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(name: str):
    outcome = read(name)

    finished = outcome.finished
    assert ANSWERS[name] == (
        outcome.text,
        outcome.thinking,
        outcome.calls,
        finished.finish_reason,
        finished.usage,
    )
    assert [(c.id, c.name) for c in outcome.calls] == [(s.id, s.name) for s in outcome.started]
    assert finished.response_id == "chat_1"


@pytest.mark.parametrize("name", ANSWERS)
def test_reasoning_that_belongs_in_the_next_request_is_kept_and_no_other(name: str):
    assert read(name).finished.extras == ({"openai_chat": KEPT[name]} if name in KEPT else {})
