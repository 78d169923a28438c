"""Streams that bend the protocol: what is clear in them still counts, and what is not clear is never run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyway.errors import ProviderProtocolError
from keyway.events import Event, ToolCall, TurnFinished, Usage
from keyway.wire import anthropic_messages as wire

STOP = {"type": "message_stop"}


def decode(*frames: dict[str, Any]) -> list[Event]:
    decoder = wire.decoder(wire.dialect({}), provider="anthropic")
    body = b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames)
    return [*decoder.feed(body), *decoder.end()]


def tool(index: int, **more: Any) -> dict[str, Any]:
    block = {"type": "tool_use", "id": f"t{index}", "name": "look", "input": {}, **more}
    return {"type": "content_block_start", "index": index, "content_block": block}


def arguments(index: int, text: str) -> dict[str, Any]:
    delta = {"type": "input_json_delta", "partial_json": text}
    return {"type": "content_block_delta", "index": index, "delta": delta}


def end(reason: str | None, usage: object = None) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


def calls(events: list[Event]) -> list[ToolCall]:
    return [event for event in events if isinstance(event, ToolCall)]


def test_a_block_whose_stop_is_lost_ends_where_its_index_is_used_again() -> None:
    events = decode(
        tool(0), arguments(0, '{"a": 1}'), tool(0, id="t9"), arguments(0, '{"a": 2}'), end("tool_use"), STOP
    )

    assert calls(events) == [ToolCall("t0", "look", {"a": 1}), ToolCall("t9", "look", {"a": 2})]


def test_a_call_without_arguments_whose_stop_is_lost_is_not_run() -> None:
    assert calls(decode(tool(0), end("tool_use"), STOP)) == [ToolCall("t0", "look", {}, malformed="")]


def test_a_call_whose_stop_is_lost_was_whole_when_the_next_one_began() -> None:
    events = decode(tool(0), tool(1), arguments(1, '{"a": 1}'), end("tool_use"), STOP)

    assert calls(events) == [ToolCall("t0", "look", {}), ToolCall("t1", "look", {"a": 1})]


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_blanks_are_no_arguments(blank: str) -> None:
    stop = {"type": "content_block_stop", "index": 0}

    assert calls(decode(tool(0), arguments(0, blank), stop, end("tool_use"), STOP)) == [ToolCall("t0", "look", {})]


def test_a_call_that_begins_with_all_its_arguments_needs_no_deltas() -> None:
    stop = {"type": "content_block_stop", "index": 0}

    assert calls(decode(tool(0, input={"a": 1}), stop, end("tool_use"), STOP)) == [ToolCall("t0", "look", {"a": 1})]


@pytest.mark.parametrize("text", ["[1]", '"x"', "{}{}", '{"a":', "nul"])
def test_arguments_that_are_no_object_are_malformed(text: str) -> None:
    stop = {"type": "content_block_stop", "index": 0}

    assert calls(decode(tool(0), arguments(0, text), stop, end("tool_use"), STOP)) == [
        ToolCall("t0", "look", {}, malformed=text)
    ]


@pytest.mark.parametrize("missing", ["id", "name"])
def test_a_call_that_cannot_be_answered_breaks_the_turn(missing: str) -> None:
    with pytest.raises(ProviderProtocolError, match="without an id or a name"):
        decode(tool(0, **{missing: ""}))


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("refusal", "content_filter"),
        ("tool_use", "stop"),  # no call came
        ("a_new_reason", "stop"),
    ],
)
def test_how_a_turn_without_calls_ends(reason: str, finish: str) -> None:
    assert [event.finish_reason for event in decode(end(reason), STOP) if isinstance(event, TurnFinished)] == [finish]


def test_a_call_counts_more_than_the_word_for_it() -> None:
    stop = {"type": "content_block_stop", "index": 0}
    finished = decode(tool(0), stop, end("end_turn"), STOP)[-1]

    assert isinstance(finished, TurnFinished)
    assert finished.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("usage", "known"),
    [
        (None, None),
        ({"output_tokens": 3}, None),
        ({"input_tokens": -1, "output_tokens": 3}, None),
        ({"input_tokens": True, "output_tokens": "3"}, None),
        ({"input_tokens": 1, "output_tokens": 3, "cache_read_input_tokens": -5}, Usage(1, 3)),
        ({"input_tokens": 1, "output_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 9}}, Usage(1, 3)),
    ],
)
def test_counts_that_make_no_sense_are_unknown_and_not_zero(usage: object, known: Usage | None) -> None:
    finished = decode(end("end_turn", usage), STOP)[-1]

    assert isinstance(finished, TurnFinished)
    assert finished.usage == known
