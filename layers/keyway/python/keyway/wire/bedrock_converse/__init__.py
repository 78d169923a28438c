"""Amazon Bedrock's Converse API (``POST /model/{id}/converse`` and ``…/converse-stream``), for every model there.

    encode.py    our request as theirs; turns.py its messages, files.py its attachments, tools.py what may be called,
                 thinking.py and schema.py its settings, model_id.py the id in its path
    decode.py    their answer, one document or an event stream, as events; answer.py what its parts mean, calls.py its
                 tool calls, usage.py its token counts
    replay.py    reasoning blocks that must come back with the next request
    failure.py   exceptions, in a refused request and in the middle of a stream

Signing a request is none of it: see ``outside/signing.py``.

Source of the protocol's facts, unless said otherwise: the Amazon Bedrock API reference, "Converse" and
"ConverseStream", and the service model that comes with botocore.
"""

from __future__ import annotations

from keyway.wire.bedrock_converse.decode import decoder
from keyway.wire.bedrock_converse.dialect import dialect
from keyway.wire.bedrock_converse.encode import encode
from keyway.wire.bedrock_converse.failure import failure

relaxation = None

__all__ = ["decoder", "dialect", "encode", "failure", "relaxation"]
