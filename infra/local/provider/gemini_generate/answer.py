"""Renders ``generateContent``: the chunks of a stream, each an answer of its own, and the answer they add up to.

As the API does: function calls come whole, and those in a row in one chunk; the finish reason stands in the last
chunk, beside a thought signature on an empty text; a prompt that is blocked has no candidates; counts of zero are left
out. Source: recordings, and Google's guides "Thought signatures" and "Text generation".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator

from infra.local.provider.google_errors import error_inside
from infra.local.provider.protocol import Json, Question, compact
from infra.local.provider.script import Break, Call, Content, Ping, Refuse, Say, Script, Think, Tokens

_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_SIGNS = re.compile(r"gemini-([3-9]|[a-z-]*latest)")
"""Models that sign a function call although nobody asked them to show their thoughts."""


class GeminiAnswer:
    """One answer. See ``protocol.Answer``."""

    def __init__(self, question: Question, script: Script, tokens: Tokens | None, *, vertex: bool) -> None:
        self._ending = script.ending
        self._tokens = tokens
        self._serial = question.serial
        self._vertex = vertex
        self._is_3 = _SIGNS.match(question.model) is not None
        self._signs = self._is_3 or any(isinstance(step, Think) for step in script.steps)
        self._parts: list[dict[str, object]] = []
        self._held: list[dict[str, object]] = []
        self._stamp = {
            "modelVersion": script.model or question.model,
            "responseId": f"{self._serial:016x}scripted",
            **({"createTime": "2026-01-01T00:00:00.000000Z"} if vertex else {}),
        }
        self._document: Json = {}

    def begin(self) -> Iterator[bytes]:
        """Nothing: the first chunk has content already."""
        return iter(())

    def add(self, step: Content) -> Iterator[bytes]:
        """The chunk of one step. Calls are kept until it is known that no other follows."""
        match step:
            case Say(text):
                yield from self._say({"text": text})
            case Refuse(text):
                self._ending = "content_filter"
                yield from self._say({"text": text})
            case Think(text):
                yield from self._say({"text": text, "thought": True})
            case Call():
                self._call(step)
            case Ping():
                return  # this protocol has none

    def finish(self) -> Iterator[bytes]:
        """The last chunk."""
        if self._held:
            yield from self._release()
        if self._ending == "content_filter" and not self._parts:
            feedback = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
            self._document = {**feedback, **self._counts(last=True, blocked=True), **self._stamp}
            yield self._sse(self._document)
            return
        finish: dict[str, object] = {"finishReason": _FINISH[self._ending], "index": 0}
        last: dict[str, object] = {"role": "model"}
        if self._ending == "stop":
            calls = bool(self._parts) and "functionCall" in self._parts[-1]
            signed = {"thoughtSignature": self._signature()} if self._signs and not calls else {}
            last["parts"] = [{"text": "", **signed}]
        content: dict[str, object] = {"role": "model"}
        if self._parts:
            content["parts"] = [*_joined(self._parts), *(part for part in _parts_of(last) if len(part) > 1)]
        counts = self._counts(last=True)
        self._document = {"candidates": [{"content": content, **finish}], **counts, **self._stamp}
        yield self._sse({"candidates": [{"content": last, **finish}], **counts, **self._stamp})

    def interrupt(self, problem: Break) -> Iterator[bytes]:
        """An error as a chunk; ``nested`` as bare JSON between the lines of the stream, ``final`` as such in a list."""
        self._document = error_inside(problem)
        match problem.form:
            case "flat":
                yield self._sse(self._document)
            case "nested":
                yield json.dumps(self._document, indent=2).encode()
            case "final":
                yield json.dumps([self._document], indent=2).encode()

    def document(self) -> Json:
        """The whole answer."""
        return self._document

    def _say(self, part: dict[str, object]) -> Iterator[bytes]:
        if self._held:
            yield from self._release()
        self._parts.append(part)
        yield self._chunk([part])

    def _call(self, call: Call) -> None:
        """The Gemini API names a call of its newer models; otherwise only a scripted id is told."""
        identifier = call.id
        if identifier is None and self._is_3 and not self._vertex:
            identifier = f"{self._serial:06x}{len(self._parts) + len(self._held):02x}"
        named = {} if identifier is None else {"id": identifier}
        function = {**named, "name": call.name, "args": call.arguments}
        # Of calls in a row only the first is signed.
        signed = {} if self._held or not self._signs else {"thoughtSignature": self._signature()}
        self._held.append({"functionCall": function, **signed})

    def _release(self) -> Iterator[bytes]:
        held, self._held = self._held, []
        self._parts += held
        yield self._chunk(held)

    def _chunk(self, parts: list[dict[str, object]]) -> bytes:
        content = {"parts": parts, "role": "model"}
        return self._sse({"candidates": [{"content": content, "index": 0}], **self._counts(), **self._stamp})

    def _signature(self) -> str:
        return base64.b64encode(f"thoughts of {self._serial}, {len(self._parts)}".encode()).decode()

    def _counts(self, *, last: bool = False, blocked: bool = False) -> dict[str, object]:
        """The counts so far: thoughts are counted beside the output."""
        if self._tokens is None:
            return {}
        written = 0 if blocked else self._tokens.output - self._tokens.reasoning
        counts = {
            "promptTokenCount": self._tokens.input,
            "cachedContentTokenCount": self._tokens.cache_read,
            "candidatesTokenCount": written if last else min(len(self._parts), written),
            "thoughtsTokenCount": 0 if blocked else self._tokens.reasoning,
        }
        counts["totalTokenCount"] = sum(counts.values()) - self._tokens.cache_read
        told: dict[str, object] = {name: count for name, count in counts.items() if count}
        told["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": self._tokens.input}]
        if self._vertex:
            told["trafficType"] = "ON_DEMAND"
        return {"usageMetadata": told}

    def _sse(self, data: Json) -> bytes:
        """The Gemini API ends its lines with CR LF."""
        return f"data: {compact(data)}\r\n\r\n".encode()


def _parts_of(content: Json) -> list[dict[str, object]]:
    parts = content.get("parts")
    return parts if isinstance(parts, list) else []


def _joined(parts: list[dict[str, object]]) -> list[dict[str, object]]:
    """Pieces of one text as one part, as an answer that is not streamed has them."""
    joined: list[dict[str, object]] = []
    for part in parts:
        if joined and "text" in part and "text" in joined[-1] and part.get("thought") == joined[-1].get("thought"):
            joined[-1] = {**joined[-1], "text": f"{joined[-1]['text']}{part['text']}"}
        else:
            joined.append(part)
    return joined
