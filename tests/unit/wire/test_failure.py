"""What HTTP itself says of a failed request."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyway.wire.failure import failure_for, retry_after

NOW = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT


@pytest.mark.parametrize(
    ("status", "message", "type_", "shown"),
    [
        (400, "bad field", "ProviderRejected", 400),
        (413, "too large", "ProviderRejected", 413),
        (422, "no such value", "ProviderRejected", 422),
        (302, "moved", "ProviderRejected", 400),
        (401, "wrong key", "AuthFailed", 401),
        (403, "forbidden", "AuthFailed", 401),
        (401, "Quota used up", "RateLimited", 429),
        (403, "Rate limit reached", "RateLimited", 429),
        (402, "no credit", "RateLimited", 429),
        (429, "slow down", "RateLimited", 429),
        (404, "no such model", "ModelUnavailable", 404),
        (408, "timeout", "ProviderUnavailable", 503),
        (409, "conflict", "ProviderUnavailable", 503),
        (500, "oops", "ProviderUnavailable", 503),
        (529, "overloaded", "ProviderUnavailable", 503),
    ],
)
def test_the_status_decides(status: int, message: str, type_: str, shown: int) -> None:
    error = failure_for(status, message, provider="acme")
    assert (error.type, error.status, error.upstream_status) == (type_, shown, status)
    assert error.message == f"acme answered {status}: {message}"


def test_a_missing_model_is_told_by_the_wire() -> None:
    error = failure_for(400, "The model does not exist", provider="acme", code="model_not_found", model_missing=True)
    assert error.type == "ModelUnavailable"
    assert error.message == "acme answered 400 (model_not_found): The model does not exist"


def test_no_words_are_said_to_be_none() -> None:
    assert failure_for(500, " \n ", provider="acme").message == "acme answered 500: no message"


def test_a_page_is_read_for_its_text_and_cut() -> None:
    page = "<!DOCTYPE html><html><head><style>b{}</style><script>x()</script></head><body><h1>502</h1>\n Bad gateway"
    assert failure_for(502, page, provider="acme").message == "acme answered 502: 502 Bad gateway"
    assert len(failure_for(502, "x" * 50_000, provider="acme").message) < 2_100


def test_a_hostile_page_is_read_in_no_time() -> None:
    started = time.perf_counter()
    failure_for(502, "<html>" + "<script" * 200_000, provider="acme")
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdefgh12345678",
        "sk-ant-api03-abc_DEF-123456",
        "sk-abcd****************wxyz",
        "gsk_abcdefgh12345678",
        "xai-abcdefgh12345678",
        "AIzaSyA1234567890abcdefghijk",
        "Bearer abcdefgh12345678",
    ],
)
def test_a_key_the_provider_quotes_is_not_passed_on(key: str) -> None:
    error = failure_for(401, f"Incorrect API key provided: {key}. Find yours in settings.", provider="acme")
    assert key not in error.message
    assert error.message.startswith("acme answered 401: Incorrect API key provided: [key]")


def test_ordinary_words_are_no_keys() -> None:
    text = "Bearer token required for claude-sonnet-4-5-20250929, see risk-assessment and sk-learn"
    assert failure_for(400, text, provider="acme").message.endswith(text)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "36"}, 36.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "36"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "36"}, 36.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:29:30 GMT"}, 90.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:29:30"}, 90.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:00:00 GMT"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "later"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "172800"}, 172_800.0),
    ],
)
def test_retry_after_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=NOW) == seconds


def test_a_date_without_zone_is_gmt_wherever_this_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:29:30"}, now=NOW) == 90.0
    finally:
        monkeypatch.undo()
        time.tzset()


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_header_is_a_time_to_wait_or_none(ms: str, after: str) -> None:
    seconds = retry_after({"retry-after-ms": ms, "retry-after": after}, now=NOW)
    assert seconds is None or 0 <= seconds < float("inf")
