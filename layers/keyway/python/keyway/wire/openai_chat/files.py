"""Files as content parts: pictures as ``image_url``, PDF as ``file`` where the host takes it; nothing else is taken.

Source: OpenAI's guides "Images and vision" and "File inputs"; OpenRouter's guide "PDF inputs". A file goes along as
a data URL, or as the URL the caller gave for the provider to fetch.
"""

from __future__ import annotations

from keyway.chat import File, Json
from keyway.errors import InvalidRequest
from keyway.wire.openai_chat.dialect import Dialect

_IMAGES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
_PDF = "application/pdf"
_ALIASES = {"image/jpg": "image/jpeg", "application/x-pdf": _PDF}


def content_part(file: File, dialect: Dialect, *, where: str) -> Json:
    """``file`` as an ``image_url`` or ``file`` part.

    Raises:
        InvalidRequest: The host takes no file of this type, or none by URL. Names ``where``.
    """
    kind = file.mime_type.partition(";")[0].strip().lower()
    kind = _ALIASES.get(kind, kind)
    if dialect.files == "none":
        raise InvalidRequest(f"{where}: this model takes no files.")
    if file.url is not None and not dialect.remote_files:
        raise InvalidRequest(f"{where}.url: this model does not fetch files. Send the content in data (base64).")
    url = file.url or f"data:{kind};base64,{file.data}"
    if kind in _IMAGES:
        return {"type": "image_url", "image_url": {"url": url}}
    if kind == _PDF and dialect.files == "images_and_pdf":
        return {"type": "file", "file": {"filename": file.name, "file_data": url}}
    taken = "pictures (png, jpeg, webp, gif)" + (" and PDF" if dialect.files == "images_and_pdf" else "")
    raise InvalidRequest(f"{where}: {file.mime_type} cannot be sent to this model. It takes {taken}.")
