"""The stream, to the last byte, and how it ends: with ``done`` or with ``error``, once."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.answer import Answer
from keyway.doors.native.stream import OPEN, PING, EventStream, batch_bytes
from keyway.errors import InternalError, KeywayError, ProviderUnavailable, RateLimited
from keyway.events import Event, TextDelta, ThinkingDelta, ToolCall, ToolCallStarted, TurnFinished, Usage
from tests.unit.doors.test_native_answer import ANSWER, WHOLE

FINISHED = TurnFinished("stop", Usage(1, 1))

FRAMES: list[tuple[Event | Answer, bytes]] = [
    (TextDelta("Hel"), b'event: text_delta\ndata: {"text": "Hel", "turn": "final"}\n\n'),
    (TextDelta('a"\n\\\r\N{SNOWMAN}\N{LINE SEPARATOR}\N{GRINNING FACE}'),
     b'event: text_delta\ndata: {"text": "a\\"\\n\\\\\\r\\u2603\\u2028\\ud83d\\ude00", "turn": "final"}\n\n'),
    (ThinkingDelta("hm"), b'event: thinking_delta\ndata: {"text": "hm"}\n\n'),
    (ToolCallStarted("c1", "look"), b'event: tool_call_start\ndata: {"id": "c1", "name": "look"}\n\n'),
    (ToolCall("c1", "look", {"at": 1}), b""),
    (FINISHED, b'event: turn_end\ndata: {"turn": "final"}\n\n'),
    (ANSWER, f"event: done\ndata: {WHOLE}\n\n".encode()),
]  # fmt: skip


@pytest.mark.parametrize(("event", "frame"), FRAMES)
def test_a_frame(event, frame):
    assert batch_bytes([event]) == frame


def test_what_one_read_brought_is_one_piece():
    assert batch_bytes([event for event, _ in FRAMES]) == b"".join(frame for _, frame in FRAMES)
    assert batch_bytes([]) == b""


class Exchange:
    """Brings batches, then an error if it is given one. Counts how often it was closed."""

    def __init__(self, batches: Sequence[list[Event | Answer]], error: BaseException | None = None) -> None:
        self._batches = list(batches)
        self._error = error
        self.closed = 0

    async def __anext__(self) -> list[Event | Answer]:
        if self._batches:
            return self._batches.pop(0)
        if self._error:
            raise self._error
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed += 1


async def pieces(*batches: list[Event | Answer], error: BaseException | None = None) -> list[bytes]:
    return [piece async for piece in EventStream(Exchange(batches, error), "request-1")]


async def test_a_whole_stream():
    assert await pieces([TextDelta("Hel")], [TextDelta("lo"), FINISHED], [ANSWER]) == [
        FRAMES[0][1],
        b'event: text_delta\ndata: {"text": "lo", "turn": "final"}\n\nevent: turn_end\ndata: {"turn": "final"}\n\n',
        FRAMES[-1][1],
    ]


async def test_an_accepted_request_is_a_first_byte_before_there_is_anything_to_say():
    assert await pieces([], [TextDelta("Hel")], [ANSWER]) == [OPEN, FRAMES[0][1], FRAMES[-1][1]]
    assert OPEN == b": open\n\n"
    assert PING == b": ping\n\n"


async def test_later_silence_is_not_a_piece():
    assert await pieces([TextDelta("Hel")], [ToolCall("c1", "look", {})], [], [ANSWER]) == [FRAMES[0][1], FRAMES[-1][1]]


async def test_an_error_is_the_last_event():
    error = RateLimited("slow down", provider="openai", retry_after=7.0, upstream_status=429)
    stream = EventStream(Exchange([[TextDelta("Hel")]], error), "request-1")
    told = (
        b'event: error\ndata: {"type": "RateLimited", "message": "slow down", "provider": "openai", "status": 429, '
        b'"retryable": true, "retryAfter": 7.0, "requestId": "request-1"}\n\n'
    )
    assert [piece async for piece in stream] == [FRAMES[0][1], told]
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_bug_is_told_as_one_and_no_more():
    told = (
        b'event: error\ndata: {"type": "InternalError", '
        b'"message": "Keyway failed. The operator finds this request\'s id in the log.", '
        b'"status": 500, "retryable": false, "requestId": "request-1"}\n\n'
    )
    assert await pieces(error=InternalError()) == [told]


async def test_closing_the_stream_closes_the_exchange():
    exchange = Exchange([[TextDelta("Hel")]])
    stream = EventStream(exchange, "request-1")
    await anext(stream)
    await stream.aclose()
    assert exchange.closed == 1


events = st.sampled_from([event for event, _ in FRAMES[:-1]])
errors = st.sampled_from([None, ProviderUnavailable("no"), InternalError()])


@given(st.lists(st.lists(events, max_size=3), max_size=5), errors)
async def test_a_stream_is_well_formed_and_ends_once(batches, error: KeywayError | None):
    ending: list[list[Event | Answer]] = [] if error else [[ANSWER]]
    sent = await pieces(*batches, *ending, error=error)
    assert all(sent), "no piece is empty: in HTTP it would be the last"
    frames = b"".join(sent).decode().split("\n\n")
    assert frames.pop() == ""
    named = [frame for frame in frames if not frame.startswith(":")]
    for frame in named:
        name, data = frame.split("\n")
        assert name.startswith("event: ")
        assert isinstance(json.loads(data.removeprefix("data: ")), dict)
    last = [frame.startswith(("event: done", "event: error")) for frame in named]
    assert sum(last) == 1
    assert last[-1]
