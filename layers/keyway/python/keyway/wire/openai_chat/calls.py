"""The tool calls of an answer, put together from fragments that no two vendors cut alike.

    OpenAI            an index on every fragment; id and name only on the first
    Ollama            whole calls, all of them at index 0, told apart by their ids
    older Ollama      whole calls without index or id
    Mistral           whole calls; the id may be the text "null", the arguments an object

A fragment belongs to the call of its index, else to the call of its id, else to the last one. It begins a new call when
it brings another id, or a name where the call so far is already whole. A call is handed out when the answer ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2s

from keyway import strict_json
from keyway.chat import Json
from keyway.events import Event, ToolCall, ToolCallStarted
from keyway.wire.openai_chat.arguments import arguments, is_whole
from keyway.wire.openai_chat.fields import member, members, text

_NO_ID = ("", "null", "None")


@dataclass(slots=True)
class _Call:
    """One call so far. ``id`` is what we hand out, ``given`` what the vendor named it."""

    id: str
    given: str
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    started: bool = False

    @property
    def written(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class _Place:
    """What tells which call a fragment is of: its index and id, where it has them, and its position in the delta."""

    index: int | None
    id: str
    position: int


class Calls:
    """The calls of one answer."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._ids: set[str] = set()
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    @property
    def made(self) -> bool:
        """Whether the model called anything."""
        return bool(self._calls)

    def fragment(self, place: int, fragment: Json, *, answer: str) -> Iterator[Event]:
        """A fragment of a call, the ``place``-th of its delta.

        Args:
            answer: What sets this answer apart from others. Ids that the vendor left out are made of it, so that they
                are the same on every reading, and do not return in the next round of the conversation.
        """
        function = member(fragment, "function")
        given = text(fragment, "id")
        given = "" if given in _NO_ID else given
        name = text(function, "name")
        written = function.get("arguments")
        if isinstance(written, dict):
            written = strict_json.shown(written)
        piece = written if isinstance(written, str) else ""
        index = fragment.get("index")
        at = _Place(index if type(index) is int else None, given, place)
        call = self._at(at, name)
        if call is None or not _continues(call, at, name, piece):
            if not given and not name and not piece:
                return
            call = self._open(at, answer)
        if name and name != call.name and not call.pieces:
            call.name += name  # a name in two fragments, or its first
        if piece:
            call.pieces.append(piece)
        if call.pieces and not call.started and call.name:
            yield self._start(call)

    def end(self, *, cut: bool) -> Iterator[Event]:
        """All calls, whole. ``cut``: the answer was stopped, so the last one may be half-written."""
        for call in self._calls:
            if not call.started:
                yield self._start(call)
        for call in self._calls:
            parsed, malformed = arguments(call.written, cut=cut and call is self._calls[-1])
            yield ToolCall(call.id, call.name, parsed, malformed)

    @property
    def nameless(self) -> bool:
        """Whether a call was made of nothing anybody could answer."""
        return any(not call.name for call in self._calls)

    @property
    def whole(self) -> bool:
        """Whether there are calls, and none that breaks off."""
        return bool(self._calls) and all(not call.pieces or is_whole(call.written) for call in self._calls)

    def _start(self, call: _Call) -> Event:
        call.started = True
        return ToolCallStarted(call.id, call.name)

    def _at(self, at: _Place, name: str) -> _Call | None:
        """The call that was last at this place, if any."""
        if at.index is not None:
            return self._by_index.get(at.index)
        if at.id:
            return self._by_id.get(at.id)
        return self._calls[-1] if self._calls and (at.position == 0 or not name) else None

    def _open(self, at: _Place, answer: str) -> _Call:
        taken = not at.id or at.id in self._ids
        call = _Call(id=_made_up(answer, len(self._calls)) if taken else at.id, given=at.id)
        self._calls.append(call)
        self._ids.add(call.id)
        if at.index is not None:
            self._by_index[at.index] = call
        if at.id:
            self._by_id[at.id] = call
        return call


def _continues(call: _Call, at: _Place, name: str, piece: str) -> bool:
    """Whether a fragment found at the place of ``call`` belongs to it, rather than to the next call there."""
    if at.id and call.given and at.id != call.given:
        return False
    if at.id or not name:
        return True
    if at.index is None and name != call.name:
        return False  # hosts that leave both index and id out send whole calls
    # A name and no id: the next of several whole calls, unless the name is merely repeated.
    return not (call.pieces and (name != call.name or piece) and is_whole(call.written))


def fragments(value: object) -> Sequence[Json]:
    """The entries of ``tool_calls``; one call that stands there alone is its only entry."""
    return (value,) if isinstance(value, dict) else members(value)


def _made_up(answer: str, number: int) -> str:
    digest = blake2s(f"{answer}:{number}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"call_{digest}"
