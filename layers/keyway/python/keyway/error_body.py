"""What can be read of an answer whose status is a failure. What it means is for whoever asked: a wire, or a tool."""

from __future__ import annotations

from keyway.errors import ProviderUnavailable
from keyway.ports import UpstreamAnswer

_LONGEST = 64 * 1024
"""Bytes that are read; what went wrong is said before that."""


async def error_body(answer: UpstreamAnswer) -> bytes:
    """The body as far as it comes. The status says what happened, even when the rest is lost on the way."""
    body = b""
    try:
        while len(body) < _LONGEST and (data := await answer.read()):
            body += data
    except ProviderUnavailable:
        pass
    return body[:_LONGEST]
