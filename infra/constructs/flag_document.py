"""The feature flags' document and the schema AppConfig checks it with, as files that an operator edits.

The same schema is applied here, so that a document AppConfig would refuse stops the synthesis instead, with the place
of each fault. The gateway itself checks once more, with Powertools, before it takes a document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from jsonschema import Draft4Validator, ValidationError  # type: ignore[import-untyped]

FLAGS = Path(__file__).resolve().parents[1] / "flags"
DOCUMENT = FLAGS / "feature-flags.json"
SCHEMA = FLAGS / "feature-flags.schema.json"

_LARGEST = 1_000_000
"""Bytes; AppConfig's hosted store takes no more than 1 MB."""


class FlagDocumentError(ValueError):
    """The document is no JSON, or breaks the schema. The message names the file and each place."""


def flag_document(path: Path = DOCUMENT) -> str:
    """The document at ``path``, checked.

    Raises:
        FlagDocumentError: It is not what the gateway could use.
    """
    text = path.read_text()
    if len(text.encode()) > _LARGEST:
        raise FlagDocumentError(f"{path}: is larger than AppConfig takes ({_LARGEST:,} bytes)")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise FlagDocumentError(f"{path}: is not JSON ({error})") from None
    faults: Iterable[ValidationError] = Draft4Validator(json.loads(SCHEMA.read_text())).iter_errors(document)
    if places := [
        f"  {'.'.join(map(str, fault.absolute_path)) or 'the document'}: {fault.message}" for fault in faults
    ]:
        raise FlagDocumentError(f"{path}: breaks the schema in {SCHEMA.name}:\n" + "\n".join(sorted(places)))
    return text
