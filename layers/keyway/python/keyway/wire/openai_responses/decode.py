"""Their answer as events, streamed or in one document.

A stream is a row of typed events, each a JSON object with its ``type``; those without a handler here (hosted
tools at work, annotations, audio, whatever comes next) mean nothing to us. Status and usage stand only in
the terminal event's ``response``, which repeats the whole answer; nothing after it is read.

    response.completed | response.incomplete   →  TurnFinished
    response.failed | error                    →  raises; see failure.py
    end of the bytes without any of them       →  raises ProviderProtocolError
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from keyway.chat import Json
from keyway.errors import ProviderProtocolError
from keyway.events import Event, FinishReason, TurnFinished, Usage
from keyway.wire.body import BodyDecoder
from keyway.wire.openai_responses.calls import Calls
from keyway.wire.openai_responses.dialect import Dialect
from keyway.wire.openai_responses.failure import failure_inside
from keyway.wire.openai_responses.fields import member, members, text
from keyway.wire.openai_responses.prose import Prose
from keyway.wire.openai_responses.replay import extras
from keyway.wire.openai_responses.usage import usage_of

_NO_EVENTS: tuple[Event, ...] = ()


def decoder(dialect: Dialect, *, provider: str, structured: bool = False) -> BodyDecoder:  # noqa: ARG001 - of no use here
    """A decoder for one successful answer. See ``Wire.decoder``. All hosts of this API answer alike."""
    return BodyDecoder(ResponseTurn(provider), provider=provider)


class ResponseTurn:
    """What the frames of one answer mean. See ``Turn`` in ``wire/body.py``."""

    def __init__(self, provider: str) -> None:
        self.usage: Usage | None = None
        self._provider = provider
        self._finished = False
        self._prose = Prose()
        self._calls = Calls()
        self._done_items: dict[object, Json] = {}

    def frame(self, name: str, data: Json) -> Iterator[Event]:
        """One event of a stream."""
        if self._finished:
            return iter(_NO_EVENTS)
        kind = data.get("type")
        if not isinstance(kind, str) or not kind:
            kind = name
        handle = self._HANDLERS.get(kind)
        if handle is not None:
            return iter(handle(self, data))
        if name == "error" or (not kind.startswith("response.") and _is_error(data)):
            raise failure_inside(data, provider=self._provider)
        return iter(_NO_EVENTS)

    def document(self, data: Json) -> Iterator[Event]:
        """The whole answer as one JSON object."""
        status = data.get("status")
        if status == "failed" or data.get("type") == "error" or _is_error(data):
            self.usage = usage_of(data)
            raise failure_inside(data, provider=self._provider)
        if not isinstance(data.get("output"), list):
            raise self._protocol_error("sent a JSON answer without output")
        if status not in ("completed", "incomplete", None):
            raise self._protocol_error(f"answered with a response that is {status!r}, not completed")
        return iter(self._finish(data, incomplete=status == "incomplete"))

    def done(self) -> Iterator[Event]:
        """``[DONE]`` is no part of this protocol; some proxies add it, and it ends nothing."""
        return iter(_NO_EVENTS)

    def end(self) -> Iterator[Event]:
        """The stream's bytes ended."""
        if not self._finished:
            raise self._protocol_error("ended its stream before the response was completed")
        return iter(_NO_EVENTS)

    def _text_delta(self, data: Json) -> Iterable[Event]:
        delta = data.get("delta")
        if not delta or not isinstance(delta, str):
            return _NO_EVENTS
        return self._prose.text_delta(_place(data), _part(data, "content_index"), delta)

    def _text_done(self, data: Json) -> Iterable[Event]:
        return self._prose.text_done(_place(data), _part(data, "content_index"), text(data, "text"))

    def _refusal_delta(self, data: Json) -> Iterable[Event]:
        self._prose.refused = True
        return self._text_delta(data)

    def _refusal_done(self, data: Json) -> Iterable[Event]:
        self._prose.refused = True
        return self._prose.text_done(_place(data), _part(data, "content_index"), text(data, "refusal"))

    def _summary_delta(self, data: Json) -> Iterable[Event]:
        delta = text(data, "delta")
        if not delta:
            return _NO_EVENTS
        return self._prose.thought_delta(_place(data), "summary", _part(data, "summary_index"), delta)

    def _thought_delta(self, data: Json) -> Iterable[Event]:
        delta = text(data, "delta")
        if not delta:
            return _NO_EVENTS
        return self._prose.thought_delta(_place(data), "content", _part(data, "content_index"), delta)

    def _arguments_delta(self, data: Json) -> Iterable[Event]:
        self._calls.piece(_place(data), text(data, "delta"))
        return _NO_EVENTS

    def _arguments_done(self, data: Json) -> Iterable[Event]:
        if written := text(data, "arguments"):
            self._calls.written(_place(data), written)
        return _NO_EVENTS

    def _item_added(self, data: Json) -> Iterable[Event]:
        item = member(data, "item")
        if item.get("type") == "function_call":
            return self._calls.added(_place(data, item), item)
        return _NO_EVENTS

    def _item_done(self, data: Json) -> Iterable[Event]:
        item = member(data, "item")
        place = _place(data, item)
        self._done_items[place] = item
        match item.get("type"):
            case "message":
                return self._prose.message_done(place, item)
            case "function_call":
                return self._calls.done(place, item)
            case "reasoning":
                return self._prose.reasoning_done(place, item)
            case _:
                return _NO_EVENTS

    def _completed(self, data: Json) -> Iterable[Event]:
        response = member(data, "response")
        if response.get("status") == "failed":
            return self._failed(data)
        return self._finish(response, incomplete=response.get("status") == "incomplete")

    def _incomplete(self, data: Json) -> Iterable[Event]:
        return self._finish(member(data, "response"), incomplete=True)

    def _failed(self, data: Json) -> Iterable[Event]:
        response = member(data, "response")
        self.usage = usage_of(response)
        raise failure_inside(response, provider=self._provider)

    def _error(self, data: Json) -> Iterable[Event]:
        # An error that came flat carries its own type ("error") at the top, which says nothing.
        said = data if data.get("error") else {**data, "type": ""}
        raise failure_inside(said, provider=self._provider)

    def _finish(self, response: Json, *, incomplete: bool) -> list[Event]:
        """The end of the turn: what the stream left out, then the one ``TurnFinished``."""
        self.usage = usage_of(response)
        output = members(response, "output")
        events = [*self._untold(output, cut=incomplete), *self._calls.left_open(cut=incomplete)]
        self._finished = True
        events.append(
            TurnFinished(
                finish_reason=self._finish_reason(response, incomplete=incomplete),
                usage=self.usage,
                response_id=text(response, "id") or None,
                extras=extras(output or list(self._done_items.values())),
            )
        )
        return events

    def _untold(self, output: Sequence[Json], *, cut: bool) -> Iterator[Event]:
        """What of the terminal response's items no event of the stream has told."""
        spoken, thought = self._prose.has_spoken, self._prose.has_thought
        for position, item in enumerate(output):
            match item.get("type"):
                case "message":
                    yield from self._prose.message_in_terminal(position, item, streamed=spoken)
                case "function_call":
                    yield from self._calls.in_terminal(position, item, cut=cut)
                case "reasoning" if not thought:
                    yield from self._prose.reasoning_done(position, item)
                case _:
                    pass

    def _finish_reason(self, response: Json, *, incomplete: bool) -> FinishReason:
        if incomplete:
            reason = member(response, "incomplete_details").get("reason")
            return "content_filter" if reason == "content_filter" else "length"
        if self._prose.refused:
            return "content_filter"
        return "tool_calls" if self._calls.any else "stop"

    def _protocol_error(self, what: str) -> ProviderProtocolError:
        return ProviderProtocolError(f"{self._provider} {what}", provider=self._provider)

    _HANDLERS: ClassVar[Mapping[str, Callable[[ResponseTurn, Json], Iterable[Event]]]] = {
        "response.output_text.delta": _text_delta,
        "response.output_text.done": _text_done,
        "response.refusal.delta": _refusal_delta,
        "response.refusal.done": _refusal_done,
        "response.reasoning_summary_text.delta": _summary_delta,
        "response.reasoning_text.delta": _thought_delta,
        "response.function_call_arguments.delta": _arguments_delta,
        "response.function_call_arguments.done": _arguments_done,
        "response.output_item.added": _item_added,
        "response.output_item.done": _item_done,
        "response.completed": _completed,
        "response.incomplete": _incomplete,
        "response.failed": _failed,
        "error": _error,
    }


def _place(data: Json, item: Json | None = None) -> object:
    """What tells an item from the others of its stream: its index, else its id."""
    index = data.get("output_index")
    if type(index) is int:
        return index
    return text(data, "item_id") if item is None else text(item, "id")


def _part(data: Json, name: str) -> int:
    index = data.get(name)
    return index if type(index) is int else 0


def _is_error(data: Json) -> bool:
    return bool(data.get("error")) or data.get("object") == "error"
