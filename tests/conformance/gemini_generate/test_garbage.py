"""Whatever a provider sends, a decoder answers with events or with one of our errors, and finishes at most once."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from keyway.events import TurnFinished
from keyway.wire.gemini_generate import decoder, dialect, failure
from tests.conformance.feeding import outcome

FOLDER = Path(__file__).parent / "recordings"
WORDS = ("STOP", "MAX_TOKENS", "SAFETY", "look", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "API_KEY_INVALID", "37s")
NAMES = (
    "candidates", "content", "parts", "text", "thought", "thoughtSignature", "functionCall", "name", "args", "id",
    "finishReason", "promptFeedback", "blockReason", "usageMetadata", "promptTokenCount", "candidatesTokenCount",
    "thoughtsTokenCount", "cachedContentTokenCount", "toolUsePromptTokenCount", "responseId", "modelVersion", "error",
    "code", "message", "status", "details", "reason", "retryDelay",
)  # fmt: skip

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inside, max_size=4),
    max_leaves=6,
)
parts = st.dictionaries(st.sampled_from(NAMES), anything, max_size=4)
frames = st.builds(
    lambda fields, inner, finish: {
        **fields,
        "candidates": [{"content": {"parts": inner}, **({"finishReason": finish} if finish else {})}],
    },
    st.dictionaries(st.sampled_from(NAMES), anything, max_size=3),
    st.lists(parts | anything, max_size=3),
    st.sampled_from(["", "STOP", "MAX_TOKENS", "NEW"]),
) | st.dictionaries(st.sampled_from(NAMES), anything, max_size=4)
calm = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def finishes_at_most_once(chunks: list[bytes]) -> None:
    result = outcome(decoder(dialect({}), provider="google"), chunks)  # anything but a KeywayError escapes here
    finished = [event for event in result.events if isinstance(event, TurnFinished)]
    assert len(finished) == (0 if result.error else 1)
    if result.usage is not None:
        assert 0 <= result.usage.cache_read <= result.usage.input
        assert 0 <= result.usage.reasoning <= result.usage.output


@calm
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes(chunks: list[bytes]) -> None:
    finishes_at_most_once(chunks)


@calm
@given(st.lists(frames, max_size=5), st.sampled_from(["data: {}\n\n", "{}\n", "{}"]))
def test_any_frames(stream: list[dict[str, object]], shape: str) -> None:
    finishes_at_most_once([shape.replace("{}", json.dumps(frame)).encode() for frame in stream])


@calm
@given(anything | frames | st.lists(frames, max_size=3))
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


@calm
@given(st.integers(400, 599), st.binary(max_size=60) | (anything | parts).map(lambda data: json.dumps(data).encode()))
def test_any_failure_is_one_of_our_errors(status: int, body: bytes) -> None:
    error = failure(status, {}, body, provider="google", now=0.0)

    assert (error.upstream_status, error.provider) == (status, "google")
