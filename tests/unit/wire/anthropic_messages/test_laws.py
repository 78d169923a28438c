"""What holds for any conversation that is sent and for any bytes that come back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.errors import InvalidRequest, KeywayError
from keyway.events import Event, ToolCall, TurnFinished
from keyway.wire import anthropic_messages as wire

MODEL = Model(id="m", provider="anthropic", sent_as="m", thinking_levels=("low", "high"), max_output_tokens=32_000)
IDS = st.sampled_from(["toolu_1", "call:1", "call.1", "ü"])
TEXTS = st.one_of(st.none(), st.sampled_from(["", " ", "\n\t", "Hi.", " Hi. \n"]))
CALLS = st.lists(st.fixed_dictionaries({"id": IDS, "name": st.just("look")}), max_size=3)
EXTRAS = st.lists(
    st.one_of(
        st.just({"type": "thinking", "thinking": "", "signature": "s"}),
        st.just({"type": "redacted_thinking", "data": "x"}),
        st.just({"type": "tool_use"}),
        st.builds(lambda length: {"type": "text", "length": length}, st.integers(0, 9)),
    ),
    max_size=4,
).map(lambda entries: {"anthropic_messages": entries})
MESSAGES = st.lists(
    st.one_of(
        st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": TEXTS.map(lambda t: t or "")}),
        st.fixed_dictionaries(
            {"role": st.just("assistant"), "content": TEXTS.map(lambda t: t or ""), "toolCalls": CALLS,
             "providerExtras": EXTRAS}
        ),
        st.fixed_dictionaries({"role": st.just("tool"), "toolCallId": IDS, "content": TEXTS.map(lambda t: t or "")}),
    ),
    max_size=8,
)  # fmt: skip


@given(MESSAGES, TEXTS, st.sampled_from([None, "low", "high"]))
def test_any_conversation_keeps_the_apis_rules_for_turns(
    messages: list[dict[str, Any]], context: str | None, level: str | None
) -> None:
    asked = {"provider": "anthropic", "model": "m", "systemPrompt": "S", "messages": messages}
    request = ChatRequest.model_validate({**asked, "context": context, "thinkingLevel": level})

    body: Any = wire.encode(request, MODEL, wire.dialect({})).body

    roles = [turn["role"] for turn in body["messages"]]
    assert roles == [("user", "assistant")[i % 2] for i in range(len(roles))]
    assert roles
    calls = [block["id"] for turn in body["messages"] for block in turn["content"] if block["type"] == "tool_use"]
    assert len(calls) == len(set(calls)) == sum(len(message.get("toolCalls", [])) for message in messages)
    for turn in body["messages"]:
        kinds = [block["type"] == "tool_result" for block in turn["content"]]
        assert turn["content"]
        assert kinds == sorted(kinds, reverse=True)
        inner = [part for block in turn["content"] for part in block.get("content", [])]
        for part in [*turn["content"], *inner]:
            assert part["type"] != "text" or part["text"].strip()
    last = body["messages"][-1]["content"][-1]
    if roles[-1] == "assistant" and last["type"] == "text":
        assert last["text"] == last["text"].rstrip()


@given(MESSAGES)
def test_a_conversation_that_cannot_be_sent_is_refused_and_nothing_else(messages: list[dict[str, Any]]) -> None:
    request = ChatRequest.model_validate({"provider": "a", "model": "m", "context": " ", "messages": messages})
    says_something = any(
        (message["content"] or "").strip()
        or message["role"] == "tool"
        or message.get("toolCalls")
        or any("thinking" in entry["type"] for entry in message.get("providerExtras", {}).get("anthropic_messages", []))
        for message in messages
    )

    try:
        wire.encode(request, MODEL, wire.dialect({}))
    except InvalidRequest:
        assert not says_something
    else:
        assert says_something


SMALL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 3),
    st.sampled_from(["", "x", "{", "{}", "end_turn", "max_tokens", "tool_use", "text", "thinking", "overloaded_error"]),
)
KEYS = st.sampled_from(
    ["id", "name", "input", "text", "thinking", "signature", "data", "partial_json", "stop_reason", "index", "content",
     "usage", "input_tokens", "output_tokens", "cache_creation", "ephemeral_1h_input_tokens", "message", "error"]
)  # fmt: skip
TYPES = st.sampled_from(
    ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
     "message_stop", "error", "ping", "text_delta", "thinking_delta", "signature_delta", "input_json_delta", "text",
     "thinking", "redacted_thinking", "tool_use", "message", None, 3, ["text"]]
)  # fmt: skip
VALUES = st.recursive(
    SMALL,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(KEYS, inner, max_size=4),
        st.builds(lambda kind, rest: {**rest, "type": kind}, TYPES, st.dictionaries(KEYS, inner, max_size=4)),
    ),
    max_leaves=6,
)
FRAMES = st.builds(
    lambda kind, index, inner: {"type": kind, "index": index, "message": inner, "content_block": inner, "delta": inner,
                                "usage": inner, "error": inner},
    TYPES, SMALL, VALUES,
)  # fmt: skip
STREAMS = st.lists(FRAMES, max_size=8).map(
    lambda frames: b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames)
)
DOCUMENTS = st.dictionaries(st.one_of(KEYS, st.just("type")), VALUES).map(lambda data: json.dumps(data).encode())


@settings(max_examples=400)
@given(st.one_of(st.binary(), STREAMS, DOCUMENTS))
def test_any_bytes_decode_or_raise_one_of_our_errors(body: bytes) -> None:
    decoder = wire.decoder(wire.dialect({}), provider="anthropic")
    events: list[Event] = []
    raised: KeywayError | None = None
    try:
        events += decoder.feed(body)
        events += decoder.end()
    except KeywayError as error:
        raised = error

    finished = [index for index, event in enumerate(events) if isinstance(event, TurnFinished)]
    assert finished in ([], [len(events) - 1])
    assert finished or (raised is not None and raised.provider == "anthropic")
    assert all(isinstance(event.arguments, dict) for event in events if isinstance(event, ToolCall))


@given(st.integers(400, 599), st.one_of(st.binary(), VALUES.map(lambda data: json.dumps(data).encode())))
def test_any_failure_is_one_of_our_errors(status: int, body: bytes) -> None:
    error = wire.failure(status, {}, body, provider="anthropic", now=0.0)

    assert error.upstream_status == status
