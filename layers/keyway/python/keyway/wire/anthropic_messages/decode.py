"""An answer of the Messages API, streamed or whole, as events.

A stream is ``message_start``, then for each content block a start, deltas and a stop, then one ``message_delta``
or more with the stop reason and the totals, then ``message_stop``. Only ``type`` inside the data counts, not the SSE
event's name. Events, blocks and deltas of other types are passed over: the API adds some from time to time, and
tools that it runs itself are never offered by us.

Token counts are ``usage.py``, errors in the middle of a stream ``failure.py``, kept reasoning ``replay.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from keyway import strict_json
from keyway.chat import Json
from keyway.errors import ProviderProtocolError
from keyway.events import (
    Event,
    FinishReason,
    TextDelta,
    ThinkingDelta,
    ToolCallStarted,
    TurnFinished,
    Usage,
)
from keyway.wire.anthropic_messages.dialect import Dialect
from keyway.wire.anthropic_messages.failure import failure_in_band
from keyway.wire.anthropic_messages.replay import Layout
from keyway.wire.anthropic_messages.usage import Counts
from keyway.wire.body import BodyDecoder
from keyway.wire.open_call import OpenCall

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    # The API's own tools used up their rounds. We offer none, but a host may: the answer is not whole.
    "pause_turn": "length",
}


def decoder(dialect: Dialect, *, provider: str, structured: bool = False) -> BodyDecoder:  # noqa: ARG001 - of no use here
    """See ``Wire.decoder``."""
    return BodyDecoder(AnthropicTurn(provider), provider=provider)


@dataclass(slots=True)
class _OpenThinking:
    """A reasoning block, kept for replay once its signature is there."""

    thinking: list[str]
    signature: list[str]


class AnthropicTurn:
    """What the frames of one answer mean. See ``body.Turn``."""

    def __init__(self, provider: str) -> None:
        self.usage: Usage | None = None
        self._provider = provider
        self._counts = Counts()
        self._layout = Layout()
        self._open: dict[object, OpenCall | _OpenThinking] = {}
        self._written: OpenCall | None = None
        """The last call, whole but held back: only what follows tells whether generation was cut off in it."""
        self._called = False
        self._response_id: str | None = None
        self._stop_reason: str | None = None
        self._finished = False

    def frame(self, name: str, data: Json) -> Iterator[Event]:  # noqa: ARG002
        """See ``body.Turn.frame``."""
        kind = data.get("type")
        on = self._EVENTS.get(kind) if isinstance(kind, str) else None
        if on is None and data.get("error"):
            on = self._EVENTS["error"]  # a proxy's own error, in a shape of its own
        return iter(()) if on is None or self._finished else iter(on(self, data))

    def document(self, data: Json) -> Iterator[Event]:
        """See ``body.Turn.document``."""
        if data.get("type") == "error" or data.get("error"):
            raise failure_in_band(data, provider=self._provider)
        content = data.get("content")
        if not isinstance(content, list):
            raise self._broken("sent an answer without content")
        self._begin(data)
        for index, block in enumerate(content):
            yield from self._block_start({"index": index, "content_block": block})
            yield from self._block_stop({"index": index})
        self._take_stop_reason(data)
        yield from self.end()

    def done(self) -> Iterator[Event]:
        """See ``body.Turn.done``. Not part of this protocol; a proxy that adds it says nothing by it."""
        return iter(())

    def end(self) -> Iterator[Event]:
        """See ``body.Turn.end``."""
        if not self._finished:
            if self._stop_reason is None:
                raise self._broken("ended its answer before it was whole: no stop reason and no message_stop came")
            yield from self._finish()

    def _message_start(self, data: Json) -> Iterable[Event]:
        message = data.get("message")
        if isinstance(message, dict):
            self._begin(message)
        return ()

    def _begin(self, message: Json) -> None:
        response_id = message.get("id")
        self._response_id = response_id if isinstance(response_id, str) else None
        self.usage = self._counts.update(message.get("usage"))

    def _block_start(self, data: Json) -> Iterable[Event]:
        block = data.get("content_block")
        if not isinstance(block, dict):
            return ()
        events = [*self._block_stop(data), *self._release()]  # a stop that never came is made up for
        match block:
            case {"type": "text"}:
                events += self._text(block)
            case {"type": "thinking"}:
                self._open[_index(data)] = _OpenThinking([], [])
                events += self._thinking(block, data)
                self._signature(block, data)
            case {"type": "redacted_thinking", "data": str(hidden)}:
                self._layout.reasoning({"type": "redacted_thinking", "data": hidden})
            case {"type": "tool_use", "id": str(call_id), "name": str(name)} if call_id and name:
                given = block.get("input", {})
                self._open[_index(data)] = (
                    OpenCall(call_id, name, given)
                    if isinstance(given, dict)
                    else OpenCall(call_id, name, {}, [strict_json.shown(given)])
                )
                self._called = True
                events.append(ToolCallStarted(call_id, name))
            case {"type": "tool_use"}:
                raise self._broken("sent a tool call without an id or a name")
        return events

    def _block_delta(self, data: Json) -> Iterable[Event]:
        delta = data.get("delta")
        kind = delta.get("type") if isinstance(delta, dict) else None
        on = self._DELTAS.get(kind) if isinstance(kind, str) else None
        return on(self, delta, data) if on is not None and isinstance(delta, dict) else ()

    def _text(self, delta: Json, _data: Json | None = None) -> Iterable[Event]:
        text = delta.get("text")
        if not isinstance(text, str) or not text:
            return ()
        self._layout.text(len(text))
        return (TextDelta(text),)

    def _thinking(self, delta: Json, data: Json) -> Iterable[Event]:
        text = delta.get("thinking")
        if not isinstance(text, str) or not text:
            return ()
        block = self._open.get(_index(data))
        if isinstance(block, _OpenThinking):
            block.thinking.append(text)
        return (ThinkingDelta(text),)

    def _signature(self, delta: Json, data: Json) -> Iterable[Event]:
        signature = delta.get("signature")
        block = self._open.get(_index(data))
        if isinstance(signature, str) and isinstance(block, _OpenThinking):
            block.signature.append(signature)
        return ()

    def _arguments(self, delta: Json, data: Json) -> Iterable[Event]:
        piece = delta.get("partial_json")
        block = self._open.get(_index(data))
        if isinstance(piece, str) and isinstance(block, OpenCall):
            block.pieces.append(piece)
        return ()

    def _block_stop(self, data: Json) -> Iterable[Event]:
        block = self._open.pop(_index(data), None)
        if isinstance(block, OpenCall):
            events = self._release()
            self._written = block
            return events
        if isinstance(block, _OpenThinking) and (signature := "".join(block.signature)):
            thinking = "".join(block.thinking)
            self._layout.reasoning({"type": "thinking", "thinking": thinking, "signature": signature})
        return ()

    def _message_delta(self, data: Json) -> Iterable[Event]:
        self.usage = self._counts.update(data.get("usage"))
        delta = data.get("delta")
        if isinstance(delta, dict):
            self._take_stop_reason(delta)
        return ()

    def _take_stop_reason(self, holder: Json) -> None:
        reason = holder.get("stop_reason")
        if isinstance(reason, str) and reason:
            self._stop_reason = reason

    def _error(self, data: Json) -> Iterable[Event]:
        raise failure_in_band(data, provider=self._provider)

    def _release(self, *, cut: bool = False) -> Iterable[Event]:
        """The call that was held back, if any."""
        if self._written is None:
            return ()
        call = self._written.finished(cut=cut)
        self._written = None
        self._layout.tool_use()
        return (call,)

    def _finish(self, _data: Json | None = None) -> Iterator[Event]:
        reason = _FINISH.get(self._stop_reason or "end_turn", "stop")
        cut = reason in ("length", "content_filter")
        unstopped = [index for index, block in self._open.items() if isinstance(block, OpenCall)]
        for index in unstopped:
            yield from self._block_stop({"index": index})
        yield from self._release(cut=cut or bool(unstopped))
        if not cut:
            # A call counts more than the word for it, and the word means nothing without a call.
            reason = "tool_calls" if self._called else "stop"
        self._finished = True
        yield TurnFinished(reason, self.usage, self._response_id, self._layout.extras())

    def _broken(self, what: str) -> ProviderProtocolError:
        return ProviderProtocolError(f"{self._provider} {what}.", provider=self._provider)

    _EVENTS: ClassVar[Mapping[str, Callable[[AnthropicTurn, Json], Iterable[Event]]]] = {
        "message_start": _message_start,
        "content_block_start": _block_start,
        "content_block_delta": _block_delta,
        "content_block_stop": _block_stop,
        "message_delta": _message_delta,
        "message_stop": _finish,
        "error": _error,
    }
    _DELTAS: ClassVar[Mapping[str, Callable[[AnthropicTurn, Json, Json], Iterable[Event]]]] = {
        "text_delta": _text,
        "thinking_delta": _thinking,
        "signature_delta": _signature,
        "input_json_delta": _arguments,
    }


def _index(data: Json) -> object:
    index = data.get("index")
    return index if isinstance(index, int) else None
