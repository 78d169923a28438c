"""Errors as all of Google's APIs tell them. Source: Google's "API Improvement Proposals", AIP-193 "Errors"."""

from __future__ import annotations

import json
from collections.abc import Mapping

from infra.local.provider.protocol import Json
from infra.local.provider.script import Break, Refusal

_STATUS: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_NAMES = {400: "INVALID_ARGUMENT", **{status: name for name, status in _STATUS.items() if status != 400}}
_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_RETRY = "type.googleapis.com/google.rpc.RetryInfo"


def invalid(message: str) -> Refusal:
    """A refused request."""
    return Refusal(400, "INVALID_ARGUMENT", message)


def wrong_api_key(key: str | None) -> Refusal:
    """What the Gemini API says to a key it does not know, or to none."""
    if key is None:
        said = "Method doesn't allow unregistered callers (callers without established identity)."
        return Refusal(403, "PERMISSION_DENIED", said)
    return Refusal(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID")


def wrong_token(_key: str | None) -> Refusal:
    """What Vertex AI says to a token that is not good."""
    said = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential."
    )
    return Refusal(401, "UNAUTHENTICATED", said, "ACCESS_TOKEN_TYPE_UNSUPPORTED")


def refusal_body(refusal: Refusal, serial: int) -> bytes:  # noqa: ARG001 - Google names no request
    """The body of an HTTP error. ``code`` is the reason in its details; a quota says when to try again."""
    name = refusal.kind if refusal.kind in _STATUS else _NAMES.get(refusal.status, "UNKNOWN")
    details: list[Json] = []
    if refusal.code is not None:
        details.append({"@type": _INFO, "reason": refusal.code, "domain": "googleapis.com"})
    if refusal.status == 429:
        details.append({"@type": _RETRY, "retryDelay": f"{refusal.headers.get('retry-after', '37')}s"})
    error = {"code": refusal.status, "message": refusal.message, "status": name}
    return json.dumps({"error": {**error, **({"details": details} if details else {})}}, indent=2).encode()


def error_inside(problem: Break) -> Json:
    """The object of an error after a 200. ``kind`` may be the name of a status or any other word."""
    name = problem.kind if problem.kind in _STATUS else "INTERNAL"
    return {"error": {"code": _STATUS[name], "message": problem.message, "status": name}}
