"""Reasoning blocks: kept from an answer as ``providerExtras``, and put back where they stood.

The API wants the reasoning before a tool call back unmodified, in its own order (Anthropic's documentation,
"Extended thinking", "Preserving thinking blocks"). A newer model also reasons between two pieces of text or
two calls, so the place counts as well. We keep the reasoning blocks, and between them only how much text or how
many calls came first; text and calls themselves come back in the message. The usual answer, which thinks
once and then speaks, keeps nothing but that one block.

    {"anthropic_messages": [{"type": "thinking", …}, {"type": "text", "length": 57}, {"type": "thinking", …}]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from keyway.errors import InvalidRequest
from keyway.wire.anthropic_messages.blocks import Block, Reasoning, ToolUseBlock, text_blocks

KEY = "anthropic_messages"


class Layout:
    """Notes the order of an answer's blocks while it is decoded."""

    def __init__(self) -> None:
        self._entries: list[Mapping[str, object]] = []
        self._kept = 0
        self._text = 0

    def text(self, length: int) -> None:
        """Text of that many characters was emitted."""
        self._text += length

    def tool_use(self) -> None:
        """A tool call was emitted."""
        self._flush_text()
        self._entries.append({"type": "tool_use"})

    def reasoning(self, block: Reasoning) -> None:
        """A reasoning block is whole."""
        self._flush_text()
        self._entries.append(cast("Mapping[str, object]", block))
        self._kept = len(self._entries)  # what follows the last reasoning block needs no note

    def extras(self) -> Mapping[str, object]:
        """What ``TurnFinished.extras`` carries; empty without reasoning."""
        return {KEY: self._entries[: self._kept]} if self._kept else {}

    def _flush_text(self) -> None:
        if self._text:
            self._entries.append({"type": "text", "length": self._text})
            self._text = 0


def replayed(extras: Mapping[str, object], text: str, calls: Sequence[ToolUseBlock], *, where: str) -> list[Block]:
    """An assistant's blocks: its reasoning back in place among ``text`` and ``calls``.

    The caller may have shortened the text or dropped a call; the notes then simply run out.

    Raises:
        InvalidRequest: ``extras`` are this wire's, but not as it wrote them. Names ``where``.
    """
    blocks: list[Block] = []
    said = called = 0
    for entry in _entries(extras, where):
        match entry:
            case {"type": "text", "length": int(length)} if length >= 0:
                blocks += text_blocks(text[said : said + length])
                said += length
            case {"type": "tool_use"}:
                blocks += calls[called : called + 1]
                called += 1
            case {"type": "thinking", "thinking": str(thinking), "signature": str(signature)}:
                blocks.append({"type": "thinking", "thinking": thinking, "signature": signature})
            case {"type": "redacted_thinking", "data": str(data)}:
                blocks.append({"type": "redacted_thinking", "data": data})
            case _:
                raise _not_ours(where)
    return [*blocks, *text_blocks(text[said:]), *calls[called:]]


def _entries(extras: Mapping[str, object], where: str) -> list[object]:
    entries = extras.get(KEY, [])
    if not isinstance(entries, list):
        raise _not_ours(where)
    return entries


def _not_ours(where: str) -> InvalidRequest:
    return InvalidRequest(
        f"{where}.providerExtras.{KEY}: is not what an answer carried. Hand it back unchanged, or leave it out."
    )
