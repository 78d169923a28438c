"""What a failure of one of Google's APIs stands for, whether it refused the request or broke off a stream.

All of them tell errors in one form: ``{"error": {"code", "message", "status", "details"}}``, sometimes as the only
element of an array. The status is the name of a gRPC code; the details may name a reason (a wrong API key is an
``INVALID_ARGUMENT`` with the reason ``API_KEY_INVALID``) and the time to wait. Source: Google's "API Improvement
Proposals", AIP-193 "Errors", and ``google.rpc.Code``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from keyway.chat import Json
from keyway.errors import AuthFailed, KeywayError, RateLimited
from keyway.wire.failure import failure_for, retry_after

_STATUS = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
}
_KEY_REFUSED = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED"})
"""Reasons that stand in the details of an ``INVALID_ARGUMENT``, a 400."""
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
"""A duration in Google's JSON, such as ``37s``."""


def failure(status: int, headers: Mapping[str, str], body: bytes, *, provider: str, now: float) -> KeywayError:
    """See ``Wire.failure``."""
    wait = retry_after(headers, now=now)
    try:
        error = _error(json.loads(body))
    except (ValueError, RecursionError):
        error = None
    if error is None:
        return failure_for(status, body.decode("utf-8", "replace"), provider=provider, retry_after=wait)
    return _failure(status, error, provider=provider, wait=wait)


def failure_in_band(data: Json, *, provider: str) -> KeywayError:
    """The error that an ``error`` after a 200 stands for: the one its code or its status' name would have had.

    What names neither is the provider's own trouble.
    """
    error = _error(data) or {}
    code = error.get("code")
    if type(code) is int and 400 <= code <= 599:
        status = code
    else:
        names = [_text(error.get("status")), _text(code).upper()]
        status = next((_STATUS[name] for name in names if name in _STATUS), 500)
    return _failure(status, error, provider=provider, wait=None)


def _failure(status: int, error: Json, *, provider: str, wait: float | None) -> KeywayError:
    name = _text(error.get("status")) or _text(error.get("code"))
    details = _objects(error.get("details"))
    reason = next((reason for detail in details if (reason := _text(detail.get("reason")))), "")
    if wait is None:
        wait = next((delay for detail in details if (delay := _delay(detail)) is not None), None)
    found = failure_for(
        status, _text(error.get("message")), provider=provider, code=reason or name or None, retry_after=wait
    )
    if reason in _KEY_REFUSED:
        return AuthFailed(found.message, provider=provider, upstream_status=status)
    if name == "RESOURCE_EXHAUSTED":
        return RateLimited(found.message, provider=provider, retry_after=wait, upstream_status=status)
    return found


def _error(data: object) -> Json | None:
    """The error in ``data``, in any of the shapes it comes in."""
    if isinstance(data, list):
        data = next(iter(data), None)
    if not isinstance(data, dict):
        return None
    error = data.get("error", data)
    if isinstance(error, dict):
        return error
    # OAuth's own form, which a token that is no longer good may meet on the way.
    return {"message": _text(data.get("error_description")) or _text(error), "status": _text(error)}


def _delay(detail: Json) -> float | None:
    """Seconds, from a ``RetryInfo``."""
    said = _SECONDS.fullmatch(_text(detail.get("retryDelay")))
    return float(said[1]) if said else None


def _objects(value: object) -> Sequence[Json]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
