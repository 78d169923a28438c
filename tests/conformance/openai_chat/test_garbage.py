"""Whatever a provider sends, a decoder answers with events or with one of our errors, and finishes at most once."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from keyway.errors import KeywayError
from keyway.events import ToolCall, ToolCallStarted, TurnFinished
from keyway.wire.contract import Outgoing
from keyway.wire.openai_chat import compatibility, decoder, dialect, failure
from tests.conformance.feeding import outcome
from tests.conformance.openai_chat.dialects import DIALECTS

FOLDER = Path(__file__).parent / "recordings"
WORDS = (
    "stop", "length", "tool_calls", "error", "", "null", "text", "thinking", "<think>", "</think>", "```json\n{",
    "\n```", "{}", '{"a":', "1}", "call_a", "assistant", "reasoning.text",
)  # fmt: skip
NAMES = (
    "id", "object", "created", "choices", "delta", "message", "index", "finish_reason", "content", "reasoning",
    "reasoning_content", "reasoning_details", "refusal", "tool_calls", "function_call", "function", "name", "arguments",
    "usage", "prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "cached_tokens", "x_groq",
    "completion_tokens_details", "reasoning_tokens", "error", "code", "type", "detail", "metadata", "raw", "text",
    "status_code", "signature", "thinking_blocks", "thinking", "loc", "msg", "param",
)  # fmt: skip

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inside, max_size=4),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from(NAMES), anything, max_size=5)
choices = st.lists(
    st.builds(lambda delta, rest: {**rest, "delta": delta}, objects, objects)
    | st.builds(lambda message, rest: {**rest, "message": message}, objects, objects),
    max_size=2,
)
frames = st.builds(lambda rest, listed: {**rest, "choices": listed}, objects, choices) | objects
dialects = st.sampled_from(sorted(DIALECTS))
calm = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def finishes_at_most_once(chunks: list[bytes], provider: str) -> None:
    flags = dialect(DIALECTS[provider])
    result = outcome(decoder(flags, provider=provider, structured=True), chunks)  # only a KeywayError is caught there
    finished = [event for event in result.events if isinstance(event, TurnFinished)]
    assert len(finished) == (0 if result.error else 1)
    assert finished == list(result.events[-1:]) or result.error
    calls = [event.id for event in result.events if isinstance(event, ToolCall)]
    assert len(set(calls)) == len(calls)
    if finished:
        assert {event.id for event in result.events if isinstance(event, ToolCallStarted)} == set(calls)
        json.dumps(dict(finished[0].extras))


@calm
@given(st.lists(st.binary(max_size=60), max_size=6), dialects)
def test_any_bytes(chunks: list[bytes], provider: str) -> None:
    finishes_at_most_once(chunks, provider)


@calm
@given(st.lists(frames, max_size=6), dialects, st.booleans())
def test_any_frames(stream: list[dict[str, object]], provider: str, done: bool) -> None:
    sent = [f"data: {json.dumps(frame)}\n\n".encode() for frame in stream]
    finishes_at_most_once([*sent, b"data: [DONE]\n\n"] if done else sent, provider)


@calm
@given(frames, dialects)
def test_any_document(document: object, provider: str) -> None:
    finishes_at_most_once([json.dumps(document).encode()], provider)


@calm
@given(st.sampled_from(sorted(path.name for path in FOLDER.iterdir())), dialects, st.data())
def test_any_recording_with_bytes_lost_or_changed(name: str, provider: str, data: st.DataObject) -> None:
    body = bytearray((FOLDER / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=4))
    finishes_at_most_once([bytes(body)], provider)


@calm
@given(st.integers(300, 599), anything | st.binary(max_size=40))
def test_any_refusal(status: int, said: object) -> None:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    sent = Outgoing(path="/chat/completions", body={"model": "m", "temperature": 1, "max_tokens": 5}, streamed=False)

    assert isinstance(failure(status, {}, body, provider="p", now=0.0), KeywayError)
    field = compatibility.refused_field(sent, status, body)
    again = compatibility.without(sent, field) if field else None
    assert again is None or again.body != sent.body
