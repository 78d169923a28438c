"""What holds for any conversation that is sent and for any bytes that come back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.provider.bedrock_converse.frames import frame
from infra.local.provider.bedrock_converse.request import check
from infra.local.provider.protocol import Question
from keyway.chat import ChatRequest
from keyway.errors import InvalidRequest, KeywayError
from keyway.events import Event, ToolCall, TurnFinished
from keyway.wire import bedrock_converse as wire
from tests.unit.wire.bedrock_converse.asking import LOOK, model

IDS = st.sampled_from(["tooluse_1", "call:1", "call|1", "ü", "x" * 80])
NAMES = st.sampled_from(["look", "functions.look", "ü"])
TEXTS = st.sampled_from(["", " ", "\n\t", "Hi.", " Hi. \n"])
FILES = st.lists(
    st.sampled_from(
        [
            {"mimeType": "image/png", "data": "AQI="},
            {"mimeType": "application/pdf", "data": "AQI=", "name": "a  b/c.pdf"},
            {"mimeType": "video/mp4", "url": "s3://bucket/film.mp4"},
        ]
    ),
    max_size=2,
)
EXTRAS = st.lists(
    st.one_of(
        st.just({"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}}),
        st.just({"reasoningContent": {"redactedContent": "AQI="}}),
        st.just({"toolUse": 1}),
        st.builds(lambda length: {"text": length}, st.integers(0, 9)),
    ),
    max_size=4,
).map(lambda entries: {"bedrock_converse": entries})


@st.composite
def exchanges(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A word of the user's, or calls of the model's with all their results."""
    if draw(st.booleans()):
        role = draw(st.sampled_from(["user", "system"]))
        files = draw(FILES) if role == "user" else []
        return [{"role": role, "content": draw(TEXTS), "files": files}]
    called = draw(st.lists(st.tuples(IDS, NAMES), max_size=3))
    said = {
        "role": "assistant",
        "content": draw(TEXTS),
        "toolCalls": [{"id": call, "name": name, "arguments": {"n": 1}} for call, name in called],
        "providerExtras": draw(EXTRAS),
    }
    results = [{"role": "tool", "toolCallId": call, "content": draw(TEXTS), "files": draw(FILES)} for call, _ in called]
    return [said, *results]


CONVERSATIONS = st.lists(exchanges(), max_size=5).map(lambda parts: [message for part in parts for message in part])


@settings(max_examples=200)
@given(CONVERSATIONS, TEXTS, st.sampled_from([None, "low", "high"]), st.booleans(), st.sampled_from([None, 0.5]))
def test_any_conversation_is_accepted_by_bedrocks_rules(
    messages: list[dict[str, Any]], context: str, level: str | None, tools: bool, temperature: float | None
) -> None:
    described = model(max_output_tokens=32_000, structured_outputs=True)
    asked = {"provider": "bedrock", "model": "m", "systemPrompt": "S", "context": context, "messages": messages}
    settings = {"thinkingLevel": level, "temperature": temperature, "maxTokens": 900, "tools": [LOOK] if tools else []}
    request = ChatRequest.model_validate({**asked, **settings, "responseFormat": {"schema": {"type": "object"}}})

    outgoing = wire.encode(request, described, wire.dialect({}))

    body = json.loads(json.dumps(outgoing.body))
    assert check(Question(1, outgoing.path, {}, body)) is None


@given(CONVERSATIONS)
def test_a_conversation_that_cannot_be_sent_is_refused_and_nothing_else(messages: list[dict[str, Any]]) -> None:
    asked = {"provider": "b", "model": "m", "context": " ", "messages": messages, "tools": [LOOK]}
    says_something = any(
        message["content"].strip()
        or message["role"] == "tool"
        or message.get("files")
        or message.get("toolCalls")
        or any("reasoningContent" in entry for entry in message.get("providerExtras", {}).get("bedrock_converse", []))
        for message in messages
    )
    try:
        wire.encode(ChatRequest.model_validate(asked), model(), wire.dialect({}))
    except InvalidRequest:
        assert not says_something
    else:
        assert says_something


SMALL = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 3), st.sampled_from(["", "x", "{", "{}", "end_turn", "max_tokens"])
)
KEYS = st.sampled_from(
    ["text", "toolUse", "toolUseId", "name", "input", "type", "reasoningContent", "reasoningText", "signature",
     "redactedContent", "start", "delta", "contentBlockIndex", "stopReason", "usage", "inputTokens", "outputTokens",
     "cacheReadInputTokens", "cacheDetails", "ttl", "output", "message", "content", "citationsContent", "__type",
     "originalStatusCode", "originalMessage"]
)  # fmt: skip
VALUES = st.recursive(
    SMALL,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)
EVENTS = st.sampled_from(
    ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "new"]
)


def sent(kind: str, name: str, data: object) -> bytes:
    named = {"event": ":event-type", "exception": ":exception-type", "error": ":error-code"}.get(kind, ":x")
    return frame({named: name, ":message-type": kind}, json.dumps(data).encode())


FRAMES = st.one_of(
    st.builds(sent, st.just("event"), EVENTS, st.one_of(OBJECTS, VALUES)),
    st.builds(
        sent, st.sampled_from(["exception", "error", "odd"]), st.sampled_from(["throttlingException", ""]), VALUES
    ),
    st.builds(
        lambda tool: sent("event", "contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": tool}}),
        st.fixed_dictionaries({"toolUseId": st.just("t"), "name": st.just("look")}, optional={"input": VALUES}),
    ),
    st.builds(lambda delta: sent("event", "contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}), OBJECTS),
)
STREAMS = st.lists(FRAMES, max_size=8).map(b"".join)
WHOLE = st.builds(
    lambda content, reason, usage: json.dumps(
        {"output": {"message": {"content": content}}, "stopReason": reason, "usage": usage}
    ).encode(),
    st.lists(st.one_of(OBJECTS, VALUES), max_size=4),
    SMALL,
    OBJECTS,
)
DOCUMENTS = st.one_of(VALUES.map(lambda data: json.dumps(data).encode()), WHOLE)


@settings(max_examples=400)
@given(st.one_of(st.binary(), STREAMS, DOCUMENTS), st.integers(1, 50))
def test_any_bytes_decode_or_raise_one_of_our_errors(body: bytes, size: int) -> None:
    decoder = wire.decoder(wire.dialect({}), provider="bedrock")
    events: list[Event] = []
    raised: KeywayError | None = None
    try:
        for start in range(0, len(body), size):
            events += decoder.feed(body[start : start + size])
        events += decoder.end()
    except KeywayError as error:
        raised = error

    finished = [index for index, event in enumerate(events) if isinstance(event, TurnFinished)]
    assert finished in ([], [len(events) - 1])
    assert finished or (raised is not None and raised.provider == "bedrock")
    assert all(isinstance(event.arguments, dict) for event in events if isinstance(event, ToolCall))


@given(st.integers(400, 599), st.one_of(st.binary(), DOCUMENTS), st.one_of(st.none(), st.text(max_size=20)))
def test_any_failure_is_one_of_our_errors(status: int, body: bytes, named: str | None) -> None:
    headers = {} if named is None else {"x-amzn-errortype": named}
    error = wire.failure(status, headers, body, provider="bedrock", now=0.0)

    assert error.upstream_status == status
