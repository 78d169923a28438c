"""Their answer as events, streamed or in one document.

A stream is a row of chunks, each with the ``delta`` of one message; which members a delta has is every vendor's own
affair. The reason to finish comes before the usage, which may come with it, in a chunk without choices, or in a
second chunk with the same reason; so the turn is over at ``[DONE]`` or, where nobody says that, at the last byte.

    a finish reason, then [DONE] or the end      →  TurnFinished
    [DONE] with text or nothing, but no reason   →  raises ProviderProtocolError
    the end without a reason                     →  raises ProviderProtocolError
    an error, wherever it stands                 →  raises; see failure.py
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from keyway.chat import Json
from keyway.errors import KeywayError, ProviderProtocolError
from keyway.events import Event, FinishReason, TextDelta, ThinkingDelta, TurnFinished, Usage
from keyway.wire.body import BodyDecoder
from keyway.wire.failure import failure_for
from keyway.wire.openai_chat.calls import Calls, fragments
from keyway.wire.openai_chat.content import pieces, thought_in
from keyway.wire.openai_chat.dialect import Dialect
from keyway.wire.openai_chat.failure import error_words, failure_inside
from keyway.wire.openai_chat.fields import NOTHING, member, text
from keyway.wire.openai_chat.prose import Fence, ThinkTags
from keyway.wire.openai_chat.replay import Kept
from keyway.wire.openai_chat.usage import usage_of

_NO_EVENTS: tuple[Event, ...] = ()

_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",  # Together
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",  # Mistral
    "content_filter": "content_filter",
    "insufficient_system_resource": "error",  # DeepSeek
    "abort": "error",  # vLLM
    "error": "error",
}
"""What finish reasons mean; one that nobody knows is an ordinary stop."""


def decoder(dialect: Dialect, *, provider: str, structured: bool = False) -> BodyDecoder:
    """A decoder for one successful answer. See ``Wire.decoder``.

    Args:
        structured: A schema was asked for, which makes some hosts put a fence around the answer.
    """
    return BodyDecoder(ChatTurn(dialect, provider, structured=structured), provider=provider)


class ChatTurn:
    """What the frames of one answer mean. See ``Turn`` in ``wire/body.py``."""

    def __init__(self, dialect: Dialect, provider: str, *, structured: bool) -> None:
        self.usage: Usage | None = None
        self._dialect = dialect
        self._provider = provider
        self._finished = False
        self._reason: str | None = None
        self._blank_reason = False  # whether the last choice gave "" as its reason, as older Ollama ends its stream
        self._refused = False
        self._spoke = False
        self._id: str | None = None
        self._created: object = None
        self._reasoning_fields = dialect.reasoning_fields
        self._tags = ThinkTags() if dialect.think_tags else None
        fenced = dialect.fences == "stripped" or (structured and dialect.fences == "stripped_with_schema")
        self._fence = Fence() if fenced else None
        self._as_it_comes = self._tags is None and self._fence is None
        self._calls = Calls()
        self._kept = Kept(dialect.replayed) if dialect.replayed else None

    def frame(self, name: str, data: Json) -> Iterator[Event]:
        """One chunk of a stream."""
        if self._finished:
            return iter(_NO_EVENTS)
        self._note(data)
        choices = data.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if name == "error" or "error" in data or "x_groq" in data or not isinstance(choice, dict):
            self._raise_error(data, NOTHING if not isinstance(choice, dict) else choice, is_error=name == "error")
        if not isinstance(choice, dict):
            return iter(_NO_EVENTS)
        if "error" in choice:
            self._raise_error(data, choice)
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str):
            self._reason = reason
        self._blank_reason = reason == ""
        delta = choice.get("delta")
        if isinstance(delta, dict):
            return iter(self._said(delta))
        message = choice.get("message")
        if isinstance(message, dict) and not self._spoke and not self._calls.made:
            return iter(self._said(message, whole=True))  # a whole answer, sent as the one chunk of a stream
        return iter(_NO_EVENTS)

    def document(self, data: Json) -> Iterator[Event]:
        """The whole answer as one JSON object."""
        self._note(data)
        choices = data.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        choice = choice if isinstance(choice, dict) else NOTHING
        self._raise_error(data, choice, is_error=not choice and bool(error_words(data).message))
        if not choice:
            raise self._protocol_error("sent a JSON answer without choices")
        self._reason = text(choice, "finish_reason") or "stop"
        yield from self._said(member(choice, "message"), whole=True)
        yield from self._finish()

    def done(self) -> Iterator[Event]:
        """The stream said ``[DONE]``: enough for calls that are whole, but not for text, which may end anywhere."""
        if self._finished:
            return iter(_NO_EVENTS)
        if not self._has_reason and not self._calls.whole:
            raise self._protocol_error("ended its stream without saying why it stopped; the answer may be cut short")
        return iter(self._finish())

    def end(self) -> Iterator[Event]:
        """The stream's bytes ended."""
        if self._finished:
            return iter(_NO_EVENTS)
        if not self._has_reason:
            raise self._protocol_error("ended its stream before the answer was finished")
        return iter(self._finish())

    @property
    def _has_reason(self) -> bool:
        return self._reason is not None or (self._blank_reason and (self._spoke or self._calls.made))

    def _note(self, data: Json) -> None:
        """What may stand in any chunk: the answer's id and its usage, of which the last report counts."""
        if self._id is None:
            self._id = text(data, "id") or None
            self._created = data.get("created")
        reported = data.get("usage")
        if reported is None and "x_groq" in data:
            reported = member(data, "x_groq").get("usage")
        if isinstance(reported, dict):
            beside = self._dialect.reasoning_beside_output
            self.usage = usage_of(reported, reasoning_beside_output=beside) or self.usage

    def _said(self, message: Json, *, whole: bool = False) -> Iterable[Event]:
        """What a delta, or a whole message, says. The streaming path: most deltas hold one piece of text."""
        events: list[Event] = []
        for name in self._reasoning_fields:
            thought = message.get(name)
            if thought and (thought := thought_in(thought)):
                events.append(ThinkingDelta(thought))
                break
        content = message.get("content")
        if content:
            if isinstance(content, str):
                if self._as_it_comes:
                    self._spoke = True
                    events.append(TextDelta(content))
                else:
                    events += self._text(content)
            else:
                events += self._list(content)
        if "refusal" in message:
            events += self._refusal(message["refusal"])
        if "tool_calls" in message or "function_call" in message:
            events += self._called(message)
        if self._kept is not None:
            self._kept.take(message, whole=whole)
        return events

    def _refusal(self, refusal: object) -> Iterator[Event]:
        if refusal and isinstance(refusal, str):
            self._refused = True
            yield from self._text(refusal)

    def _called(self, message: Json) -> Iterator[Event]:
        answer = f"{self._id}:{self._created}"
        for place, fragment in enumerate(fragments(message.get("tool_calls"))):
            yield from self._calls.fragment(place, fragment, answer=answer)
        if function := member(message, "function_call"):  # before there were tools
            yield from self._calls.fragment(0, {"index": 0, "function": function}, answer=answer)

    def _list(self, content: object) -> Iterator[Event]:
        for piece in pieces(content):
            if piece.kind == "thinking":
                yield ThinkingDelta(piece.text)
            else:
                self._refused = self._refused or piece.kind == "refusal"
                yield from self._text(piece.text)

    def _text(self, said: str) -> Iterator[Event]:
        self._spoke = True
        thought = ""
        if self._tags is not None:
            thought, said = self._tags.feed(said)
        if thought:
            yield ThinkingDelta(thought)
        if self._fence is not None and said:
            said = self._fence.feed(said)
        if said:
            yield TextDelta(said)

    def _held_back(self) -> Iterator[Event]:
        thought, said = self._tags.end() if self._tags is not None else ("", "")
        if self._fence is not None:
            said = self._fence.feed(said) + self._fence.end()
        if thought:
            yield ThinkingDelta(thought)
        if said:
            yield TextDelta(said)

    def _finish(self) -> list[Event]:
        """The end of the turn: what was held back, the calls, then the one ``TurnFinished``."""
        self._finished = True
        if self._reason == "error":
            raise failure_for(500, "the answer was broken off by an error", provider=self._provider, code="error")
        if self._calls.nameless:
            raise self._protocol_error("called a tool without naming it")
        meant = _REASONS.get(self._reason or "stop", "stop")
        events = [*self._held_back(), *self._calls.end(cut=meant not in ("stop", "tool_calls"))]
        events.append(
            TurnFinished(
                finish_reason=self._finish_reason(meant),
                usage=self.usage,
                response_id=self._id,
                extras=self._kept.extras() if self._kept is not None else {},
            )
        )
        return events

    def _finish_reason(self, meant: FinishReason) -> FinishReason:
        """What was done decides over what was said of it: some stop with calls, some "call tools" without any."""
        if meant not in ("stop", "tool_calls"):
            return meant
        if self._calls.made:
            return "tool_calls"
        return "content_filter" if self._refused else "stop"

    def _raise_error(self, data: Json, choice: Json, *, is_error: bool = False) -> None:
        """Raises the error that a chunk or a document holds, if it holds one."""
        unanswered = not choice and (data.get("detail") or data.get("status_code"))
        if is_error or unanswered or data.get("error") or data.get("object") == "error":
            raise failure_inside(data, provider=self._provider)
        for place in (choice, member(data, "x_groq")):
            if place.get("error"):
                raise failure_inside(place, provider=self._provider)

    def _protocol_error(self, what: str) -> KeywayError:
        return ProviderProtocolError(f"{self._provider} {what}.", provider=self._provider)
