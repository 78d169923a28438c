"""Why a request on a hosted key failed, as the metric tells it: by status first, and by text only without one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.billing.failure_reason import failure_reason, status_reason
from keyway.errors import (
    AuthFailed,
    DeadlineExceeded,
    InternalError,
    KeywayError,
    ModelUnavailable,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)


def told(error: KeywayError, status: int | None) -> KeywayError:
    error.upstream_status = status
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        # the status decides
        (told(RateLimited("x"), 429), "rate_limited"),
        (told(ProviderUnavailable("x"), 503), "rate_limited"),
        (told(AuthFailed("x"), 401), "auth"),
        (told(AuthFailed("x"), 403), "auth"),
        (told(RateLimited("quota"), 401), "rate_limited"),
        (told(RateLimited("rate limit"), 403), "rate_limited"),
        (told(RateLimited("no credit"), 402), "rate_limited"),
        # any other status does, whatever the text says
        (told(ProviderUnavailable("quota, 429, unauthorized"), 500), "other"),
        (ProviderRejected("a prompt about the number 429 and a forbidden quota", upstream_status=400), "other"),
        (told(ModelUnavailable("401"), 404), "other"),
        (told(ProviderUnavailable("x"), 529), "other"),
        # without one the text is read
        (ProviderUnavailable("over your Quota"), "rate_limited"),
        (ProviderProtocolError("Rate limit reached"), "rate_limited"),
        (ProviderProtocolError("it said 429."), "rate_limited"),
        (ProviderProtocolError("it said 503"), "rate_limited"),
        (ProviderProtocolError("port 14290"), "other"),
        (ProviderProtocolError("it said 401"), "auth"),
        (ProviderProtocolError("HTTP 403!"), "auth"),
        (ProviderProtocolError("Unauthorized"), "auth"),
        (ProviderProtocolError("Forbidden"), "auth"),
        (ProviderProtocolError("Invalid API key"), "auth"),
        (ProviderProtocolError("4010 things"), "other"),
        (ProviderUnavailable("The connection to openai broke."), "other"),
        # ours
        (DeadlineExceeded("quota"), "timeout"),
        (TimeoutError(), "timeout"),
        (InternalError(), "other"),
        (RuntimeError("quota"), "rate_limited"),
        (RuntimeError("what"), "other"),
    ],
)
def test_why_a_request_failed(error, reason):
    assert failure_reason(error) == reason


@given(st.text())
def test_a_status_of_no_meaning_makes_the_text_meaningless(text):
    assert failure_reason(told(ProviderUnavailable(text), 500)) == "other"


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (429, "", "rate_limited"),
        (503, "unauthorized", "rate_limited"),
        (401, "no", "auth"),
        (403, "forbidden", "auth"),
        (401, "your Quota is used up", "rate_limited"),
        (403, "rate limit", "rate_limited"),
        (500, "429 rate limit", "other"),
        (404, "", "other"),
        (None, "HTTP 429", "rate_limited"),
        (None, "over quota", "rate_limited"),
        (None, "Unauthorized", "auth"),
        (None, "invalid api key", "auth"),
        (None, "the port is 4290", "other"),
    ],
)
def test_a_failure_is_classified_by_its_status_first(status, text, reason):
    assert status_reason(status, text) == reason
