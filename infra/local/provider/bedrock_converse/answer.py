"""Renders Converse answers: the messages of an event stream, and the document they add up to.

Content is a row of blocks. Only a tool's block is announced; text and reasoning begin with their first delta. As
Bedrock does, the token counts come last, after the end of the message, and each payload is padded with a field
``p`` of varying length.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterator

from infra.local.provider.bedrock_converse.frames import frame
from infra.local.provider.protocol import Json, Question, in_pieces
from infra.local.provider.script import Break, Call, Content, Ping, Refuse, Say, Script, Think, Tokens

_PADDING = string.ascii_letters + string.digits
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "content_filtered"}


class ConverseAnswer:
    """One answer. See ``protocol.Answer``."""

    def __init__(self, question: Question, script: Script, tokens: Tokens | None) -> None:
        self._ending = script.ending
        self._serial = question.serial
        self._tokens = tokens
        self._frames = 0
        self._refused = False
        self._blocks: list[dict[str, dict[str, object] | str]] = []
        self._open = False
        self._document: dict[str, object] = {}

    def begin(self) -> Iterator[bytes]:
        """``messageStart``."""
        yield self._event("messageStart", role="assistant")

    def add(self, step: Content) -> Iterator[bytes]:
        """The messages of one step; a change of kind stops one block and starts another."""
        match step:
            case Say(text):
                yield from self._say(text)
            case Refuse(text):
                self._refused = True
                yield from self._say(text)
            case Think(text):
                yield from self._think(text)
            case Call():
                yield from self._call(step)
            case Ping():
                pass  # this protocol has none

    def finish(self) -> Iterator[bytes]:
        """The open block's end, ``messageStop`` and ``metadata``."""
        yield from self._stop()
        reason = "guardrail_intervened" if self._refused else _STOP_REASONS[self._ending]
        if reason == "end_turn" and any("toolUse" in block for block in self._blocks):
            reason = "tool_use"
        yield self._event("messageStop", stopReason=reason)
        reported: dict[str, object] = {"metrics": {"latencyMs": 100 + self._serial}}
        if self._tokens is not None:
            reported["usage"] = _usage(self._tokens)
        yield self._event("metadata", **reported)
        message = {"role": "assistant", "content": self._blocks}
        self._document = {"output": {"message": message}, "stopReason": reason, **reported}

    def interrupt(self, problem: Break) -> Iterator[bytes]:
        """An exception of the service, or an error of the stream itself when its form is not ``flat``."""
        self._document = {"__type": problem.kind, "message": problem.message}
        if problem.form == "flat":
            headers = {":exception-type": problem.kind, ":content-type": "application/json"}
            payload = json.dumps({"message": problem.message}).encode()
            yield frame({**headers, ":message-type": "exception"}, payload)
        else:
            headers = {":error-code": problem.kind, ":error-message": problem.message}
            yield frame({**headers, ":message-type": "error"}, b"")

    def document(self) -> Json:
        """The whole answer."""
        return self._document

    def _say(self, text: str) -> Iterator[bytes]:
        if not self._open or "text" not in self._blocks[-1]:
            yield from self._start({"text": ""})
        self._blocks[-1]["text"] = f"{self._blocks[-1]['text']}{text}"
        yield self._delta({"text": text})

    def _think(self, text: str) -> Iterator[bytes]:
        if not self._open or "reasoningContent" not in self._blocks[-1]:
            yield from self._start({"reasoningContent": {"reasoningText": {"text": ""}}})
        reasoning = self._reasoning()
        reasoning["text"] += text
        yield self._delta({"reasoningContent": {"text": text}})

    def _call(self, call: Call) -> Iterator[bytes]:
        yield from self._stop()
        identifier = call.id or f"tooluse_{self._serial:011x}{len(self._blocks):011x}"
        text = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
        given = call.arguments if not isinstance(call.arguments, str) else {}
        yield from self._start({"toolUse": {"toolUseId": identifier, "name": call.name, "input": given}})
        start = {"toolUse": {"toolUseId": identifier, "name": call.name}}
        yield self._event("contentBlockStart", contentBlockIndex=len(self._blocks) - 1, start=start)
        for piece in in_pieces(text, call.piece):
            yield self._delta({"toolUse": {"input": piece}})
        yield from self._stop()

    def _start(self, block: dict[str, dict[str, object] | str]) -> Iterator[bytes]:
        yield from self._stop()
        self._open = True
        self._blocks.append(block)

    def _stop(self) -> Iterator[bytes]:
        """Ends the last block, if it is still open."""
        if self._open:
            self._open = False
            if "reasoningContent" in self._blocks[-1]:
                self._reasoning()["signature"] = signature = f"EqkC{self._serial:032x}{len(self._blocks):04x}=="
                yield self._delta({"reasoningContent": {"signature": signature}})
            yield self._event("contentBlockStop", contentBlockIndex=len(self._blocks) - 1)

    def _reasoning(self) -> dict[str, str]:
        content = self._blocks[-1]["reasoningContent"]
        assert isinstance(content, dict)
        reasoning = content["reasoningText"]
        assert isinstance(reasoning, dict)
        return reasoning

    def _delta(self, delta: Json) -> bytes:
        return self._event("contentBlockDelta", contentBlockIndex=len(self._blocks) - 1, delta=delta)

    def _event(self, name: str, /, **fields: object) -> bytes:
        self._frames += 1
        padding = _PADDING[: self._frames * 7 % len(_PADDING)]
        headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
        payload = json.dumps({**fields, "p": padding}, ensure_ascii=False, separators=(",", ":"))
        return frame(headers, payload.encode())


def _usage(tokens: Tokens) -> Json:
    """Bedrock counts cached tokens beside the input, not in it."""
    usage: dict[str, object] = {
        "inputTokens": tokens.input - tokens.cache_read - tokens.cache_write,
        "outputTokens": tokens.output,
        "totalTokens": tokens.input + tokens.output,
        "cacheReadInputTokens": tokens.cache_read,
        "cacheWriteInputTokens": tokens.cache_write,
        "serverToolUsage": {},
    }
    if tokens.cache_write:
        kept = {"5m": tokens.cache_write - tokens.cache_write_1h, "1h": tokens.cache_write_1h}
        usage["cacheDetails"] = [{"ttl": ttl, "inputTokens": count} for ttl, count in kept.items() if count]
    return usage
