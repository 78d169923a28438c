"""A file beside a message as an image, document or video block.

The API fetches nothing from the web: a file comes as data, or lies in Amazon S3. A type it does not know is refused
here, by name, rather than left out.
"""

from __future__ import annotations

import re

from keyway.chat import File
from keyway.errors import InvalidRequest
from keyway.wire.bedrock_converse.blocks import Attachment, BytesSource, S3Source

_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    "text/csv": "csv",
    "application/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "text/x-markdown": "md",
}
_VIDEOS = {
    "video/x-matroska": "mkv",
    "video/quicktime": "mov",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
}

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9()\[\]-]+")
_LONGEST_NAME = 200
_NAMELESS = "document"


class Attachments:
    """The files of one conversation, met in order, so that no two documents in it have the same name."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def block(self, file: File, *, where: str) -> Attachment:
        """The block for ``file``.

        Raises:
            InvalidRequest: The API does not take this type, or cannot fetch it. Names ``where``.
        """
        media_type = file.mime_type.partition(";")[0].strip().lower()
        if media_type in _IMAGES:
            return {"image": {"format": _IMAGES[media_type], "source": _source(file, where)}}
        if media_type in _VIDEOS:
            return {"video": {"format": _VIDEOS[media_type], "source": _source(file, where)}}
        if media_type in _DOCUMENTS:
            return {
                "document": {
                    "format": _DOCUMENTS[media_type],
                    "name": self._name(file.name),
                    "source": _source(file, where),
                }
            }
        raise InvalidRequest(
            f"{where}: a file of type {file.mime_type!r} cannot be sent to this model. It takes images (png, jpeg, gif,"
            " webp), documents (pdf, csv, doc, docx, xls, xlsx, html, txt, md) and videos (mkv, mov, mp4, webm, flv,"
            " mpeg, wmv, 3gp)."
        )

    def _name(self, given: str) -> str:
        """``given`` in the few characters the API allows, and with a number where the name is taken."""
        plain = _NOT_IN_A_NAME.sub(" ", given).strip() or _NAMELESS
        name, number = plain[:_LONGEST_NAME].strip(), 1
        while name in self._names:
            number += 1
            suffix = f" ({number})"
            name = plain[: _LONGEST_NAME - len(suffix)].strip() + suffix
        self._names.add(name)
        return name


def _source(file: File, where: str) -> BytesSource | S3Source:
    if file.url is None:
        if not file.data:
            raise InvalidRequest(f"{where}: data is empty. This model refuses an empty file.")
        return {"bytes": file.data}
    if not file.url.startswith("s3://"):
        raise InvalidRequest(
            f"{where}: this model cannot fetch a file from the web. Send its content in data (base64), or the s3:// URI"
            " of an object that it may read."
        )
    return {"s3Location": {"uri": file.url}}
