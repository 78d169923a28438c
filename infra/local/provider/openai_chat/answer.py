"""Renders Chat Completions: the chunks of a stream, and the completion they add up to.

A chunk carries a delta of the one choice; what stands around it, how tool calls and reasoning are told, and where the
usage is, are the vendor's (``variant.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from infra.local.provider.openai_chat.counts import usage
from infra.local.provider.openai_chat.errors import error_inside
from infra.local.provider.openai_chat.variant import CREATED, Variant
from infra.local.provider.protocol import Json, Question, compact, in_pieces, sse
from infra.local.provider.script import Break, Call, Content, Ending, Ping, Refuse, Say, Script, Think, Tokens

DONE = b"data: [DONE]\n\n"
_SHUTS = {"fence": "\n```", "think": "</think>\n\n"}


class ChatAnswer:
    """One completion. See ``protocol.Answer``."""

    def __init__(self, question: Question, script: Script, tokens: Tokens | None, variant: Variant) -> None:
        self._variant = variant
        self._ending: Ending = script.ending
        self._tokens = tokens
        self._serial = question.serial
        options = question.body.get("stream_options")
        asked = isinstance(options, Mapping) and options.get("include_usage") is True
        self._reports = asked or not variant.usage_asked
        self._obfuscates = variant.obfuscates
        if isinstance(options, Mapping) and options.get("include_obfuscation") is False:
            self._obfuscates = False
        # Who has no chunk for the role names it in every delta, beside a text that may be empty.
        self._role = {} if variant.role_chunk else {"role": "assistant", "content": ""}
        self._stamp = {
            "id": f"chatcmpl-{self._serial:024x}",
            "created": CREATED,
            "model": script.model or question.model,
        }
        self._texts = {"content": "", "refusal": "", "reasoning": ""}
        self._calls: list[dict[str, object]] = []
        self._held: list[dict[str, object]] = []
        self._open: Literal["", "fence", "think"] = ""
        self._chunks = 0
        self._document: Json = {}

    def begin(self) -> Iterator[bytes]:
        """Comments, and what comes before the first text."""
        for _ in range(self._variant.comments_first):
            yield f": {self._variant.comment}\n\n".encode()
        if self._variant.first_chunk is not None:
            yield sse({**self._stamp, "object": "", "model": "", "choices": [], **self._variant.first_chunk})
        if self._variant.role_chunk:
            refusal = {"refusal": None} if self._variant.refusals else {}
            yield self._chunk({"role": "assistant", "content": "", **refusal})

    def add(self, step: Content) -> Iterator[bytes]:
        """The frames of one step."""
        match step:
            case Say(text):
                yield from self._say(text)
            case Refuse(text):
                yield from self._refuse(text)
            case Think(text):
                yield from self._think(text)
            case Call():
                yield from self._shut()
                yield from self._call(step)
            case Ping():
                if self._variant.comment is not None:
                    yield f": {self._variant.comment}\n\n".encode()

    def finish(self) -> Iterator[bytes]:
        """The finish reason, the usage where it is due, and ``[DONE]``."""
        yield from self._shut()
        last = {**self._role, "content": "", "tool_calls": self._held} if self._held else dict(self._role)
        place = self._variant.usage if self._reports and self._tokens is not None else None
        with_last: dict[str, object] = dict(self._variant.on_last)
        if place in ("last_chunk", "every_chunk"):
            with_last["usage"] = self._usage()
        elif place == "x_groq":
            with_last["x_groq"] = {"id": f"req_{self._serial:026x}", "usage": self._usage()}
        yield self._chunk(last, self._finish_reason(), with_last)
        if place == "own_chunk":
            yield sse({**self._around("chat.completion.chunk"), "choices": [], "usage": self._usage()})
        elif place == "own_chunk_with_choice":
            delta = {"role": "assistant", "content": ""}
            choice = {"index": 0, "delta": delta, **self._variant.on_choices, "finish_reason": None}
            yield sse({**self._around("chat.completion.chunk"), "choices": [choice], "usage": self._usage()})
        self._document = self._completion()
        yield DONE

    def interrupt(self, problem: Break) -> Iterator[bytes]:
        """An error in the vendor's form; ``nested`` as an event of its own, ``final`` inside the choice."""
        form = self._variant.in_band
        self._document = error_inside(form, problem)
        if problem.form == "final":
            if self._variant.usage == "x_groq":
                yield self._chunk({}, None, {"x_groq": {"id": f"req_{self._serial:026x}", "error": problem.message}})
            else:
                yield self._chunk({}, "error", on_choice={"error": {"code": 500, "message": problem.message}})
        elif problem.form == "nested" or form == "event":
            yield sse(self._document, event="error")
        elif form == "choice":
            yield self._chunk({"role": "assistant", "content": ""}, "error", self._document)
        else:
            yield sse(self._document)
        if form == "error_then_done":
            yield DONE

    def document(self) -> Json:
        """The completion, or the error that came instead."""
        return self._document

    def _say(self, text: str) -> Iterator[bytes]:
        if self._open == "think":
            yield from self._shut()
        if self._variant.fences and not self._texts["content"] and text.lstrip().startswith("{"):
            self._open = "fence"
            text = f"```json\n{text}"
        yield self._text(text)

    def _refuse(self, text: str) -> Iterator[bytes]:
        """Where there is no field for a refusal, it is text."""
        if self._variant.refusals:
            self._texts["refusal"] += text
            yield self._chunk({**self._role, "refusal": text})
        else:
            self._ending = "content_filter"
            yield from self._say(text)

    def _think(self, text: str) -> Iterator[bytes]:
        match self._variant.reasoning:
            case "hidden":
                return
            case "tags":
                opening = "" if self._open == "think" else "<think>"
                self._open = "think"
                yield self._text(f"{opening}{text}")
            case "chunks":
                self._texts["reasoning"] += text
                yield self._chunk({**self._role, "content": [_thinking_chunk(text)]})
            case "fields":
                self._texts["reasoning"] += text
                yield self._chunk({"content": None, **self._role, **self._reasoning(text)})

    def _reasoning(self, text: str) -> Json:
        detail = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
        told: Mapping[str, object] = {"reasoning_details": [detail]}
        return {name: told.get(name, text) for name in self._variant.reasoning_fields}

    def _call(self, call: Call) -> Iterator[bytes]:
        index = len(self._calls)
        arguments = call.arguments if isinstance(call.arguments, str) else compact(call.arguments)
        identifier = call.id or self._variant.call_id.format(n=f"{(self._serial * 100 + index) % 10**9:09d}")
        whole: dict[str, object] = {
            "id": identifier,
            "type": "function",
            "function": {"name": call.name, "arguments": arguments},
        }
        self._calls.append({"index": index, **whole} if self._variant.numbered_calls else whole)
        match self._variant.calls:
            case "together":
                self._held.append({**whole, "index": index})
            case "whole_at_0":
                yield self._chunk({**self._role, "tool_calls": [{**whole, "index": 0}]})
            case style:
                place = {"index": index} if style == "pieces" else {}
                opening = {**place, **whole, "function": {"name": call.name, "arguments": ""}}
                yield self._chunk({**self._role, "tool_calls": [opening]})
                for piece in in_pieces(arguments, call.piece):
                    fragment = {**place, "function": {"arguments": piece}}
                    yield self._chunk({**self._role, "tool_calls": [fragment]})

    def _text(self, text: str) -> bytes:
        self._texts["content"] += text
        return self._chunk({**self._role, "content": text})

    def _shut(self) -> Iterator[bytes]:
        """Ends a fence or a thought that stands in the text."""
        opened, self._open = self._open, ""
        if opened:
            yield self._text(_SHUTS[opened])

    def _finish_reason(self) -> str:
        ending: Ending | Literal["tool_calls"] = self._ending
        if ending == "stop" and self._calls:
            ending = "tool_calls"
        return self._variant.endings.get(ending, ending)

    def _chunk(
        self,
        delta: Json,
        finish_reason: str | None = None,
        members: Json | None = None,
        *,
        on_choice: Json | None = None,
    ) -> bytes:
        self._chunks += 1
        choice = {"index": 0, "delta": delta, **self._variant.on_choices, "finish_reason": finish_reason}
        around = self._around("chat.completion.chunk")
        if self._reports and self._tokens is not None:
            if self._variant.usage_null:
                around["usage"] = None
            elif self._variant.usage == "every_chunk":
                around["usage"] = usage(self._variant.counts, self._tokens, output=self._chunks)
        if self._obfuscates:
            around["obfuscation"] = f"{self._chunks * 7919:x}" * 2
        if self._variant.usage == "x_groq" and self._chunks == 1:
            around["x_groq"] = {"id": f"req_{self._serial:026x}"}
        return sse({**around, "choices": [{**choice, **(on_choice or {})}], **(members or {})})

    def _around(self, kind: str) -> dict[str, object]:
        return {**self._stamp, "object": kind, **self._variant.on_chunks}

    def _usage(self) -> Json:
        assert self._tokens is not None
        return usage(self._variant.counts, self._tokens)

    def _completion(self) -> Json:
        message: dict[str, object] = {"role": "assistant", "content": self._content(), **self._variant.on_messages}
        if self._variant.refusals:
            message["refusal"] = self._texts["refusal"] or None
        if self._variant.reasoning == "fields" and self._texts["reasoning"]:
            message |= self._reasoning(self._texts["reasoning"])
        if self._calls:
            message["tool_calls"] = self._calls
        choice = {"index": 0, "message": message, **self._variant.on_choices, "finish_reason": self._finish_reason()}
        report = {"usage": self._usage()} if self._tokens is not None else {}
        around = self._around("chat.completion")
        return {**around, **self._variant.on_documents, "choices": [choice], **report}

    def _content(self) -> object:
        text, reasoning = self._texts["content"], self._texts["reasoning"]
        if self._variant.reasoning == "chunks" and reasoning:
            return [_thinking_chunk(reasoning), *([{"type": "text", "text": text}] if text else [])]
        if not text and self._variant.role_chunk:
            return None
        return text


def _thinking_chunk(text: str) -> Json:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
