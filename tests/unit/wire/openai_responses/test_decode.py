"""A Responses stream, frame by frame: what each one brings, at once, and what brings nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyway.errors import ProviderProtocolError
from keyway.events import Event, TextDelta, ThinkingDelta, ToolCall, ToolCallStarted, TurnFinished, Usage
from keyway.wire.contract import Decoder
from keyway.wire.openai_responses import decoder, dialect

DONE = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}


def made() -> Decoder:
    return decoder(dialect({}), provider="openai")


def fed(answer: Decoder, *frames: dict[str, Any]) -> list[Event]:
    return [event for frame in frames for event in answer.feed(f"data: {json.dumps(frame)}\n\n".encode())]


def delta(text: str, item: int = 0, part: int = 0) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "output_index": item, "content_index": part, "delta": text}


def added(item: int, **call: Any) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": item, "item": {"type": "function_call", **call}}


def done(item: int, **call: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": item, "item": {"type": "function_call", **call}}


def piece(item: int, text: str) -> dict[str, Any]:
    return {"type": "response.function_call_arguments.delta", "output_index": item, "delta": text}


def test_each_frame_brings_its_event_at_once() -> None:
    answer = made()
    assert fed(answer, delta("Hel")) == [TextDelta("Hel")]
    assert fed(answer, added(1, call_id="c1", name="find")) == [ToolCallStarted("c1", "find")]
    assert fed(answer, piece(1, '{"q"'), piece(1, ":1}")) == []
    assert fed(answer, delta("lo")) == [TextDelta("lo")]
    assert fed(answer, done(1, call_id="c1", name="find", arguments='{"q":1}')) == [ToolCall("c1", "find", {"q": 1})]
    assert fed(answer, DONE) == [TurnFinished("tool_calls", None, "resp_1")]
    assert list(answer.end()) == []


def test_nothing_follows_the_end_of_the_turn() -> None:
    answer = made()
    fed(answer, delta("Hi"), DONE)
    assert fed(answer, delta("more"), DONE, {"type": "error", "code": "server_error", "message": "late"}) == []
    assert list(answer.end()) == []


def test_the_done_item_is_trusted_over_the_pieces() -> None:
    answer = made()
    fed(answer, added(0, call_id="c1", name="fi"), piece(0, '{"q":'))
    assert fed(answer, done(0, call_id="c1", name="find", arguments='{"q":2}')) == [ToolCall("c1", "find", {"q": 2})]


@pytest.mark.parametrize("ending", [[done(0, call_id="c1", name="find")], []])
def test_the_pieces_serve_where_nothing_else_does(ending: list[dict[str, Any]]) -> None:
    events = fed(made(), added(0, call_id="c1", name="find"), piece(0, '{"q":3}'), *ending, DONE)
    assert events[1] == ToolCall("c1", "find", {"q": 3})
    assert len(events) == 3


def test_arguments_done_replaces_the_pieces() -> None:
    whole = {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": '{"q":4}'}
    events = fed(made(), added(0, call_id="c1", name="find"), piece(0, "{"), whole, DONE)
    assert events[1] == ToolCall("c1", "find", {"q": 4})


def test_a_host_without_indexes_is_told_apart_by_item_ids() -> None:
    def item(kind: str, name: str, **more: str) -> dict[str, Any]:
        return {
            "type": f"response.output_item.{kind}",
            "item": {"type": "function_call", "id": name, "name": "f", **more},
        }

    pieces = [
        {"type": "response.function_call_arguments.delta", "item_id": name, "delta": text}
        for name, text in [("a", '{"q":'), ("b", '{"q":'), ("a", "1}"), ("b", "2}")]
    ]
    events = fed(made(), item("added", "a"), item("added", "b"), *pieces, item("done", "b"), item("done", "a"), DONE)
    assert [event for event in events if isinstance(event, ToolCall)] == [
        ToolCall("b", "f", {"q": 2}),
        ToolCall("a", "f", {"q": 1}),
    ]


def test_a_call_without_an_id_gets_one_that_can_be_answered() -> None:
    events = fed(made(), added(3, name="find"), done(3, name="find", arguments=""), DONE)
    assert events[:2] == [ToolCallStarted("call_3", "find"), ToolCall("call_3", "find", {})]


@pytest.mark.parametrize("places", [(0, 0), (0, 1)])
def test_a_call_that_a_proxy_tells_of_twice_is_one(places: tuple[int, int]) -> None:
    """Run twice it would be charged twice."""
    told = [(added(at, call_id="c1", name="f"), done(at, call_id="c1", name="f", arguments="{}")) for at in places]
    for order in (told[0] + told[1], (told[0][0], told[1][0], told[0][1], told[1][1])):
        calls = [event for event in fed(made(), *order, DONE) if isinstance(event, ToolCall | ToolCallStarted)]
        assert calls == [ToolCallStarted("c1", "f"), ToolCall("c1", "f", {})]


def test_terminal_calls_are_known_by_their_id_not_their_position() -> None:
    calls = [{"type": "function_call", "call_id": f"c{n}", "name": "f", "arguments": f'{{"n":{n}}}'} for n in (1, 2)]
    terminal = {"type": "response.completed", "response": {"output": calls}}
    events = fed(made(), added(1, call_id="c1", name="f"), added(2, call_id="c2", name="f"), terminal)
    assert [event for event in events if isinstance(event, ToolCall)] == [
        ToolCall("c1", "f", {"n": 1}),
        ToolCall("c2", "f", {"n": 2}),
    ]


def test_an_item_with_both_a_summary_and_raw_thoughts_is_heard_once() -> None:
    summary = {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "Hm"}
    raw = {"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "Hm"}
    item = {"type": "reasoning", "summary": [{"text": "Hm"}], "content": [{"text": "Hm"}]}
    whole = {"type": "response.output_item.done", "output_index": 0, "item": item}
    assert fed(made(), summary, raw, whole) == [ThinkingDelta("Hm")]
    assert fed(made(), whole) == [ThinkingDelta("Hm")]


def test_parts_of_one_message_are_each_heard_once() -> None:
    content = [{"type": "output_text", "text": "One"}, {"type": "output_text", "text": "Two"}]
    whole = {"type": "response.output_item.done", "output_index": 0, "item": {"type": "message", "content": content}}
    assert fed(made(), delta("One", part=0), whole) == [TextDelta("One"), TextDelta("Two")]


def test_a_refusal_known_only_from_the_terminal_response_still_ends_the_turn_as_filtered() -> None:
    message = {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}
    terminal = {"type": "response.completed", "response": {"output": [message]}}
    events = fed(made(), delta("No."), terminal)
    assert events == [TextDelta("No."), TurnFinished("content_filter", None, None)]


def test_usage_stays_readable_after_a_failure() -> None:
    answer = made()
    usage = {"input_tokens": 7, "output_tokens": 2, "input_tokens_details": None, "output_tokens_details": None}
    with pytest.raises(Exception, match="server_error"):
        fed(answer, {"type": "response.failed", "response": {"error": {"code": "server_error"}, "usage": usage}})
    assert answer.usage == Usage(7, 2)


@pytest.mark.parametrize("usage", [{}, {"input_tokens": 5}, {"input_tokens": "5", "output_tokens": 1}, [], None])
def test_usage_that_cannot_be_read_is_unknown_and_not_zero(usage: object) -> None:
    answer = made()
    (finished,) = fed(answer, {"type": "response.completed", "response": {"usage": usage}})
    assert finished == TurnFinished("stop", None)
    assert answer.usage is None


def test_reasoning_counted_beside_the_output_is_still_output() -> None:
    usage = {"input_tokens": 5, "output_tokens": 3, "output_tokens_details": {"reasoning_tokens": 9}}
    answer = made()
    fed(answer, {"type": "response.completed", "response": {"usage": usage}})
    assert answer.usage == Usage(5, 9, reasoning=9)


def test_a_stream_that_ends_early_says_so() -> None:
    answer = made()
    fed(answer, delta("Hi"))
    with pytest.raises(ProviderProtocolError, match="openai ended its stream before the response was completed"):
        list(answer.end())
