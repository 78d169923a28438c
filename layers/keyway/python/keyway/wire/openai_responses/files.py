"""Files as input parts: pictures as ``input_image``, documents as ``input_file``; nothing else is taken.

Source: OpenAI's guides "Images and vision" and "File inputs". A file goes along as a data URL, or as the URL the caller
gave for the provider to fetch.
"""

from __future__ import annotations

from keyway.chat import File, Json
from keyway.errors import InvalidRequest

_IMAGES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/webp", "image/gif"})
_DOCUMENTS = frozenset(
    {
        "application/pdf",
        "application/json",
        "application/xml",
        "application/yaml",
        "application/x-yaml",
        "application/javascript",
        "application/typescript",
        "application/csv",
        "application/rtf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    }
)


def input_part(file: File, *, where: str) -> Json:
    """``file`` as an ``input_image`` or ``input_file`` part.

    Raises:
        InvalidRequest: Its media type is neither a picture nor a document this API reads. Names ``where``.
    """
    kind = file.mime_type.partition(";")[0].strip().lower()
    if kind in _IMAGES:
        return {"type": "input_image", "image_url": file.url or _data_url(kind, file), "detail": "auto"}
    if kind in _DOCUMENTS or kind.startswith("text/"):
        if file.url is not None:
            return {"type": "input_file", "file_url": file.url}
        return {"type": "input_file", "filename": file.name, "file_data": _data_url(kind, file)}
    raise InvalidRequest(
        f"{where}: {file.mime_type} cannot be sent to this model. Pictures (png, jpeg, webp, gif), PDF, text and "
        "office documents can."
    )


def _data_url(kind: str, file: File) -> str:
    return f"data:{kind};base64,{file.data}"
