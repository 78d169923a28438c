"""Anthropic's Messages API (``POST /v1/messages``), spoken by Anthropic and by hosts that carry its models.

    encode.py    our request as theirs; turns.py its messages, files.py its attachments, schema.py its answer's schema
    decode.py    their answer, streamed or whole, as events; usage.py its token counts
    replay.py    reasoning blocks that must come back with the next request
    failure.py   error types, in a refused request and in the middle of a stream

Source of the protocol's facts, unless said otherwise: Anthropic's API reference, "Messages" and "Streaming Messages".
"""

from __future__ import annotations

from keyway.wire.anthropic_messages.decode import decoder
from keyway.wire.anthropic_messages.dialect import dialect
from keyway.wire.anthropic_messages.encode import encode
from keyway.wire.anthropic_messages.failure import failure

relaxation = None

__all__ = ["decoder", "dialect", "encode", "failure", "relaxation"]
