"""The Chat Completions protocol (``POST /chat/completions``), as OpenAI made it and as some fifteen vendors speak it.

    dialect.py        what sets one vendor apart from another, flag by flag, with the reason for each
    encode.py         our request as theirs; messages.py its conversation, files.py its attachments, tools.py its tools,
                      structured.py the schema of its answer, tool_ids.py ids that Mistral accepts
    decode.py         their answer, streamed or whole, as events; calls.py its tool calls, content.py and prose.py its
                      text, usage.py its token counts, fields.py reading JSON that may be anything
    replay.py         reasoning that must come back with the next request
    failure.py        errors, in a refused request and in the middle of a stream
    compatibility.py  a refused request without the field that a host does not know

Source of the protocol's facts, unless said otherwise: OpenAI's API reference, "Chat Completions".
"""

from __future__ import annotations

from keyway.wire.openai_chat import compatibility as relaxation
from keyway.wire.openai_chat.decode import decoder
from keyway.wire.openai_chat.dialect import dialect
from keyway.wire.openai_chat.encode import encode
from keyway.wire.openai_chat.failure import failure

__all__ = ["decoder", "dialect", "encode", "failure", "relaxation"]
