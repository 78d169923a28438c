"""What a refused request or an error inside a stream says, and which of our errors that is.

The code decides, then the type. Hosts that imitate the API shape the body in their own ways: an ``error`` object, an
``error`` string, the same fields at the top, FastAPI's ``detail``, an HTML page of a gateway, or nothing at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from keyway.chat import Json
from keyway.errors import KeywayError
from keyway.wire.failure import USED_UP, failure_for, retry_after
from keyway.wire.openai_responses.fields import text

_MODEL_MISSING = frozenset({"model_not_found", "DeploymentNotFound", "deployment_not_found"})

_STATUS_OF_CODE: Mapping[str, int] = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "too_many_requests": 429,
    "insufficient_quota": 429,
    "credit_balance_exhausted": 429,
    "organization_spend_limit_exceeded": 429,
    "organization_usage_limit_exceeded": 429,
    "project_spend_limit_exceeded": 429,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "vector_store_timeout": 504,
    "timeout": 504,
    "server_is_overloaded": 503,
    "overloaded_error": 503,
    "slow_down": 503,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "permission_denied": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "content_policy_violation": 400,
    "cyber_policy": 400,
    "bio_policy": 400,
    "empty_image_file": 400,
    "failed_to_download_image": 400,
}
"""Codes and types of errors inside a 200 answer, and the HTTP status each stands for."""

_REFUSED = ("invalid_", "unsupported_", "image_")
"""How the codes begin that blame the request: ``invalid_prompt``, ``image_too_large`` and their kin."""


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """What a provider said of a failure; each ``""`` when it did not."""

    message: str = ""
    code: str = ""
    type: str = ""


def failure(status: int, headers: Mapping[str, str], body: bytes, *, provider: str, now: float) -> KeywayError:
    """The error an unsuccessful (non-2xx) answer stands for. See ``Wire.failure``."""
    words = _words_of_body(body)
    return failure_for(
        status,
        words.message,
        provider=provider,
        code=words.code or words.type or None,
        retry_after=retry_after(headers, now=now),
        model_missing=words.code in _MODEL_MISSING,
        used_up=not USED_UP.isdisjoint((words.code, words.type)),
    )


def failure_inside(data: Json, *, provider: str) -> KeywayError:
    """The error that stands inside a 200 answer: an ``error`` event, a failed response, a bare error object."""
    words = error_words(data)
    return failure_for(
        _status(words),
        words.message,
        provider=provider,
        code=words.code or words.type or None,
        model_missing=words.code in _MODEL_MISSING,
        used_up=not USED_UP.isdisjoint((words.code, words.type)),
    )


def error_words(data: Json) -> ErrorWords:
    """Message, code and type of an error in any of its shapes."""
    error = data.get("error")
    if isinstance(error, dict):
        return ErrorWords(text(error, "message"), _code(error), text(error, "type"))
    if isinstance(error, str):
        return ErrorWords(error, _code(data))
    if "message" in data or "code" in data:
        return ErrorWords(text(data, "message"), _code(data), text(data, "type"))
    return ErrorWords(_detail(data.get("detail")))


def _words_of_body(body: bytes) -> ErrorWords:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ErrorWords(body.decode("utf-8", "replace"))
    if not isinstance(data, dict):
        return ErrorWords(body.decode("utf-8", "replace"))
    words = error_words(data)
    return words if words != ErrorWords() else ErrorWords(body.decode("utf-8", "replace"))


def _status(words: ErrorWords) -> int:
    for word in (words.code, words.type):
        if word in _STATUS_OF_CODE:
            return _STATUS_OF_CODE[word]
        if len(word) == 3 and word.isascii() and word.isdigit() and "400" <= word <= "599":
            return int(word)
        if word.startswith(_REFUSED):
            return 400
    return 500


def _code(data: Json) -> str:
    code = data.get("code")
    return str(code) if isinstance(code, str | int) and not isinstance(code, bool) else ""


def _detail(detail: object) -> str:
    """FastAPI's ``detail``: a text, or a list of ``{loc, msg}``."""
    if isinstance(detail, str):
        return detail
    if not isinstance(detail, list):
        return ""
    return "; ".join(text(entry, "msg") for entry in detail if isinstance(entry, dict))
