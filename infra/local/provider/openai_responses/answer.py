"""Renders OpenAI Responses: the events of a stream in their order, and the response object they add up to.

Shapes follow OpenAI's API reference ("Responses", "Streaming events"). Each event has a sequence number;
deltas carry ``obfuscation``, padding that hides their length, unless the request turned it off. Status and
usage stand only in the terminal event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from infra.local.provider.protocol import Json, Question, in_pieces
from infra.local.provider.script import Break, Call, Content, Ping, Refuse, Say, Script, Think, Tokens

CREATED = 1_790_000_000
"""The epoch second at which every scripted response was created."""

_PADDED = 16
"""Obfuscation fills a delta up to a multiple of this many characters."""

_TEXT_FIELD = {"output_text": "text", "refusal": "refusal", "summary_text": "text"}
_LOGPROBS: Mapping[str, Mapping[str, object]] = {"output_text": {"logprobs": []}, "refusal": {}}

_ECHOED: Mapping[str, object] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


class ResponsesAnswer:
    """One response. See ``protocol.Answer``."""

    def __init__(self, question: Question, script: Script, tokens: Tokens | None) -> None:
        self._ending = script.ending
        self._tokens = tokens
        self._serial = question.serial
        self._sequence = 0
        self._output: list[dict[str, object]] = []
        self._part: dict[str, object] = {}
        options = question.body.get("stream_options")
        self._obfuscate = not isinstance(options, Mapping) or options.get("include_obfuscation") is not False
        asked = question.body
        included = asked.get("include")
        self._encrypts = isinstance(included, list) and "reasoning.encrypted_content" in included
        self._response: dict[str, object] = {
            "id": f"resp_{self._serial:048x}",
            "object": "response",
            "created_at": CREATED,
            "status": "in_progress",
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            "model": script.model or f"{asked['model']}-2026-03-05",
            "output": [],
            "reasoning": {"effort": None, "summary": None, **_object(asked.get("reasoning"))},
            "text": {"format": {"type": "text"}, "verbosity": "medium", **_object(asked.get("text"))},
            "usage": None,
        } | {name: _given(asked.get(name), default) for name, default in _ECHOED.items()}

    def begin(self) -> Iterator[bytes]:
        """``response.created`` and ``response.in_progress``."""
        yield self._event("response.created", response=self._response)
        yield self._event("response.in_progress", response=self._response)

    def add(self, step: Content) -> Iterator[bytes]:
        """The frames of one step; a change of kind closes one output item and opens another."""
        match step:
            case Say(text):
                yield from self._say("output_text", text)
            case Refuse(text):
                yield from self._say("refusal", text)
            case Think(text):
                yield from self._think(text)
            case Call():
                yield from self._call(step)
            case Ping():
                return  # this protocol has none

    def finish(self) -> Iterator[bytes]:
        """The open item's end, then ``response.completed`` or ``response.incomplete``."""
        yield from self._close()
        reason = {"stop": None, "length": "max_output_tokens", "content_filter": "content_filter"}[self._ending]
        status = "completed" if reason is None else "incomplete"
        self._settle(status, self._tokens)
        if reason is None:
            self._response["completed_at"] = CREATED + 1
        else:
            self._response["incomplete_details"] = {"reason": reason}
        yield self._event(f"response.{status}", response=self._response)

    def interrupt(self, problem: Break) -> Iterator[bytes]:
        """An ``error`` event, flat or nested, or ``response.failed``."""
        error = {"code": problem.kind, "message": problem.message}
        self._settle("failed", self._tokens if problem.form == "final" else None)
        self._response["error"] = error
        if problem.form == "final":
            yield self._event("response.failed", response=self._response)
        elif problem.form == "nested":
            yield self._event("error", error={"type": problem.kind, **error, "param": None})
        else:
            yield self._event("error", **error, param=None)

    def document(self) -> Json:
        """The response object."""
        return self._response

    def _settle(self, status: str, tokens: Tokens | None) -> None:
        self._response |= {"status": status, "output": list(self._output)}
        if tokens is not None:
            self._response["usage"] = {
                "input_tokens": tokens.input,
                "input_tokens_details": {
                    "cached_tokens": tokens.cache_read,
                    "cache_write_tokens": tokens.cache_write,
                },
                "output_tokens": tokens.output,
                "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
                "total_tokens": tokens.input + tokens.output,
            }

    def _say(self, kind: str, text: str) -> Iterator[bytes]:
        if self._part.get("type") != kind:
            yield from self._close()
            yield from self._open("msg", {"type": "message", "content": [], "role": "assistant"})
            extras: dict[str, object] = {"annotations": [], "logprobs": []} if kind == "output_text" else {}
            self._part = {"type": kind, **extras, _TEXT_FIELD[kind]: ""}
            yield self._event("response.content_part.added", **self._place(), content_index=0, part=self._part)
        self._grow(text)
        yield self._event(
            f"response.{kind}.delta",
            **self._place(),
            content_index=0,
            delta=text,
            **_LOGPROBS[kind],
            **self._padding(text),
        )

    def _think(self, text: str) -> Iterator[bytes]:
        if self._part.get("type") != "summary_text":
            yield from self._close()
            yield from self._open("rs", {"type": "reasoning", "content": [], "summary": [], **self._encrypted()})
            self._part = {"type": "summary_text", "text": ""}
            yield self._event(
                "response.reasoning_summary_part.added", **self._place(), summary_index=0, part=self._part
            )
        self._grow(text)
        yield self._event(
            "response.reasoning_summary_text.delta",
            **self._place(),
            summary_index=0,
            delta=text,
            **self._padding(text),
        )

    def _call(self, call: Call) -> Iterator[bytes]:
        yield from self._close()
        arguments = call.arguments if isinstance(call.arguments, str) else _compact(call.arguments)
        call_id = call.id or f"call_{self._serial:020x}{len(self._output):04x}"
        yield from self._open("fc", {"type": "function_call", "arguments": "", "call_id": call_id, "name": call.name})
        for piece in in_pieces(arguments, call.piece):
            yield self._event(
                "response.function_call_arguments.delta", **self._place(), delta=piece, **self._padding(piece)
            )
        self._output[-1]["arguments"] = arguments

    def _open(self, prefix: str, item: dict[str, object]) -> Iterator[bytes]:
        index = len(self._output)
        self._output.append({"id": f"{prefix}_{self._serial:040x}{index:08x}", "status": "in_progress", **item})
        yield self._event("response.output_item.added", output_index=index, item=self._output[-1])

    def _close(self) -> Iterator[bytes]:
        """Ends the last output item, if it is still open."""
        if not self._output or self._output[-1]["status"] != "in_progress":
            return
        item, part = self._output[-1], self._part
        self._part = {}
        match item["type"]:
            case "message":
                kind = str(part["type"])
                done = {_TEXT_FIELD[kind]: part[_TEXT_FIELD[kind]], **_LOGPROBS[kind]}
                yield self._event(f"response.{kind}.done", **self._place(), content_index=0, **done)
                yield self._event("response.content_part.done", **self._place(), content_index=0, part=part)
                item["content"] = [part]
            case "reasoning":
                place = {**self._place(), "summary_index": 0}
                yield self._event("response.reasoning_summary_text.done", **place, text=part["text"])
                yield self._event("response.reasoning_summary_part.done", **place, part=part)
                item |= {"summary": [part], **self._encrypted()}
            case _:
                arguments = item["arguments"]
                yield self._event("response.function_call_arguments.done", **self._place(), arguments=arguments)
        item["status"] = "completed" if self._ending == "stop" else "incomplete"
        yield self._event("response.output_item.done", output_index=len(self._output) - 1, item=item)

    def _encrypted(self) -> dict[str, object]:
        """The reasoning for a later request that replays it; only who asked for it gets it."""
        return {"encrypted_content": f"gAAAAAB{self._serial:032x}"} if self._encrypts else {}

    def _grow(self, text: str) -> None:
        field = _TEXT_FIELD[str(self._part["type"])]
        self._part[field] = f"{self._part[field]}{text}"

    def _place(self) -> dict[str, object]:
        return {"item_id": self._output[-1]["id"], "output_index": len(self._output) - 1}

    def _padding(self, delta: str) -> dict[str, object]:
        if not self._obfuscate:
            return {}
        noise = f"{self._serial * 7919 + self._sequence * 104_729:x}" * _PADDED
        return {"obfuscation": noise[: _PADDED - len(delta) % _PADDED]}

    def _event(self, name: str, /, **fields: object) -> bytes:
        data = {"type": name, **fields, "sequence_number": self._sequence}
        self._sequence += 1
        return f"event: {name}\ndata: {_compact(data)}\n\n".encode()


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _given(value: object, default: object) -> object:
    return default if value is None else value
