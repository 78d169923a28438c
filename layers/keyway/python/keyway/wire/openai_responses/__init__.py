"""OpenAI's Responses API (``POST /responses``), spoken by OpenAI, by Azure and by hosts that imitate it.

    encode.py    our request as theirs; input_items.py its conversation, files.py its attachments, schema.py strictness
    decode.py    their answer, streamed or whole, as events; prose.py its text and reasoning, calls.py its tool calls,
                 usage.py its token counts, fields.py reading JSON that may be anything
    replay.py    reasoning items that must come back with the next request
    failure.py   error codes, in a refused request and in the middle of a stream

Source of the protocol's facts, unless said otherwise: OpenAI's API reference, "Responses" and "Streaming events".
"""

from __future__ import annotations

from keyway.wire.openai_responses.decode import decoder
from keyway.wire.openai_responses.dialect import dialect
from keyway.wire.openai_responses.encode import encode
from keyway.wire.openai_responses.failure import failure

relaxation = None

__all__ = ["decoder", "dialect", "encode", "failure", "relaxation"]
