"""The content blocks we send, as types. What each is made from is in ``turns.py``, ``files.py`` and ``replay.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NotRequired, TypeAlias, TypedDict


class Base64Source(TypedDict):
    type: Literal["base64"]
    media_type: str
    data: str


class TextSource(TypedDict):
    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


class UrlSource(TypedDict):
    type: Literal["url"]
    url: str


class TextBlock(TypedDict):
    type: Literal["text"]
    text: str


class ImageBlock(TypedDict):
    type: Literal["image"]
    source: Base64Source | UrlSource


class DocumentBlock(TypedDict):
    type: Literal["document"]
    source: Base64Source | TextSource | UrlSource
    title: NotRequired[str]


class ToolUseBlock(TypedDict):
    type: Literal["tool_use"]
    id: str
    name: str
    input: Mapping[str, object]


class ToolResultBlock(TypedDict):
    type: Literal["tool_result"]
    tool_use_id: str
    content: NotRequired[list[TextBlock | ImageBlock | DocumentBlock]]


class ThinkingBlock(TypedDict):
    """Visible reasoning. The signature proves that the text is the model's own; the API checks it."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinkingBlock(TypedDict):
    """Reasoning that only the provider can read."""

    type: Literal["redacted_thinking"]
    data: str


Attachment: TypeAlias = ImageBlock | DocumentBlock
Reasoning: TypeAlias = ThinkingBlock | RedactedThinkingBlock
Block: TypeAlias = TextBlock | ImageBlock | DocumentBlock | ToolUseBlock | ToolResultBlock | Reasoning

Role: TypeAlias = Literal["user", "assistant"]


class Turn(TypedDict):
    """One message on the wire. Roles alternate, and the first is the user's."""

    role: Role
    content: list[Block]


def text_blocks(text: str | None) -> list[TextBlock]:
    """One text block, or none: the API refuses a block of nothing but white space."""
    return [{"type": "text", "text": text}] if text and not text.isspace() else []
