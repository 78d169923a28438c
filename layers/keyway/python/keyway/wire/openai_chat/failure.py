"""What a refused request or an error inside an answer says, and which of our errors that is.

An error comes in a dozen shapes: an ``error`` object (OpenAI and most), an ``error`` string (xAI, Ollama, Groq's
``x_groq``), the same members at the top (Mistral, Cerebras, older vLLM), FastAPI's ``detail``, a list around any of
these (Google), an HTML page of a gateway, or nothing at all. Inside a 200 answer the status it stands for is
``status_code`` (Groq, Cerebras) or ``code`` (OpenRouter) where they are numbers, else what the code or type means.
Text is read where vendors offer nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from keyway.chat import Json
from keyway.errors import AuthFailed, KeywayError, ProviderUnavailable
from keyway.wire.failure import USED_UP, failure_for, retry_after
from keyway.wire.openai_chat.fields import member, members, text

_MODEL_MISSING = frozenset(
    {"model_not_found", "model_not_available", "invalid_model", "DeploymentNotFound", "deployment_not_found"}
)
_MODEL_MISSING_SAID = ("is not a valid model id", "model not exist")
"""OpenRouter and DeepSeek answer 400 with a code that says nothing of the model."""
_KEY_REFUSED_SAID = ("incorrect api key", "invalid api key", "api key not valid")
"""How a 400 begins that is about the key: xAI (as its users report it) and Google."""

_CAPACITY = 498
"""Groq: the flex tier has no room at the moment (its documentation, "API error codes")."""

_STATUS_OF_CODE: Mapping[str, int] = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "rate_limited": 429,
    "too_many_requests": 429,
    "too_many_requests_error": 429,
    "insufficient_quota": 429,
    "insufficient_balance": 402,
    "request_quota_exceeded": 429,
    "token_quota_exceeded": 429,
    "queue_exceeded": 429,
    "server_error": 500,
    "api_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "InternalServerError": 500,
    "overloaded_error": 503,
    "service_unavailable": 503,
    "service_unavailable_error": 503,
    "server_overloaded": 503,
    "engine_overloaded": 503,
    "timeout": 504,
    "timeout_error": 504,
    "invalid_api_key": 401,
    "wrong_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "permission_denied": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "NotFoundError": 404,
    "BadRequestError": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "tool_use_failed": 400,
}
"""Codes and types of errors inside a 200 answer, and the HTTP status each stands for."""

_REFUSED = ("invalid_", "unsupported_")
"""How the codes begin that blame the request."""


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """What a provider said of a failure; each empty when it did not."""

    message: str = ""
    code: str = ""
    type: str = ""
    status: int | None = None


def failure(status: int, headers: Mapping[str, str], body: bytes, *, provider: str, now: float) -> KeywayError:
    """The error an unsuccessful (non-2xx) answer stands for. See ``Wire.failure``."""
    wait = retry_after(headers, now=now)
    words = words_of_body(body)
    error = failure_for(
        status,
        words.message,
        provider=provider,
        code=words.code or words.type or None,
        retry_after=wait,
        model_missing=_model_missing(words),
        used_up=not USED_UP.isdisjoint((words.code, words.type)),
    )
    if status == 400 and words.message.lower().startswith(_KEY_REFUSED_SAID):
        return AuthFailed(error.message, provider=provider, upstream_status=status)
    if status == _CAPACITY:
        return ProviderUnavailable(error.message, provider=provider, retry_after=wait, upstream_status=status)
    return error


def failure_inside(data: Json, *, provider: str) -> KeywayError:
    """The error that stands inside a 200 answer, with ``data`` the object that holds it."""
    words = error_words(data)
    return failure_for(
        words.status or _status_meant(words),
        words.message,
        provider=provider,
        code=words.code or words.type or None,
        model_missing=_model_missing(words),
        used_up=not USED_UP.isdisjoint((words.code, words.type)),
    )


def error_words(data: Json) -> ErrorWords:
    """Message, code, type and status of an error in any of its shapes."""
    error = data.get("error")
    if isinstance(error, dict):
        return _words(error, outer=data)
    if isinstance(error, str) and error:
        return ErrorWords(error, _code(data), "", _status(data))
    return _words(data, outer=data)


def words_of_body(body: bytes) -> ErrorWords:
    """The same of the body of a refused request, which need not be JSON."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, list) and data:
        data = data[0]
    words = error_words(data) if isinstance(data, dict) else ErrorWords()
    return words if words.message or words.code else ErrorWords(body.decode("utf-8", "replace"))


def _words(error: Json, *, outer: Json) -> ErrorWords:
    message = _message(error.get("message")) or _message(error.get("detail"))
    # OpenRouter's own message is often only "Provider returned error"; what the provider said stands beside it.
    raw = text(member(error, "metadata"), "raw")
    if raw and raw not in message:
        message = f"{message}: {raw}" if message else raw
    return ErrorWords(message, _code(error), text(error, "type"), _status(error) or _status(outer))


def _message(said: object) -> str:
    """A message: text, FastAPI's list of ``{loc, msg}``, or Mistral's ``{detail: …}`` around either."""
    if isinstance(said, str):
        return said
    if isinstance(said, dict):
        return _message(said.get("detail") or said.get("message") or said.get("error"))
    return "; ".join(filter(None, (_complaint(entry) for entry in members(said))))


def _complaint(entry: Json) -> str:
    place = entry.get("loc")
    where = ".".join(str(step) for step in place) if isinstance(place, list) else ""
    return f"{where}: {text(entry, 'msg')}" if where else text(entry, "msg")


def _code(data: Json) -> str:
    code = data.get("code")
    return str(code) if isinstance(code, str | int) and not isinstance(code, bool) else ""


def _status(data: Json) -> int | None:
    for name in ("status_code", "status", "raw_status_code", "code"):
        value = data.get(name)
        if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
            value = int(value)
        if type(value) is int and 400 <= value <= 599:
            return value
    return None


def _status_meant(words: ErrorWords) -> int:
    for word in (words.code, words.type):
        if word in _STATUS_OF_CODE:
            return _STATUS_OF_CODE[word]
        if word.startswith(_REFUSED):
            return 400
    return 500


def _model_missing(words: ErrorWords) -> bool:
    if words.code in _MODEL_MISSING or words.type in _MODEL_MISSING:
        return True
    said = words.message.lower()
    return any(phrase in said for phrase in _MODEL_MISSING_SAID)
