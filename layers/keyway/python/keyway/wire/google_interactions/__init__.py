"""Google's Interactions API (``POST /interactions``), for the one thing that only it can do: Deep Research agents.

    encode.py   our request as theirs
    decode.py   their stream as events; usage.py its token counts, fields.py reading JSON that may be anything

An agent works for minutes and up to an hour, in the background at Google, and is watched through a stream. If that
stream breaks, the work goes on there; reading its result later (``GET /interactions/{id}``) is not done here. Errors
are those of all of Google's APIs: ``wire/google_errors.py``. Source of the protocol's facts: Google's guides
"Interactions API", "Streaming", "Deep Research", and the types of its Gen AI SDK.
"""

from __future__ import annotations

from keyway.wire.google_errors import failure
from keyway.wire.google_interactions.decode import decoder
from keyway.wire.google_interactions.dialect import dialect
from keyway.wire.google_interactions.encode import encode

relaxation = None

__all__ = ["decoder", "dialect", "encode", "failure", "relaxation"]
