"""The tool calls of an answer: opened when their item is added, whole when it is done.

The done item is trusted over the pieces. A call that is never done, in a stream that is, is handed back from the
pieces; one that the model was stopped in the middle of is handed back as malformed, so that nobody runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from keyway.chat import Json
from keyway.events import Event, ToolCall, ToolCallStarted
from keyway.wire.openai_responses.arguments import arguments
from keyway.wire.openai_responses.fields import text


@dataclass(slots=True)
class _OpenCall:
    id: str
    name: str
    pieces: list[str] = field(default_factory=list)


class Calls:
    """The calls of one answer. ``item`` is whatever places an item in its stream."""

    def __init__(self) -> None:
        self._open: dict[object, _OpenCall] = {}
        self._started: set[str] = set()
        self._done: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether the model called anything."""
        return bool(self._open or self._done)

    def added(self, item: object, call: Json) -> Iterator[Event]:
        """A call begins."""
        if item in self._open:
            return
        opened = self._open[item] = _OpenCall(_id(call, item), text(call, "name"))
        if opened.name and opened.id not in self._started:
            self._started.add(opened.id)  # some proxies tell of a call twice
            yield ToolCallStarted(opened.id, opened.name)

    def piece(self, item: object, piece: str) -> None:
        """A piece of the arguments. Pieces of an item that is no function call are nobody's."""
        if opened := self._open.get(item):
            opened.pieces.append(piece)

    def written(self, item: object, whole: str) -> None:
        """All of the arguments, in place of the pieces."""
        if opened := self._open.get(item):
            opened.pieces = [whole]

    def done(self, item: object, call: Json, *, cut: bool = False) -> Iterator[Event]:
        """A call is whole. ``cut``: the answer as a whole was stopped, and the item does not say that it was not."""
        opened = self._open.pop(item, None)
        call_id = opened.id if opened else _id(call, item)
        if call_id in self._done:
            return
        self._done.add(call_id)
        name = text(call, "name") or (opened.name if opened else "")
        if opened is None or not opened.name:
            yield ToolCallStarted(call_id, name)
        written = call.get("arguments")
        if not written and opened:
            written = "".join(opened.pieces)
        status = call.get("status")
        parsed = arguments(written, cut=status == "incomplete" or (cut and status != "completed"))
        yield ToolCall(call_id, name, *parsed)

    def in_terminal(self, position: int, call: Json, *, cut: bool) -> Iterator[Event]:
        """A call as the terminal response repeats it, where its position need not be that of the stream."""
        call_id = text(call, "call_id")
        same = (item for item, opened in self._open.items() if opened.id == call_id)
        return self.done(next(same, position), call, cut=cut)

    def left_open(self, *, cut: bool) -> Iterator[Event]:
        """The calls that nothing said were whole, once the answer is over."""
        for item in list(self._open):
            yield from self.done(item, {}, cut=cut)


def _id(call: Json, item: object) -> str:
    # Some hosts leave the id out; the caller needs one that can be answered.
    return text(call, "call_id") or text(call, "id") or f"call_{item}"
