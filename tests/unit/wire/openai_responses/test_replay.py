"""Reasoning items: what of an answer is kept, and that it comes back in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyway.capabilities import Model
from keyway.chat import ChatRequest, Message
from keyway.errors import InvalidRequest
from keyway.events import TextDelta, ToolCall, TurnFinished
from keyway.wire.openai_responses import decoder, dialect, encode

MODEL = Model("gpt-5", "openai", "gpt-5")


def reasoning(n: int) -> dict[str, Any]:
    return {"type": "reasoning", "id": f"rs_{n}", "summary": [], "encrypted_content": f"secret-{n}"}


def text(said: str, phase: str | None = None) -> dict[str, Any]:
    content = [{"type": "output_text", "text": said}]
    return {"type": "message", "role": "assistant", "content": content, **({"phase": phase} if phase else {})}


def call(n: int) -> dict[str, Any]:
    return {"type": "function_call", "call_id": f"call_{n}", "name": "find", "arguments": '{"n":1}'}


def turn(*output: dict[str, Any]) -> Message:
    """The assistant's turn a caller would send back after an answer with this output."""
    answer = decoder(dialect({}), provider="openai")
    body = json.dumps({"status": "completed", "output": output}).encode()
    events = [*answer.feed(body), *answer.end()]
    finished = events[-1]
    assert isinstance(finished, TurnFinished)
    calls = [
        {"id": event.id, "name": event.name, "arguments": dict(event.arguments)}
        for event in events
        if isinstance(event, ToolCall)
    ]
    content = "".join(event.text for event in events if isinstance(event, TextDelta))
    extras = json.loads(json.dumps(finished.extras))  # a caller gets and sends it as JSON
    return Message.model_validate(
        {"role": "assistant", "content": content, "toolCalls": calls, "providerExtras": extras}
    )


def sent(message: Message) -> list[Any]:
    request = ChatRequest(provider="openai", model="gpt-5", messages=(message,))
    items = encode(request, MODEL, dialect({})).body["input"]
    assert isinstance(items, list)
    return items


def repr_of(item: dict[str, Any]) -> str:
    return json.dumps(item, sort_keys=True)


def noted(extras: dict[str, object]) -> Message:
    return Message.model_validate({"role": "assistant", "content": "Hi.", "providerExtras": extras})


def said(item: dict[str, Any]) -> dict[str, Any]:
    """An output item as it looks when it is sent back."""
    if item["type"] != "message":
        return item
    message = {"role": "assistant", "content": item["content"][0]["text"]}
    return message | {"phase": item["phase"]} if "phase" in item else message


def test_reasoning_comes_back_before_its_call() -> None:
    output = [reasoning(1), text("Looking.", "commentary"), call(1), reasoning(2), call(2), text("So.", "final_answer")]
    assert sent(turn(*output)) == [said(item) for item in output]


outputs = st.lists(
    st.one_of(
        st.integers(1, 99).map(reasoning),
        st.tuples(st.text("aé🏔 ", min_size=1, max_size=5), st.sampled_from(["commentary", "final_answer"])).map(
            lambda both: text(*both)
        ),
        st.integers(1, 99).map(call),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda item: item.get("call_id") or id(item),
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(outputs)
def test_any_answer_comes_back_in_its_order_up_to_its_last_reasoning(output: list[dict[str, Any]]) -> None:
    back = sent(turn(*output))
    last = max((i for i, item in enumerate(output) if item["type"] in ("reasoning", "message")), default=-1)
    expected = [said(item) for item in output]
    assert back[: last + 1] == expected[: last + 1]
    assert sorted(map(repr_of, back)) == sorted(map(repr_of, expected))


def test_an_ordinary_answer_leaves_nothing_to_replay() -> None:
    assert turn(text("Hi.")).provider_extras == {}
    assert turn({"type": "reasoning", "id": "rs_1", "summary": [{"text": "Hm."}]}, call(1)).provider_extras == {}


def test_only_what_the_api_takes_back_is_kept() -> None:
    kept = turn({**reasoning(1), "status": None, "content": [], "new": 1}, call(1)).provider_extras
    assert kept == {"openai_responses": [reasoning(1)]}


def test_reasoning_in_the_open_is_replayed_too() -> None:
    item = {"type": "reasoning", "id": "r", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    assert sent(turn(item, call(1)))[0] == item


def test_the_notes_of_another_wire_are_not_read() -> None:
    message = noted({"anthropic_messages": [{"type": "thinking"}]})
    assert sent(message) == [{"role": "assistant", "content": "Hi."}]


def test_a_shortened_turn_loses_nothing_that_is_left() -> None:
    whole = turn(reasoning(1), text("Looking.", "commentary"), call(1), reasoning(2), call(2))
    assert sent(whole.model_copy(update={"content": "Lo", "tool_calls": whole.tool_calls[1:]})) == [
        reasoning(1),
        {"role": "assistant", "content": "Lo", "phase": "commentary"},
        reasoning(2),
        said(call(2)),
    ]


@pytest.mark.parametrize(
    "entries",
    [
        "text",
        {"type": "reasoning"},
        [1],
        [{"type": "input_file"}],
        [{"type": "reasoning", "role": "system"}],
        [{"type": "message", "length": -1}],
        [{"type": "function_call"}],
    ],
)
def test_notes_that_are_not_ours_are_refused_by_place(entries: object) -> None:
    message = noted({"openai_responses": entries})
    with pytest.raises(InvalidRequest, match=r"messages\[0\]\.providerExtras\.openai_responses: "):
        sent(message)
