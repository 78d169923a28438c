"""Content that is a list of chunks instead of a text, and reasoning in whatever form it comes.

Mistral answers in chunks as soon as it reasons (``thinking`` chunks hold text chunks in turn; its API reference, "Chat
completion"); some builds of vLLM do so for plain text. Chunks that hold nothing to read (references, pictures) are
passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["text", "thinking", "refusal"]


class Piece(NamedTuple):
    """A piece of an answer's content."""

    kind: Kind
    text: str


def pieces(content: object) -> Iterator[Piece]:
    """The pieces of a list of chunks; of one chunk that stands there alone, its own."""
    for chunk in content if isinstance(content, list) else [content]:
        if isinstance(chunk, str) and chunk:
            yield Piece("text", chunk)
        if not isinstance(chunk, dict):
            continue
        match chunk.get("type"):
            case "thinking" if thought := thought_in(chunk.get("thinking")):
                yield Piece("thinking", thought)
            case "refusal" if isinstance(refusal := chunk.get("refusal"), str) and refusal:
                yield Piece("refusal", refusal)
            case "text" | "output_text" if isinstance(text := chunk.get("text"), str) and text:
                yield Piece("text", text)
            case _:
                pass


def thought_in(reasoning: object) -> str:
    """The text of visible reasoning: a text, or the texts and summaries in a list of blocks."""
    if isinstance(reasoning, str):
        return reasoning
    if not isinstance(reasoning, list):
        return ""
    return "".join(_block(block) for block in reasoning)


def _block(block: object) -> str:
    if not isinstance(block, dict):
        return block if isinstance(block, str) else ""
    said = block.get("text") or block.get("summary") or block.get("thinking")
    return said if isinstance(said, str) else ""
