"""Google's ``generateContent``, spoken by the Gemini API and by Vertex AI.

    encode.py      our request as theirs; contents.py its conversation, tools.py its functions, schema.py and openapi.py
                   the schemas of both
    generation.py  which generation a model is of, and what each can do
    decode.py      their answer, streamed or whole, as events; usage.py its token counts, fields.py reading any JSON
    replay.py      thought signatures, which must come back with the next request

Errors are those of all of Google's APIs: ``wire/google_errors.py``. Source of the protocol's facts, unless said
otherwise: Google's reference "Gemini API", "Generating content", and the types of its Gen AI SDK.
"""

from __future__ import annotations

from keyway.wire.gemini_generate.decode import decoder
from keyway.wire.gemini_generate.dialect import dialect
from keyway.wire.gemini_generate.encode import encode
from keyway.wire.google_errors import failure

relaxation = None

__all__ = ["decoder", "dialect", "encode", "failure", "relaxation"]
