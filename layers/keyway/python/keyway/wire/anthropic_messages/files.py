"""A file beside a message as an image or document block.

Images and PDFs travel as they are; any other text travels as plain text, because that is the one text document
the API knows. What it cannot read at all is refused here, by name, rather than left out.
"""

from __future__ import annotations

import base64
import binascii

from keyway.chat import File
from keyway.errors import InvalidRequest
from keyway.wire.anthropic_messages.blocks import (
    Attachment,
    Base64Source,
    DocumentBlock,
    TextSource,
    UrlSource,
)

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF = "application/pdf"
_ALIASES = {"image/jpg": "image/jpeg", "application/x-pdf": _PDF}
_TEXTUAL = frozenset({"application/json", "application/xml", "application/x-yaml", "application/yaml"})


def attachment(file: File, *, where: str) -> Attachment:
    """The block for ``file``.

    Raises:
        InvalidRequest: The API does not take this type, or the data is not what it says. Names ``where``.
    """
    media_type = file.mime_type.partition(";")[0].strip().lower()
    media_type = _ALIASES.get(media_type, media_type)
    if media_type in _IMAGES:
        return {"type": "image", "source": _source(file, media_type)}
    source: Base64Source | UrlSource | TextSource
    if media_type == _PDF:
        source = _source(file, media_type)
    elif media_type.startswith("text/") or media_type in _TEXTUAL:
        source = {"type": "text", "media_type": "text/plain", "data": _text(file, where)}
    else:
        raise InvalidRequest(
            f"{where}: a file of type {file.mime_type!r} cannot be sent to this model. It takes images (jpeg, png, "
            "gif, webp), PDF and text."
        )
    document: DocumentBlock = {"type": "document", "source": source}
    if "name" in file.model_fields_set and file.name:
        document["title"] = file.name
    return document


def _source(file: File, media_type: str) -> Base64Source | UrlSource:
    if file.url is not None:
        return {"type": "url", "url": file.url}
    return {"type": "base64", "media_type": media_type, "data": file.data or ""}


def _text(file: File, where: str) -> str:
    if file.data is None:
        raise InvalidRequest(
            f"{where}: a text file cannot be sent to this model by URL. Send its content in data (base64)."
        )
    try:
        text = base64.b64decode("".join(file.data.split()), validate=True).decode("utf-8-sig")
    except (binascii.Error, ValueError):
        raise InvalidRequest(f"{where}: data must be base64 of text in UTF-8.") from None
    if not text or text.isspace():
        raise InvalidRequest(f"{where}: the file is empty. This model refuses an empty document.")
    return text
