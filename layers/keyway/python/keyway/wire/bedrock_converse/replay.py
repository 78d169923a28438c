"""Reasoning blocks: kept from an answer as ``providerExtras``, and put back where they stood.

A model that signs or encrypts its reasoning wants the reasoning before a tool call back unmodified, in its own order
(Amazon Bedrock user guide, "Extended thinking", "Preserving thinking blocks"). It may also reason between two pieces
of text or two calls, so the place counts as well. We keep the reasoning blocks as they came, and between them only how
much text or how many calls came first; text and calls themselves come back in the message. Reasoning that is neither
signed nor encrypted is not kept: models that write it do not want it back, and some refuse it.

    {"bedrock_converse": [{"reasoningContent": {…}}, {"text": 57}, {"toolUse": 1}, {"reasoningContent": {…}}]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keyway.errors import InvalidRequest
from keyway.wire.bedrock_converse.blocks import Block, RedactedReasoning, ShownReasoning, text_blocks

KEY = "bedrock_converse"


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
        self._entries.append({"toolUse": 1})

    def reasoning(self, reasoning: ShownReasoning | RedactedReasoning) -> None:
        """A reasoning block is whole."""
        self._flush_text()
        self._entries.append({"reasoningContent": reasoning})
        self._kept = len(self._entries)  # what follows the last reasoning block needs no note

    def extras(self) -> Mapping[str, object]:
        """What ``TurnFinished.extras`` carries; empty without reasoning."""
        return {KEY: self._entries[: self._kept]} if self._kept else {}

    def _flush_text(self) -> None:
        if self._text:
            self._entries.append({"text": self._text})
            self._text = 0


def replayed(extras: Mapping[str, object], text: str, calls: Sequence[Block], *, where: str) -> list[Block]:
    """An assistant's blocks: its reasoning back in place among ``text`` and ``calls``.

    The caller may have shortened the text or dropped a call; the notes then simply run out.

    Raises:
        InvalidRequest: ``extras`` are this wire's, but not as it wrote them. Names ``where``.
    """
    entries = extras.get(KEY, [])
    if not isinstance(entries, list):
        raise _not_ours(where)
    blocks: list[Block] = []
    said = called = 0
    for entry in entries:
        match entry:
            case {"text": int(length)} if length >= 0:
                blocks += text_blocks(text[said : said + length])
                said += length
            case {"toolUse": int(number)} if number >= 0:
                blocks += calls[called : called + number]
                called += number
            case {"reasoningContent": {"reasoningText": {"text": str(thought), "signature": str(signature)}}}:
                shown: ShownReasoning = {"reasoningText": {"text": thought, "signature": signature}}
                blocks.append({"reasoningContent": shown})
            case {"reasoningContent": {"redactedContent": str(hidden)}}:
                blocks.append({"reasoningContent": {"redactedContent": hidden}})
            case _:
                raise _not_ours(where)
    return [*blocks, *text_blocks(text[said:]), *calls[called:]]


def _not_ours(where: str) -> InvalidRequest:
    return InvalidRequest(
        f"{where}.providerExtras.{KEY}: is not what an answer carried. Hand it back unchanged, or leave it out."
    )
