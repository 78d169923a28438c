"""When a failed request is worth another try, and after what pause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.errors import (
    AuthFailed,
    DeadlineExceeded,
    InternalError,
    InvalidRequest,
    KeywayError,
    ModelUnavailable,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)
from keyway.retry import LONGEST_PAUSE, RETRIES, pause
from keyway.wire import anthropic_messages, bedrock_converse, gemini_generate, openai_chat, openai_responses
from keyway.wire.contract import Wire

PLENTY = 600.0


def seconds(error: KeywayError, *, retries: int = 0, chance: float = 0.0, remaining: float = PLENTY) -> float | None:
    return pause(error, retries=retries, chance=chance, remaining=remaining)


def unavailable(retry_after: float | None = None, should_retry: bool | None = None) -> KeywayError:
    error = ProviderUnavailable("no", retry_after=retry_after)
    error.should_retry = should_retry
    return error


def test_a_request_is_sent_three_times_at_most():
    assert RETRIES == 2
    assert [seconds(unavailable(), retries=retries) for retries in range(3)] == [0.5, 1.0, None]


def test_chance_takes_up_to_a_quarter_off():
    assert [seconds(unavailable(), chance=chance) for chance in (0, 0.5, 1)] == [0.5, 0.4375, 0.375]


@pytest.mark.parametrize(
    ("said", "expected"),
    [(0.0, 0.0), (0.05, 0.05), (3.0, 3.0), (LONGEST_PAUSE, LONGEST_PAUSE), (LONGEST_PAUSE + 0.001, None), (7200, None)],
)
def test_a_providers_time_is_kept_to_while_it_is_short(said, expected):
    assert seconds(unavailable(said), chance=1.0) == expected
    assert seconds(unavailable(said), chance=0.0, retries=1) == expected


@pytest.mark.parametrize("error", [RateLimited("slow down"), ProviderUnavailable("oh no")])
def test_what_may_pass_is_waited_for(error):
    assert seconds(error) == 0.5


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequest("no"),
        AuthFailed("no"),
        ModelUnavailable("no"),
        ProviderRejected("no", upstream_status=422),
        ProviderProtocolError("no"),
        DeadlineExceeded("no"),
        InternalError(),
    ],
)
def test_what_will_not_pass_is_not(error):
    assert seconds(error) is None


def test_what_the_provider_says_of_another_try_is_final():
    assert seconds(unavailable(should_retry=False)) is None
    rejected = ProviderRejected("no", upstream_status=400)
    rejected.should_retry = True
    assert seconds(rejected) == 0.5
    assert seconds(rejected, retries=RETRIES) is None
    assert seconds(unavailable(retry_after=3600, should_retry=True)) is None, "but nobody waits for an hour"


errors = st.builds(unavailable, st.none() | st.floats(0, 20), st.none() | st.booleans())


@given(errors, st.integers(0, 5), st.floats(0, 1), st.floats(-10, 20))
def test_no_pause_is_long_nor_ends_after_the_deadline(error, retries, chance, remaining):
    waited = seconds(error, retries=retries, chance=chance, remaining=remaining)
    if waited is not None:
        assert 0 <= waited <= LONGEST_PAUSE
        assert waited < remaining
        assert retries < RETRIES
        assert error.should_retry is not False
    elif retries < RETRIES and error.should_retry is not False:
        assert remaining <= 1.0 or (error.retry_after or 0) >= min(remaining, LONGEST_PAUSE)


def failed(wire: Wire, status: int, body: str) -> KeywayError:
    return wire.failure(status, {}, body.encode(), provider="acme", now=0.0)


CHATS = (openai_chat, openai_responses)
CODES = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("wire", CHATS)
def test_a_used_up_budget_of_openai_is_not_waited_for(wire, code):
    for error in (
        failed(wire, 429, f'{{"error": {{"message": "no", "type": "{code}", "code": "{code}"}}}}'),
        failed(wire, 429, f'{{"error": {{"message": "no", "type": "{code}", "code": null}}}}'),
        failed(wire, 429, f'{{"error": {{"message": "no", "type": "{code}", "code": "429"}}}}'),
        failed(wire, 400, f'{{"error": {{"message": "no", "type": "x", "code": "{code}"}}}}'),
    ):
        assert isinstance(error, RateLimited)
        assert (error.status, error.retryable) == (429, False)
        assert error.to_json("r")["retryable"] is False
        assert seconds(error) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"error": {"type": "invalid_request_error", "message": "Your credit balance is too low to go on"}}'),
        (402, '{"error": {"type": "billing_error", "message": "no"}}'),
        (403, '{"error": {"type": "billing_error", "message": "no"}}'),
        (429, '{"error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}}'),
    ],
)
def test_a_used_up_budget_of_anthropic_is_not_waited_for(status, body):
    error = failed(anthropic_messages, status, body)
    assert isinstance(error, RateLimited)
    assert (error.status, error.retryable, seconds(error)) == (429, False, None)


@pytest.mark.parametrize("wire", [*CHATS, anthropic_messages, gemini_generate, bedrock_converse])
def test_a_limit_of_the_moment_is_waited_for(wire):
    error = failed(wire, 429, '{"error": {"type": "rate_limit_error", "message": "slow down"}}')
    assert isinstance(error, RateLimited)
    assert (error.retryable, seconds(error)) == (True, 0.5)


@pytest.mark.parametrize("wire", [*CHATS, anthropic_messages, gemini_generate, bedrock_converse])
@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_limit_told_by_a_refused_key_is_not(wire, status):
    error = failed(wire, status, '{"message": "over your quota", "error": {"message": "over your quota"}}')
    assert isinstance(error, RateLimited)
    assert (error.status, error.retryable, seconds(error)) == (429, False, None)


def test_a_quota_of_an_aws_account_is_not():
    error = bedrock_converse.failure(
        400, {"x-amzn-errortype": "ServiceQuotaExceededException"}, b"{}", provider="bedrock", now=0.0
    )
    assert isinstance(error, RateLimited)
    assert (error.retryable, seconds(error)) == (False, None)


@pytest.mark.parametrize("wire", [*CHATS, anthropic_messages, gemini_generate, bedrock_converse])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refused_request_is_not_repeated(wire, status):
    assert seconds(failed(wire, status, '{"error": {"message": "no"}}')) is None


@pytest.mark.parametrize("wire", [*CHATS, anthropic_messages, gemini_generate, bedrock_converse])
@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_a_failure_of_the_moment_is(wire, status):
    assert seconds(failed(wire, status, '{"error": {"message": "no"}}')) == 0.5
