"""The content blocks we send, as types. What each is made from is in ``turns.py``, ``files.py`` and ``replay.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, TypedDict, final


@final
class S3Location(TypedDict):
    uri: str


@final
class BytesSource(TypedDict):
    bytes: str
    """In base64."""


@final
class S3Source(TypedDict):
    s3Location: S3Location


@final
class Media(TypedDict):
    """An image or a video."""

    format: str
    source: BytesSource | S3Source


@final
class Document(TypedDict):
    format: str
    name: str
    source: BytesSource | S3Source


@final
class TextBlock(TypedDict):
    text: str


@final
class ImageBlock(TypedDict):
    image: Media


@final
class VideoBlock(TypedDict):
    video: Media


@final
class DocumentBlock(TypedDict):
    document: Document


@final
class ToolUse(TypedDict):
    toolUseId: str
    name: str
    input: Mapping[str, object]


@final
class ToolUseBlock(TypedDict):
    toolUse: ToolUse


Attachment: TypeAlias = ImageBlock | VideoBlock | DocumentBlock


@final
class ToolResult(TypedDict):
    toolUseId: str
    content: list[TextBlock | Attachment]


@final
class ToolResultBlock(TypedDict):
    toolResult: ToolResult


@final
class ReasoningText(TypedDict):
    """Visible reasoning. The signature proves that the text is the model's own; the model's host checks it."""

    text: str
    signature: str


@final
class ShownReasoning(TypedDict):
    reasoningText: ReasoningText


@final
class RedactedReasoning(TypedDict):
    redactedContent: str
    """In base64; only the provider can read what it stands for."""


@final
class ReasoningBlock(TypedDict):
    reasoningContent: ShownReasoning | RedactedReasoning


Block: TypeAlias = TextBlock | ImageBlock | VideoBlock | DocumentBlock | ToolUseBlock | ToolResultBlock | ReasoningBlock

Role: TypeAlias = Literal["user", "assistant"]


@final
class Turn(TypedDict):
    """One message on the wire. Roles alternate, and the first is the user's."""

    role: Role
    content: list[Block]


def text_blocks(text: str | None) -> list[TextBlock]:
    """One text block, or none: the API refuses a block of nothing but white space."""
    return [{"text": text}] if text and not text.isspace() else []
