"""Whatever a provider sends, a decoder answers with events or with one of our errors, and finishes at most once."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from keyway.events import TurnFinished
from keyway.wire.openai_responses import decoder, dialect
from tests.conformance.feeding import outcome

FOLDER = Path(__file__).parent / "recordings"
KINDS = (
    "response.output_text.delta",
    "response.output_text.done",
    "response.refusal.delta",
    "response.refusal.done",
    "response.reasoning_summary_text.delta",
    "response.reasoning_text.delta",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.added",
    "response.output_item.done",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "error",
    "message",
    "function_call",
    "reasoning",
    "output_text",
    "refusal",
)
NAMES = (
    "type",
    "delta",
    "text",
    "item",
    "output_index",
    "item_id",
    "content_index",
    "summary_index",
    "response",
    "output",
    "content",
    "summary",
    "usage",
    "input_tokens",
    "output_tokens",
    "input_tokens_details",
    "cached_tokens",
    "status",
    "error",
    "code",
    "message",
    "call_id",
    "name",
    "arguments",
    "id",
    "encrypted_content",
    "phase",
    "refusal",
    "detail",
    "object",
    "incomplete_details",
    "reason",
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(KINDS),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inside, max_size=4),
    max_leaves=6,
)
frames = st.builds(
    lambda fields, kind: {**fields, "type": kind},
    st.dictionaries(st.sampled_from(NAMES), anything, max_size=5),
    st.sampled_from(KINDS) | anything,
)
calm = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def finishes_at_most_once(chunks: list[bytes]) -> None:
    result = outcome(decoder(dialect({}), provider="openai"), chunks)  # anything but a KeywayError escapes here
    finished = [event for event in result.events if isinstance(event, TurnFinished)]
    assert len(finished) == (0 if result.error else 1)


@calm
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes(chunks: list[bytes]) -> None:
    finishes_at_most_once(chunks)


@calm
@given(st.lists(frames, max_size=5))
def test_any_frames(stream: list[dict[str, object]]) -> None:
    finishes_at_most_once([f"data: {json.dumps(frame)}\n\n".encode() for frame in stream])


@calm
@given(anything)
def test_any_document(document: object) -> None:
    finishes_at_most_once([json.dumps(document).encode()])


@calm
@given(st.sampled_from(sorted(path.name for path in FOLDER.iterdir())), st.data())
def test_any_recording_with_bytes_lost_or_changed(name: str, data: st.DataObject) -> None:
    body = bytearray((FOLDER / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=4))
    finishes_at_most_once([bytes(body)])
