"""What a failure of the Messages API stands for, whether it refused the request or broke off a stream.

The error's type decides; HTTP's status is kept beside it. Text is read for one case only: an account without
credit is refused as an ordinary ``invalid_request_error``. Source: Anthropic's API reference, "Errors".
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from keyway.chat import Json
from keyway.errors import KeywayError, RateLimited
from keyway.wire.failure import USED_UP, failure_for, retry_after

_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def failure(status: int, headers: Mapping[str, str], body: bytes, *, provider: str, now: float) -> KeywayError:
    """See ``Wire.failure``."""
    wait = retry_after(headers, now=now)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        return failure_for(status, body.decode("utf-8", "replace"), provider=provider, retry_after=wait)
    return _failure(status, data, provider=provider, wait=wait)


def failure_in_band(data: Json, *, provider: str) -> KeywayError:
    """The error that an ``error`` object after a 200 stands for: the one its type would have had as a status.

    A type that is not known is the provider's own trouble.
    """
    error = data.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    status = _STATUS.get(kind, 500) if isinstance(kind, str) else 500
    return _failure(status, data, provider=provider, wait=None)


def _failure(status: int, data: Json, *, provider: str, wait: float | None) -> KeywayError:
    error = data.get("error", data)
    if not isinstance(error, Mapping):
        error = {"message": error}
    message = _text(error.get("message"))
    kind = _text(error.get("type")) or _text(error.get("code"))  # "code" is what a host's own gateway writes
    details = error.get("details")
    detail = _text(details.get("error_code")) if isinstance(details, dict) else ""
    found = failure_for(
        status,
        message,
        provider=provider,
        code=detail or kind or None,
        retry_after=wait,
        model_missing=kind == "not_found_error" and message.startswith("model"),
        used_up=kind in USED_UP or detail in USED_UP or "credit balance is too low" in message,
    )
    if kind == "rate_limit_error" and not isinstance(found, RateLimited):
        return RateLimited(found.message, provider=provider, retry_after=wait, upstream_status=status)
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
