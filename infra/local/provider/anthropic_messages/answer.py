"""Renders Anthropic Messages: the named events of a stream, and the message they add up to.

Shapes follow Anthropic's documentation ("Messages", "Streaming messages"). Content is a row of blocks, each
started, grown and stopped; ``message_delta`` carries the stop reason and the cumulative usage. Cached tokens
are counted beside the input, not in it. As the vendor does, data lines are padded with blanks before their
closing brace.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from infra.local.provider.protocol import Json, Question, in_pieces
from infra.local.provider.script import Break, Call, Content, Ping, Refuse, Say, Script, Think, Tokens

_PADDING = (8, 0, 5, 13, 1, 11, 3)
"""Blanks before a data line's last brace, in turn."""

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}


class MessagesAnswer:
    """One message. See ``protocol.Answer``."""

    def __init__(self, question: Question, script: Script, tokens: Tokens | None) -> None:
        self._ending = script.ending
        self._serial = question.serial
        self._frames = 0
        self._refused = False
        self._tokens = tokens
        self._blocks: list[dict[str, object]] = []
        self._open = False
        self._pinged = False
        self._message: dict[str, object] = {
            "model": script.model or question.body["model"],
            "id": f"msg_{self._serial:024x}",
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
        }
        if tokens is not None:
            self._message["usage"] = _usage(tokens, output=1)

    def begin(self) -> Iterator[bytes]:
        """``message_start``, with what is known of the usage already."""
        yield self._event("message_start", message=self._message)

    def add(self, step: Content) -> Iterator[bytes]:
        """The frames of one step; a change of kind stops one block and starts another."""
        match step:
            case Say(text):
                yield from self._grow("text", "text", text)
            case Refuse(text):
                self._refused = True
                yield from self._grow("text", "text", text)
            case Think(text):
                yield from self._grow("thinking", "thinking", text)
            case Call():
                yield from self._call(step)
            case Ping():
                yield b'event: ping\ndata: {"type": "ping"}\n\n'

    def finish(self) -> Iterator[bytes]:
        """The open block's end, ``message_delta`` and ``message_stop``."""
        yield from self._stop()
        reason = "refusal" if self._refused else _STOP_REASONS[self._ending]
        if reason == "end_turn" and any(block["type"] == "tool_use" for block in self._blocks):
            reason = "tool_use"
        self._message |= {"content": self._blocks, "stop_reason": reason}
        delta = {name: self._message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
        if self._tokens is None:
            yield self._event("message_delta", delta=delta)
        else:
            self._message["usage"] = usage = _usage(self._tokens, output=self._tokens.output)
            cumulative = {name: count for name, count in usage.items() if name in _IN_DELTA}
            yield self._event("message_delta", delta=delta, usage=cumulative)
        yield self._event("message_stop")

    def interrupt(self, problem: Break) -> Iterator[bytes]:
        """An ``error`` event. An answer that was not to be streamed is that error itself."""
        error = {"type": problem.kind, "message": problem.message}
        self._message = {"type": "error", "error": error, "request_id": f"req_{self._serial:024x}"}
        yield self._event("error", error=error, request_id=self._message["request_id"])

    def document(self) -> Json:
        """The message object."""
        return self._message

    def _grow(self, kind: str, field: str, text: str) -> Iterator[bytes]:
        if not self._open or self._blocks[-1]["type"] != kind:
            signature = {"signature": ""} if kind == "thinking" else {}
            yield from self._start({"type": kind, field: "", **signature})
        block = self._blocks[-1]
        block[field] = f"{block[field]}{text}"
        yield self._delta({"type": f"{kind}_delta", field: text})

    def _call(self, call: Call) -> Iterator[bytes]:
        identifier = call.id or f"toolu_{self._serial:016x}{len(self._blocks):08x}"
        yield from self._start({"type": "tool_use", "id": identifier, "name": call.name, "input": {}})
        text = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
        yield self._delta({"type": "input_json_delta", "partial_json": ""})
        if text != "{}":
            for piece in in_pieces(text, call.piece):
                yield self._delta({"type": "input_json_delta", "partial_json": piece})
        self._blocks[-1]["input"] = call.arguments if not isinstance(call.arguments, str) else {}

    def _start(self, block: dict[str, object]) -> Iterator[bytes]:
        yield from self._stop()
        self._open = True
        self._blocks.append(block)
        yield self._event("content_block_start", index=len(self._blocks) - 1, content_block=block)
        if not self._pinged:
            self._pinged = True
            yield from self.add(Ping())

    def _stop(self) -> Iterator[bytes]:
        """Ends the last block, if it is still open."""
        if self._open:
            self._open = False
            if self._blocks[-1]["type"] == "thinking":
                self._blocks[-1]["signature"] = signature = f"EusB{self._serial:032x}{len(self._blocks):04x}=="
                yield self._delta({"type": "signature_delta", "signature": signature})
            yield self._event("content_block_stop", index=len(self._blocks) - 1)

    def _delta(self, delta: Json) -> bytes:
        return self._event("content_block_delta", index=len(self._blocks) - 1, delta=delta)

    def _event(self, name: str, /, **fields: object) -> bytes:
        text = json.dumps({"type": name, **fields}, ensure_ascii=False, separators=(",", ":"))
        padding = " " * _PADDING[self._frames % len(_PADDING)]
        self._frames += 1
        return f"event: {name}\ndata: {text[:-1]}{padding}}}\n\n".encode()


_IN_DELTA = frozenset(
    {"input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens", "output_tokens_details"}
)


def _usage(tokens: Tokens, *, output: int) -> dict[str, object]:
    usage: dict[str, object] = {
        "input_tokens": tokens.input - tokens.cache_read - tokens.cache_write,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write - tokens.cache_write_1h,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h,
        },
        "output_tokens": output,
        "service_tier": "standard",
    }
    if tokens.reasoning:
        usage["output_tokens_details"] = {"thinking_tokens": tokens.reasoning}
    return usage
