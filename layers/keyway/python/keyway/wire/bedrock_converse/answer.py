"""What the parts of one answer mean, streamed or whole.

A stream is ``messageStart``, then for each content block an optional start (tools have one, text has none), deltas and
a stop, then ``messageStop`` with the reason, and at last ``metadata`` with the token counts. Events, blocks and deltas
of other kinds are passed over: the API adds some from time to time, and tools that it runs itself are never offered
by us.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

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
from keyway.wire.bedrock_converse.failure import failure_in_band
from keyway.wire.bedrock_converse.replay import Layout
from keyway.wire.bedrock_converse.usage import usage_of
from keyway.wire.open_call import OpenCall

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}


@dataclass(slots=True)
class _OpenReasoning:
    """A reasoning block that is still being written."""

    text: list[str] = field(default_factory=list)
    signature: list[str] = field(default_factory=list)
    redacted: list[str] = field(default_factory=list)


class Answer:
    """One answer. Feed it the events of a stream through ``EVENTS``, or one ``document``."""

    def __init__(self, provider: str) -> None:
        self.usage: Usage | None = None
        self._finished = False
        self._provider = provider
        self._layout = Layout()
        self._open: dict[object, OpenCall | _OpenReasoning] = {}
        self._written: OpenCall | None = None
        """The last call, whole but held back: only what follows tells whether generation was cut off in it."""
        self._called = False
        self._stop_reason: str | None = None

    def is_finished(self) -> bool:
        """Whether the terminal event has been emitted. What comes after it is of no interest."""
        return self._finished

    def document(self, data: Json) -> Iterator[Event]:
        """The whole answer as one JSON object. Emits the terminal event too."""
        self.usage = usage_of(data.get("usage"))
        match data:
            case {"output": {"message": {"content": list(content)}}, "stopReason": str()}:
                for index, block in enumerate(content):
                    if isinstance(block, dict):
                        yield from self._block(index, block)
                self._take_stop_reason(data)
                yield from self.end()
            case {"__type": _} | {"message": str()} | {"Message": str()}:
                raise failure_in_band(data.get("__type"), data, provider=self._provider)
            case _:
                raise self._broken("sent a JSON answer without a message or without a stop reason")

    def end(self) -> Iterator[Event]:
        """The stream's bytes ended.

        Raises:
            ProviderProtocolError: The stream did not say why the model stopped.
        """
        if self._finished:
            return
        if self._stop_reason is None:
            raise self._broken("ended its answer before it was whole: no messageStop came")
        yield from self._finish(self._stop_reason)

    def _block(self, index: int, block: Json) -> Iterator[Event]:
        """A block of a whole answer."""
        place = {"contentBlockIndex": index}
        match block:
            case {"toolUse": _}:
                yield from self._block_start({**place, "start": block})
            case {"reasoningContent": {"reasoningText": dict(reasoning)}}:
                for name in ("text", "signature"):
                    piece = {"reasoningContent": {name: reasoning.get(name)}}
                    yield from self._block_delta({**place, "delta": piece})
            case {"citationsContent": {"content": list(parts)}}:
                for part in parts:
                    yield from self._block_delta({**place, "delta": part})
            case _:
                yield from self._block_delta({**place, "delta": block})
        yield from self._block_stop(place)

    def _block_start(self, data: Json) -> Iterable[Event]:
        events: list[Event] = [*self._release()]
        match data.get("start"):
            case {"toolUse": {"type": "server_tool_use"}}:
                pass
            case {"toolUse": {"toolUseId": str(call_id), "name": str(name), **rest}} if call_id and name:
                given = rest.get("input")
                self._open[_index(data)] = OpenCall(call_id, name, given if isinstance(given, dict) else {})
                self._called = True
                events.append(ToolCallStarted(call_id, name))
            case {"toolUse": _}:
                raise self._broken("sent a tool call without an id or a name")
        return events

    def _block_delta(self, data: Json) -> Iterable[Event]:
        events: list[Event] = [*self._release()]
        match data.get("delta"):
            case {"text": str(text)} if text:
                self._layout.text(len(text))
                events.append(TextDelta(text))
            case {"toolUse": {"input": piece}}:
                self._arguments(_index(data), piece)
            case {"reasoningContent": dict(reasoning)}:
                events += self._reasoning(_index(data), reasoning)
        return events

    def _arguments(self, index: object, piece: object) -> None:
        call = self._open.get(index)
        if not isinstance(call, OpenCall):
            return  # of a tool that the API runs itself
        if isinstance(piece, str):
            call.pieces.append(piece)
        elif isinstance(piece, dict):
            call.given = piece

    def _reasoning(self, index: object, delta: Json) -> Sequence[Event]:
        block = self._open.get(index)
        if not isinstance(block, _OpenReasoning):
            block = self._open[index] = _OpenReasoning()
        match delta:
            case {"text": str(text)} if text:
                block.text.append(text)
                return (ThinkingDelta(text),)
            case {"signature": str(signature)}:
                block.signature.append(signature)
            case {"redactedContent": str(redacted)}:
                block.redacted.append(redacted)
        return ()

    def _block_stop(self, data: Json) -> Iterable[Event]:
        block = self._open.pop(_index(data), None)
        if isinstance(block, OpenCall):
            events = [*self._release()]
            self._written = block
            return events
        if isinstance(block, _OpenReasoning):
            if block.redacted:
                self._layout.reasoning({"redactedContent": _joined(block.redacted)})
            elif signature := "".join(block.signature):
                self._layout.reasoning({"reasoningText": {"text": "".join(block.text), "signature": signature}})
        return ()

    def _message_stop(self, data: Json) -> Iterable[Event]:
        self._take_stop_reason(data)
        if self._stop_reason is None:
            raise self._broken("sent a messageStop without a stop reason")
        return self._finish(self._stop_reason) if self.usage else ()

    def _metadata(self, data: Json) -> Iterable[Event]:
        self.usage = usage_of(data.get("usage")) or self.usage
        # Nothing of interest follows, so the caller need not wait for the connection to close.
        return self._finish(self._stop_reason) if self.usage and self._stop_reason else ()

    def _take_stop_reason(self, data: Json) -> None:
        reason = data.get("stopReason")
        if isinstance(reason, str):
            self._stop_reason = reason

    def _release(self, *, cut: bool = False) -> Iterator[Event]:
        """The call that was held back, if any."""
        if self._written is not None:
            call, self._written = self._written.finished(cut=cut), None
            self._layout.tool_use()
            yield call

    def _finish(self, stop_reason: str) -> Iterator[Event]:
        reason = _FINISH.get(stop_reason, "stop")
        cut = reason not in ("stop", "tool_calls")
        unstopped = list(self._open)
        for index in unstopped:
            yield from self._block_stop({"contentBlockIndex": index})
        yield from self._release(cut=cut or bool(unstopped))
        if not cut:
            # A call counts more than the word for it, and the word means nothing without a call.
            reason = "tool_calls" if self._called else "stop"
        self._finished = True
        yield TurnFinished(reason, self.usage, extras=self._layout.extras())

    def _broken(self, what: str) -> ProviderProtocolError:
        return ProviderProtocolError(f"{self._provider} {what}.", provider=self._provider)

    EVENTS: ClassVar[Mapping[str, Callable[[Answer, Json], Iterable[Event]]]] = {
        "contentBlockStart": _block_start,
        "contentBlockDelta": _block_delta,
        "contentBlockStop": _block_stop,
        "messageStop": _message_stop,
        "metadata": _metadata,
    }
    """What each event of a stream does; those without a place here do nothing."""


def _index(data: Json) -> object:
    index = data.get("contentBlockIndex")
    return index if isinstance(index, int) else None


def _joined(pieces: Sequence[str]) -> str:
    """Pieces of base64 as one; each has its own padding, so they cannot just stand side by side."""
    if len(pieces) == 1:
        return pieces[0]
    try:
        return base64.b64encode(b"".join(base64.b64decode(piece, validate=True) for piece in pieces)).decode()
    except (binascii.Error, ValueError):
        return "".join(pieces)
