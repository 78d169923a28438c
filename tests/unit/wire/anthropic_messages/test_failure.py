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
from keyway.wire import anthropic_messages as wire

STATUSES = [
    ("invalid_request_error", 400, ProviderRejected),
    ("authentication_error", 401, AuthFailed),
    ("billing_error", 402, RateLimited),
    ("permission_error", 403, AuthFailed),
    ("not_found_error", 404, ModelUnavailable),
    ("conflict_error", 409, ProviderUnavailable),
    ("request_too_large", 413, ProviderRejected),
    ("rate_limit_error", 429, RateLimited),
    ("api_error", 500, ProviderUnavailable),
    ("timeout_error", 504, ProviderUnavailable),
    ("overloaded_error", 529, ProviderUnavailable),
]


def failure(status: int, body: Any, headers: dict[str, str] | None = None) -> KeywayError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return wire.failure(status, headers or {}, data, provider="anthropic", now=0.0)


def error(kind: str, message: str = "Said so.", **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **more}, "request_id": "req_1"}


@pytest.mark.parametrize(("kind", "status", "expected"), STATUSES)
def test_a_refused_request_is_what_its_type_says(kind: str, status: int, expected: type[KeywayError]) -> None:
    raised = failure(status, error(kind))

    assert type(raised) is expected
    assert raised.upstream_status == status
    assert raised.message == f"anthropic answered {status} ({kind}): Said so."


@pytest.mark.parametrize(("kind", "status", "expected"), [*STATUSES, ("brand_new_error", 500, ProviderUnavailable)])
def test_an_error_in_a_stream_stands_for_the_same(kind: str, status: int, expected: type[KeywayError]) -> None:
    body = b"event: error\ndata: " + json.dumps(error(kind)).encode() + b"\n\n"
    decoder = wire.decoder(wire.dialect({}), provider="anthropic")

    with pytest.raises(expected, match="Said so") as raised:
        list(decoder.feed(body))

    assert type(raised.value) is expected
    assert raised.value.upstream_status == status


def test_an_error_that_a_proxy_puts_into_a_stream_is_an_error_too() -> None:
    decoder = wire.decoder(wire.dialect({}), provider="anthropic")

    with pytest.raises(ProviderUnavailable, match="gone"):
        list(decoder.feed(b'data: {"error": {"message": "gone"}}\n\n'))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, error("billing_error")),
        (400, error("invalid_request_error", "Your credit balance is too low to access the API.")),
        (403, error("permission_error", details={"error_code": "enforced_spend_limit_reached"})),
        (503, error("rate_limit_error")),
    ],
)
def test_a_key_that_can_do_no_more_is_rate_limited_whatever_the_status(status: int, body: dict[str, Any]) -> None:
    raised = failure(status, body, {"retry-after": "7"})

    assert type(raised) is RateLimited
    assert (raised.upstream_status, raised.retry_after) == (status, 7.0)


def test_a_missing_model_is_told_by_type_and_message() -> None:
    assert isinstance(failure(400, error("not_found_error", "model: claude-nope")), ModelUnavailable)


def test_the_wait_is_passed_on() -> None:
    assert failure(429, error("rate_limit_error"), {"retry-after": "36"}).retry_after == 36.0
    assert failure(529, error("overloaded_error"), {"retry-after-ms": "1500"}).retry_after == 1.5


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no message"),
        (b"<html><body><h1>Bad gateway</h1></body></html>", "Bad gateway"),
        (b"upstream connect error", "upstream connect error"),
        (b'{"error": "down"}', "down"),
        (b'{"error": {"code": "busy", "message": "Later."}}', "(busy): Later."),
        (b'{"message": "Later."}', "Later."),
        (b"[1]", "[1]"),
        (b"null", "null"),
        (b"[" * 100_000, "[[["),
        (b'{"error": {"message": 3, "type": [], "details": 1}}', "no message"),
    ],
)
def test_a_body_that_is_not_the_apis_own_still_says_what_it_can(body: bytes, says: str) -> None:
    raised = failure(502, body)

    assert type(raised) is ProviderUnavailable
    assert raised.upstream_status == 502
    assert says in raised.message
