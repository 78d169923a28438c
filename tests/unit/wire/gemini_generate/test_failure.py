"""What Google's error bodies stand for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyway.errors import (
    AuthFailed,
    KeywayError,
    ModelUnavailable,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)
from keyway.wire.gemini_generate import failure
from keyway.wire.google_errors import failure_in_band

KEY_INVALID = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    "reason": "API_KEY_INVALID",
    "domain": "googleapis.com",
}
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}
QUOTA = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "PerMinute"}]}


def error(status: int, name: str, *details: dict[str, Any], message: str = "Said.") -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": name, "details": list(details)}}


def told(status: int, body: object, headers: dict[str, str] | None = None) -> KeywayError:
    return failure(status, headers or {}, json.dumps(body).encode(), provider="google", now=0.0)


@pytest.mark.parametrize(
    ("status", "name", "details", "kind"),
    [
        (400, "INVALID_ARGUMENT", [], ProviderRejected),
        (400, "INVALID_ARGUMENT", [KEY_INVALID], AuthFailed),
        (400, "FAILED_PRECONDITION", [], ProviderRejected),
        (401, "UNAUTHENTICATED", [], AuthFailed),
        (403, "PERMISSION_DENIED", [], AuthFailed),
        (404, "NOT_FOUND", [], ModelUnavailable),
        (429, "RESOURCE_EXHAUSTED", [], RateLimited),
        (403, "RESOURCE_EXHAUSTED", [], RateLimited),
        (499, "CANCELLED", [], ProviderRejected),
        (500, "INTERNAL", [], ProviderUnavailable),
        (503, "UNAVAILABLE", [], ProviderUnavailable),
        (504, "DEADLINE_EXCEEDED", [], ProviderUnavailable),
    ],
)
def test_status_and_reason_decide(status: int, name: str, details: list[dict[str, Any]], kind: type) -> None:
    for body in (error(status, name, *details), [error(status, name, *details)]):
        found = told(status, body)

        assert type(found) is kind
        assert (found.upstream_status, found.provider) == (status, "google")
        assert "Said." in found.message


def test_a_wrong_key_is_named_by_its_reason_and_not_quoted() -> None:
    found = told(400, error(400, "INVALID_ARGUMENT", KEY_INVALID, message="Bad key AIzaSyA1234567890abcdefghij."))

    assert "API_KEY_INVALID" in found.message
    assert "AIza" not in found.message


@pytest.mark.parametrize(
    ("details", "headers", "seconds"),
    [
        ([QUOTA, RETRY], {}, 37.0),
        ([{"retryDelay": "0.5s"}], {}, 0.5),
        ([RETRY], {"retry-after": "5"}, 5.0),
        ([QUOTA], {}, None),
        ([{"retryDelay": "soon"}], {}, None),
        ([{"retryDelay": 37}], {}, None),
    ],
)
def test_the_time_to_wait_is_read_from_the_body(
    details: list[dict[str, Any]], headers: dict[str, str], seconds: float | None
) -> None:
    found = told(429, error(429, "RESOURCE_EXHAUSTED", *details), headers)

    assert isinstance(found, RateLimited)
    assert found.retry_after == seconds


def test_the_tokens_servers_form_is_read_too() -> None:
    found = told(401, {"error": "invalid_token", "error_description": "Token expired."})

    assert isinstance(found, AuthFailed)
    assert "Token expired." in found.message


@pytest.mark.parametrize("body", [b"", b"<html><body>Bad gateway</body></html>", b"[]", b"null", b"{", b'"no"'])
def test_a_body_in_no_known_form_still_tells_its_status(body: bytes) -> None:
    found = failure(502, {}, body, provider="google", now=0.0)

    assert isinstance(found, ProviderUnavailable)
    assert "502" in found.message


@pytest.mark.parametrize(
    ("error_object", "kind", "status"),
    [
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, RateLimited, 429),
        ({"code": 200, "status": "UNAVAILABLE"}, ProviderUnavailable, 503),
        ({"status": "PERMISSION_DENIED"}, AuthFailed, 403),
        ({"code": "invalid_argument"}, ProviderRejected, 400),
        ({"code": True}, ProviderUnavailable, 500),
        ({"message": "?"}, ProviderUnavailable, 500),
        ("broken", ProviderUnavailable, 500),
    ],
)
def test_an_error_inside_a_200_has_the_status_it_would_have_had(error_object: object, kind: type, status: int) -> None:
    found = failure_in_band({"error": error_object}, provider="google")

    assert type(found) is kind
    assert found.upstream_status == status
