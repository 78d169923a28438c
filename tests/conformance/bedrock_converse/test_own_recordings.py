"""Small answers written by hand, one behaviour each, and what they come to however their bytes are split."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import pytest

from infra.local.provider.bedrock_converse.frames import frame
from keyway.events import FinishReason, TextDelta, ToolCall, Usage
from keyway.wire import bedrock_converse as wire
from tests.conformance.bedrock_converse.expected import frames
from tests.conformance.bedrock_converse.streams import (
    block_stop,
    call,
    event,
    exception,
    metadata,
    reasoning,
    start,
    stop,
    text,
)
from tests.conformance.feeding import Outcome, outcome, outcome_however_split

PLAIN = Usage(input=10, output=7)
Whole: TypeAlias = tuple[str, str, tuple[ToolCall, ...], FinishReason, Usage | None]


def read(body: bytes) -> Outcome:
    def decoder() -> wire.decode.ConverseDecoder:
        return wire.decoder(wire.dialect({}), provider="bedrock")

    whole = outcome_however_split(decoder, body)
    if body[:1] == b"\x00":
        assert outcome(decoder(), frames(body)) == whole
    return whole


def document(*content: Any, stop_reason: str = "end_turn", **usage: Any) -> bytes:
    counts = {"inputTokens": 10, "outputTokens": 7, "totalTokens": 17, **usage}
    message = {"role": "assistant", "content": list(content)}
    return json.dumps({"output": {"message": message}, "stopReason": stop_reason, "usage": counts}).encode()


def say(said: str, reason: FinishReason = "stop", usage: Usage | None = PLAIN) -> Whole:
    return (said, "", (), reason, usage)


def called(*calls: ToolCall, reason: FinishReason = "tool_calls") -> Whole:
    return ("", "", calls, reason, PLAIN)


PARIS = ToolCall("tooluse_1", "look", {"city": "Paris"})
CACHED = Usage(input=660, output=7, cache_read=600, cache_write=50, cache_write_1h=20)
CACHE: dict[str, Any] = {
    "cacheReadInputTokens": 600,
    "cacheWriteInputTokens": 50,
    "cacheDetails": [{"ttl": "5m", "inputTokens": 30}, {"ttl": "1h", "inputTokens": 20}],
}
TOOL_USE = {"toolUse": {"toolUseId": "tooluse_1", "name": "look", "input": {"city": "Paris"}}}

WHOLE_ANSWERS: dict[str, tuple[bytes, Whole]] = {
    "text, and the token counts after the end of the message": (
        start() + text(0, "Grüße, ", "", "Welt 👋") + stop("end_turn") + metadata(), say("Grüße, Welt 👋"),
    ),
    "cached tokens are counted beside the input": (
        start() + text(0, "Hi.") + stop("end_turn") + metadata(**CACHE), say("Hi.", usage=CACHED),
    ),
    "token counts that never came": (start() + text(0, "Hi.") + stop("end_turn"), say("Hi.", usage=None)),
    "metadata without token counts": (
        start() + text(0, "Hi.") + stop("end_turn") + event("metadata", metrics={"latencyMs": 5}),
        say("Hi.", usage=None),
    ),
    "token counts before the end of the message": (
        start() + text(0, "Hi.") + metadata() + stop("end_turn"), say("Hi."),
    ),
    "nothing after the token counts is read": (
        start() + text(0, "Hi.") + stop("end_turn") + metadata() + text(1, "More.") + exception("throttlingException"),
        say("Hi."),
    ),
    "parallel calls": (
        start() + call(0, "tooluse_1", "look", '{"city"', ': "Paris"}') + call(1, "tooluse_2", "now")
        + stop("tool_use") + metadata(),
        called(PARIS, ToolCall("tooluse_2", "now", {})),
    ),
    "arguments split inside escapes": (
        start() + call(0, "tooluse_1", "write", '{"text": "a\\', '"b\\u00', 'e9"}') + stop("tool_use") + metadata(),
        called(ToolCall("tooluse_1", "write", {"text": 'a"bé'})),
    ),
    "a call that the word for the end forgot": (
        start() + call(0, "tooluse_1", "look", '{"city": "Paris"}') + stop("end_turn") + metadata(), called(PARIS),
    ),
    "a word for a call that never came": (start() + text(0, "Hi.") + stop("tool_use") + metadata(), say("Hi.")),
    "cut off inside the arguments of a call": (
        start() + text(0, "Looking.") + call(1, "tooluse_1", "look", '{"city": "Par') + stop("max_tokens") + metadata(),
        ("Looking.", "", (ToolCall("tooluse_1", "look", {}, '{"city": "Par'),), "length", PLAIN),
    ),
    "cut off before the arguments of a second call": (
        start() + call(0, "tooluse_1", "look", '{"city": "Paris"}') + call(1, "tooluse_2", "look")
        + stop("model_context_window_exceeded") + metadata(),
        called(PARIS, ToolCall("tooluse_2", "look", {}, ""), reason="length"),
    ),
    "a call whose block was never stopped": (
        start() + call(0, "tooluse_1", "look", '{"ci')[: -len(block_stop(0))] + stop("max_tokens") + metadata(),
        called(ToolCall("tooluse_1", "look", {}, '{"ci'), reason="length"),
    ),
    "arguments that are no object": (
        start() + call(0, "tooluse_1", "look", "[1]") + call(1, "tooluse_2", "look", '{"a": NaN}')
        + stop("tool_use") + metadata(),
        called(ToolCall("tooluse_1", "look", {}, "[1]"), ToolCall("tooluse_2", "look", {}, '{"a": NaN}')),
    ),
    "reasoning shown before an answer": (
        start() + reasoning(0, {"text": "Hm, "}, {"text": "yes."}, {"signature": "c2ln"}) + text(1, "Yes.")
        + stop("end_turn") + metadata(),
        ("Yes.", "Hm, yes.", (), "stop", PLAIN),
    ),
    "a guardrail stepped in": (
        start() + text(0, "No.") + stop("guardrail_intervened") + metadata(), say("No.", "content_filter"),
    ),
    "filtered": (start() + stop("content_filtered") + metadata(), say("", "content_filter")),
    "a malformed call": (start() + text(0, "I") + stop("malformed_tool_use") + metadata(), say("I", "error")),
    "malformed output": (start() + stop("malformed_model_output") + metadata(), say("", "error")),
    "a stop sequence": (start() + text(0, "1, 2") + stop("stop_sequence") + metadata(), say("1, 2")),
    "a reason that is not known yet": (start() + text(0, "Hi.") + stop("new_reason") + metadata(), say("Hi.")),
    "what is not known is passed over": (
        start() + event("newEvent", x=1)
        + event("contentBlockStart", contentBlockIndex=0, start={})
        + event("contentBlockDelta", contentBlockIndex=0, delta={"citation": {"title": "T"}})
        + event("contentBlockStart", contentBlockIndex=1, start={"image": {"format": "png"}})
        + text(0, "Hi.") + stop("end_turn") + metadata(),
        say("Hi."),
    ),
    "a tool that Bedrock runs itself is no call of ours": (
        start()
        + event(
            "contentBlockStart", contentBlockIndex=0,
            start={"toolUse": {"toolUseId": "t", "name": "nova_grounding", "type": "server_tool_use"}},
        )
        + event("contentBlockDelta", contentBlockIndex=0, delta={"toolUse": {"input": "{}"}}) + block_stop(0)
        + event("contentBlockDelta", contentBlockIndex=1, delta={"toolResult": [{"text": "found"}]})
        + text(2, "Hi.") + stop("end_turn") + metadata(),
        say("Hi."),
    ),
    "a document with calls": (
        document({"text": "Let me look."}, TOOL_USE, {"toolUse": {"toolUseId": "t2", "name": "now", "input": {}}},
                 stop_reason="tool_use"),
        ("Let me look.", "", (PARIS, ToolCall("t2", "now", {})), "tool_calls", PLAIN),
    ),
    "a document cut off inside a call": (
        document(TOOL_USE, stop_reason="max_tokens"),
        called(ToolCall("tooluse_1", "look", {}, '{"city": "Paris"}'), reason="length"),
    ),
    "a document after blank lines": (b"\n\n  " + document({"text": "Hi."}), say("Hi.")),
    "a document with cached tokens": (document({"text": "Hi."}, **CACHE), say("Hi.", usage=CACHED)),
    "a document without token counts": (
        document({"text": "Hi."}, inputTokens=None), say("Hi.", usage=None),
    ),
    "a document with cited text": (
        document({"citationsContent": {"content": [{"text": "It is "}, {"text": "blue."}], "citations": []}}),
        say("It is blue."),
    ),
    "a document with reasoning": (
        document({"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}}, {"text": "Yes."}),
        ("Yes.", "Hm.", (), "stop", PLAIN),
    ),
}  # fmt: skip
"""Text, thinking, calls, finish reason and usage of each answer that ends well."""

HELLO = start() + event("contentBlockDelta", contentBlockIndex=0, delta={"text": "Hel"})
DAMAGED = bytearray(event("contentBlockDelta", contentBlockIndex=0, delta={"text": "lo"}))
DAMAGED[-6] ^= 1

FAILURES: dict[str, tuple[bytes, str, int | None, str]] = {
    "throttled": (HELLO + exception("throttlingException", message="Slow."), "RateLimited", 429, "Hel"),
    "the service failed": (
        HELLO + exception("internalServerException", message="Oh."), "ProviderUnavailable", 500, "Hel",
    ),
    "the service is away": (
        HELLO + exception("serviceUnavailableException", message="Oh."), "ProviderUnavailable", 503, "Hel",
    ),
    "the request was wrong": (
        HELLO + exception("validationException", message="No."), "ProviderRejected", 400, "Hel",
    ),
    "the model failed": (
        HELLO + exception("modelStreamErrorException", message="Oh.", originalStatusCode=500, originalMessage="x"),
        "ProviderUnavailable", 424, "Hel",
    ),
    "the model refused": (
        HELLO + exception("modelStreamErrorException", message="Oh.", originalStatusCode=400),
        "ProviderRejected", 424, "Hel",
    ),
    "the model took too long": (exception("modelTimeoutException", message="Oh."), "ProviderUnavailable", 408, ""),
    "an exception that is not known": (exception("newException", message="Oh."), "ProviderUnavailable", 500, ""),
    "an exception without words": (
        frame({":exception-type": "throttlingException", ":message-type": "exception"}, b""), "RateLimited", 429, "",
    ),
    "an error of the stream itself": (
        HELLO + frame({":error-code": "InternalFailure", ":error-message": "Oh.", ":message-type": "error"}, b""),
        "ProviderUnavailable", 500, "Hel",
    ),
    "after the end of the message": (
        HELLO + stop("end_turn") + exception("throttlingException", message="Slow."), "RateLimited", 429, "Hel",
    ),
    "a message that is no event": (
        HELLO + frame({":message-type": "odd"}, b"{}"), "ProviderProtocolError", None, "Hel",
    ),
    "an event that is no JSON": (
        HELLO + frame({":event-type": "metadata", ":message-type": "event"}, b"[1"),
        "ProviderProtocolError", None, "Hel",
    ),
    "a message that was damaged": (HELLO + bytes(DAMAGED), "ProviderProtocolError", None, "Hel"),
    "a message that was cut short": (HELLO + stop("end_turn")[:-3], "ProviderProtocolError", None, "Hel"),
    "token counts that were cut short": (
        HELLO + stop("end_turn") + metadata()[:-3], "ProviderProtocolError", None, "Hel",
    ),
    "a stream that ended early": (HELLO, "ProviderProtocolError", None, "Hel"),
    "an end without a reason": (HELLO + event("messageStop"), "ProviderProtocolError", None, "Hel"),
    "a call without an id": (HELLO + call(1, "", "look"), "ProviderProtocolError", None, "Hel"),
    "nothing at all": (b"", "ProviderProtocolError", None, ""),
    "a gateway's page": (b"<html><body>Bad gateway</body></html>", "ProviderProtocolError", None, ""),
    "server-sent events": (b'data: {"x": 1}\n\n', "ProviderProtocolError", None, ""),
    "a document that is cut short": (document({"text": "Hi."})[:-9], "ProviderProtocolError", None, ""),
    "a document without a message": (b'{"stopReason": "end_turn"}', "ProviderProtocolError", None, ""),
    "a document that is an error": (
        b'{"__type": "com.amazon.coral.service#ThrottlingException", "message": "Slow."}', "RateLimited", 429, "",
    ),
    "a document of a gateway's error": (b'{"message": "Forbidden"}', "ProviderUnavailable", 500, ""),
}  # fmt: skip
"""The error, the status it stands for, and the text that came before it."""


@pytest.mark.parametrize("name", WHOLE_ANSWERS)
def test_a_whole_answer(name: str) -> None:
    body, whole = WHOLE_ANSWERS[name]

    outcome = read(body)

    finished = outcome.finished
    assert (outcome.text, outcome.thinking, outcome.calls, finished.finish_reason, finished.usage) == whole
    assert [(c.id, c.name) for c in outcome.calls] == [(s.id, s.name) for s in outcome.started]


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_in_the_answer(name: str) -> None:
    body, error, status, said = FAILURES[name]

    outcome = read(body)

    assert outcome.error is not None
    assert (outcome.error[0], outcome.error[2]) == (error, status)
    assert "".join(event.text for event in outcome.events if isinstance(event, TextDelta)) == said
    assert len(outcome.events) == (1 if said else 0)


def test_what_a_broken_stream_had_cost_stays_readable() -> None:
    outcome = read(HELLO + metadata() + exception("internalServerException", message="Oh."))

    assert outcome.error is not None
    assert outcome.usage == PLAIN


def test_reasoning_is_kept_with_its_place_and_no_more_than_is_needed() -> None:
    body = (
        start()
        + reasoning(0, {"text": "One"}, {"text": "."}, {"signature": "c2ln"})
        + text(1, "First, ", "this.")
        + reasoning(2, {"redactedContent": "AQI="}, {"redactedContent": "Aw=="})
        + call(3, "tooluse_1", "look", "{}")
        + reasoning(4, {"redactedContent": "BA=="})
        + call(5, "tooluse_2", "look", "{}")
        + stop("tool_use")
        + metadata()
    )

    assert read(body).finished.extras == {
        "bedrock_converse": [
            {"reasoningContent": {"reasoningText": {"text": "One.", "signature": "c2ln"}}},
            {"text": 12},
            {"reasoningContent": {"redactedContent": "AQID"}},
            {"toolUse": 1},
            {"reasoningContent": {"redactedContent": "BA=="}},
        ]
    }


def test_a_document_keeps_the_same_reasoning() -> None:
    body = document(
        {"reasoningContent": {"reasoningText": {"text": "One.", "signature": "c2ln"}}},
        {"text": "First."},
        {"reasoningContent": {"redactedContent": "AQID"}},
        TOOL_USE,
    )

    assert read(body).finished.extras == {
        "bedrock_converse": [
            {"reasoningContent": {"reasoningText": {"text": "One.", "signature": "c2ln"}}},
            {"text": 6},
            {"reasoningContent": {"redactedContent": "AQID"}},
        ]
    }


def test_reasoning_that_nobody_signed_is_shown_and_not_kept() -> None:
    outcome = read(start() + reasoning(0, {"text": "Hm."}) + text(1, "Yes.") + stop("end_turn") + metadata())

    assert outcome.thinking == "Hm."
    assert outcome.finished.extras == {}
