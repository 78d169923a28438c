"""Reasoning that a vendor wants back: kept from an answer as ``providerExtras``, and put on its message again.

The dialect names the fields (``Dialect.replayed``). They are handed back as they came, except that the pieces of
a stream are put together first: OpenRouter refuses a signed block in pieces ("Invalid signature in thinking
block"). A field that the conversation's present vendor does not know is left out.

    {"openai_chat": {"reasoning_content": "…"}}        {"openai_chat": {"reasoning_details": [{…}, {…}]}}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keyway.chat import Json
from keyway.errors import InvalidRequest

KEY = "openai_chat"

_GROWING = ("text", "summary", "thinking")
"""Members of a block that arrive in pieces; of every other member the last word counts."""


class Kept:
    """Collects the fields of one answer that have to come back."""

    def __init__(self, names: Sequence[str]) -> None:
        self._texts: dict[str, list[str]] = {name: [] for name in names}
        self._blocks: dict[str, list[_Block]] = {name: [] for name in names}

    def take(self, message: Json, *, whole: bool) -> None:
        """Takes what ``message`` holds: a delta, or (``whole``) all of the answer."""
        for name, texts in self._texts.items():
            value = message.get(name)
            if not value:
                continue
            if isinstance(value, str):
                texts.append(value)
            elif isinstance(value, list):
                self._take_blocks(self._blocks[name], value, whole=whole)

    def extras(self) -> Json:
        """What ``TurnFinished.extras`` carries; empty when nothing is to come back."""
        kept: dict[str, object] = {}
        for name, texts in self._texts.items():
            if blocks := self._blocks[name]:
                kept[name] = [block.joined() for block in blocks]
            elif texts:
                kept[name] = "".join(texts)
        return {KEY: kept} if kept else {}

    def _take_blocks(self, blocks: list[_Block], pieces: Sequence[object], *, whole: bool) -> None:
        for piece in pieces:
            if not isinstance(piece, dict):
                continue
            block = None if whole else next((b for b in reversed(blocks) if b.goes_on_with(piece)), None)
            if block is None:
                block = _Block()
                blocks.append(block)
            block.take(piece)


class _Block:
    """One reasoning block. Pieces with one ``index`` and ``type`` are one block; without an index, neighbours are."""

    def __init__(self) -> None:
        self._fields: dict[str, object] = {}
        self._pieces: dict[str, list[str]] = {}
        self._closed = False

    def goes_on_with(self, piece: Json) -> bool:
        mine, theirs = self._fields.get("index"), piece.get("index")
        if self._fields.get("type") != piece.get("type") or mine != theirs:
            return False
        return theirs is not None or not self._closed

    def take(self, piece: Json) -> None:
        for name, value in piece.items():
            if name in _GROWING and isinstance(value, str):
                self._pieces.setdefault(name, []).append(value)
                self._fields.setdefault(name, "")
            elif value or name not in self._fields:
                self._fields[name] = value
        self._closed = self._closed or bool(piece.get("signature") or piece.get("data"))

    def joined(self) -> Json:
        return self._fields | {name: "".join(pieces) for name, pieces in self._pieces.items()}


def replayed(extras: Mapping[str, object], names: Sequence[str], *, where: str) -> Json:
    """The fields among ``names`` that ``extras`` carries, for the message at ``where``.

    Raises:
        InvalidRequest: ``extras`` are this wire's, but not as it wrote them. Names ``where``.
    """
    kept = extras.get(KEY, {})
    if not isinstance(kept, dict):
        raise _not_ours(where)
    found = {name: kept[name] for name in names if name in kept}
    for value in found.values():
        is_blocks = isinstance(value, list) and all(isinstance(block, dict) for block in value)
        if not isinstance(value, str) and not is_blocks:
            raise _not_ours(where)
    return found


def _not_ours(where: str) -> InvalidRequest:
    return InvalidRequest(
        f"{where}.providerExtras.{KEY}: is not what an answer carried. Hand it back unchanged, or leave it out."
    )
