"""Writes messages of AWS's event stream. Source: the Smithy specification, "Amazon Event Stream"."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from zlib import crc32

_TEXT = 7
"""The type of a header whose value is text; the only one that Bedrock sends."""


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message with text headers."""
    return message(b"".join(_header(name, value) for name, value in headers.items()), payload)


def message(headers: bytes, payload: bytes) -> bytes:
    """One message around headers that are bytes already."""
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    prelude = lengths + struct.pack(">I", crc32(lengths))
    return prelude + headers + payload + struct.pack(">I", crc32(prelude + headers + payload))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _TEXT, len(text)) + text
