"""Their answer as events, streamed or in one document.

Every chunk of a stream is a whole answer of its own, whose parts are to be appended to those before; a document is
one such chunk, and so is each element of an array of them. Function calls come whole. There is no last event: the
answer is complete when the bytes end and a ``finishReason`` or a ``blockReason`` has been among them; even
after it, a chunk may bring the last signature and the final counts. Parts of other kinds (of tools that the API runs
itself, which we never offer) are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2s

from keyway import strict_json
from keyway.chat import Json
from keyway.errors import ProviderProtocolError
from keyway.events import (
    Event,
    FinishReason,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallStarted,
    TurnFinished,
    Usage,
)
from keyway.wire.body import BodyDecoder
from keyway.wire.fields import NOTHING, member, members, text
from keyway.wire.gemini_generate.dialect import Dialect
from keyway.wire.gemini_generate.replay import Layout
from keyway.wire.gemini_generate.usage import Counts
from keyway.wire.google_errors import failure_in_band

_FINISH: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "ESCALATION": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
"""All others, known (``MALFORMED_FUNCTION_CALL``, ``OTHER``) or new, mean that the answer is not what it should be."""


def decoder(dialect: Dialect, *, provider: str, structured: bool = False) -> BodyDecoder:  # noqa: ARG001 - of no use here
    """See ``Wire.decoder``. All hosts answer alike."""
    return BodyDecoder(GeminiTurn(provider), provider=provider)


class GeminiTurn:
    """What the chunks of one answer mean. See ``body.Turn``."""

    def __init__(self, provider: str) -> None:
        self.usage: Usage | None = None
        self._provider = provider
        self._counts = Counts()
        self._layout = Layout(provider)
        self._call_ids: set[str] = set()
        self._response_id = ""
        self._model = ""
        self._finish = ""
        self._blocked = False

    def frame(self, _name: str, data: Json) -> Iterator[Event]:
        """See ``body.Turn.frame``."""
        self.usage = self._counts.update(data.get("usageMetadata"))
        if data.get("error"):
            raise failure_in_band(data, provider=self._provider)
        self._response_id = self._response_id or text(data, "responseId")
        self._model = self._model or text(data, "modelVersion")
        self._blocked = self._blocked or bool(text(member(data, "promptFeedback"), "blockReason"))
        candidate = next(iter(members(data, "candidates")), NOTHING)
        for part in members(member(candidate, "content"), "parts"):
            yield from self._part(part)
        self._finish = text(candidate, "finishReason") or self._finish

    def document(self, data: Json) -> Iterator[Event]:
        """See ``body.Turn.document``."""
        yield from self.frame("", data)
        yield from self.end()

    def done(self) -> Iterator[Event]:
        """See ``body.Turn.done``. Not part of this protocol; a proxy that adds it says nothing by it."""
        return iter(())

    def end(self) -> Iterator[Event]:
        """See ``body.Turn.end``."""
        if not self._finish and not self._blocked:
            raise ProviderProtocolError(
                f"{self._provider} ended its answer before it was whole: no finish reason came.",
                provider=self._provider,
            )
        if self._blocked and self.usage is None and self._counts.empty_report:
            self.usage = Usage(input=0, output=0)  # the report leaves zeros out, and a blocked prompt costs nothing
        yield TurnFinished(
            self._finish_reason(), self.usage, self._response_id or None, self._layout.extras(self._model)
        )

    def _part(self, part: Json) -> Iterable[Event]:
        signature = text(part, "thoughtSignature")
        if "functionCall" in part:
            return self._call(member(part, "functionCall"), signature)
        said = text(part, "text")
        if part.get("thought") is True:
            self._layout.thought(said, signature)
            return (ThinkingDelta(said),) if said else ()
        self._layout.text(len(said), signature)
        return (TextDelta(said),) if said else ()

    def _call(self, call: Json, signature: str) -> Iterable[Event]:
        name = text(call, "name")
        if not name:
            raise ProviderProtocolError(
                f"{self._provider} sent a function call without a name.", provider=self._provider
            )
        args = call.get("args")
        call_id = self._call_id(text(call, "id"), name, args)
        self._layout.call(call_id, signature)
        if (args is None or isinstance(args, dict)) and not strict_json.problem(args):
            return (ToolCallStarted(call_id, name), ToolCall(call_id, name, args or {}))
        return (ToolCallStarted(call_id, name), ToolCall(call_id, name, {}, malformed=strict_json.shown(args)))

    def _call_id(self, given: str, name: str, args: object) -> str:
        """The call's id, or one that is the same however the answer is cut, and another in the next answer."""
        call_id = given
        if not call_id or call_id in self._call_ids:
            # A host that names no answer: what is called tells one from another as well as anything does.
            answer = self._response_id or blake2s(strict_json.shown([name, args]).encode(), digest_size=8).hexdigest()
            call_id = f"call_{answer}_{len(self._call_ids)}"
        self._call_ids.add(call_id)
        return call_id

    def _finish_reason(self) -> FinishReason:
        if not self._finish:
            return "content_filter"
        reason = _FINISH.get(self._finish, "error")
        return "tool_calls" if reason == "stop" and self._call_ids else reason
