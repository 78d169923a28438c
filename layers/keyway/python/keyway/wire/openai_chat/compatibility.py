"""A refused request once more, without the one field that the host does not know.

Hosts that imitate the protocol lag behind it: older vLLM, Ollama and Baseten images refuse ``stream_options``, some
know only one name for the limit of tokens, and OpenAI's reasoning models refuse a ``temperature``. Whether to try
again, and remembering what a host refused, is the exchange's affair; this module only reads the refusal.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from keyway.chat import Json
from keyway.wire.contract import Outgoing
from keyway.wire.openai_chat.failure import error_words, words_of_body
from keyway.wire.openai_chat.fields import member, members, text

_RENAMED = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_DROPPED = ("stream_options", "temperature")

_UNKNOWN_CODES = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter", "extra_forbidden"})
_UNKNOWN_SAID = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|extra (?:field|input)",
    re.IGNORECASE,
)
"""How a field is refused, as opposed to its value: "max_tokens must be at most 8192" is no reason to rename it."""


def refused_field(outgoing: Outgoing, status: int, body: bytes) -> str | None:
    """The field of ``outgoing`` that the refusal (HTTP ``status`` and ``body``) complains of.

    ``None`` when the refusal is not about a field that may go or has another name.
    """
    if status not in (400, 422):
        return None
    for field in (*_DROPPED, *_RENAMED):
        if field in outgoing.body and _refuses(field, body):
            return field
    return None


def without(outgoing: Outgoing, field: str) -> Outgoing:
    """``outgoing`` without ``field``, or with its other name."""
    rest = {name: value for name, value in outgoing.body.items() if name != field}
    if field in _RENAMED:
        rest.setdefault(_RENAMED[field], outgoing.body[field])
    return replace(outgoing, body=rest)


def _refuses(field: str, body: bytes) -> bool:
    data = _json(body)
    error = member(data, "error") or data
    if text(error, "param") == field and error_words(data).code in _UNKNOWN_CODES:
        return True
    if any(_complains_of(field, complaint) for complaint in _complaints(data)):
        return True
    said = words_of_body(body).message
    # The first field named is the refused one; OpenAI goes on to name the one to use instead.
    named = re.search(rf"\b(?:{'|'.join((*_DROPPED, *_RENAMED, 'include_usage'))})\b", said)
    meant = "stream_options" if named and named[0] == "include_usage" else named and named[0]
    return meant == field and _UNKNOWN_SAID.search(said) is not None


def _complaints(data: Json) -> list[Json]:
    """FastAPI's list of complaints, wherever the host puts it."""
    places = (data.get("detail"), member(data, "message").get("detail"), member(data, "error").get("detail"))
    return [complaint for place in places for complaint in members(place)]


def _complains_of(field: str, complaint: Json) -> bool:
    location = complaint.get("loc")
    kind = text(complaint, "type")
    return isinstance(location, list) and field in location and ("extra" in kind or "forbidden" in kind)


def _json(body: bytes) -> Json:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if isinstance(data, list) and data:
        data = data[0]
    return data if isinstance(data, dict) else {}
