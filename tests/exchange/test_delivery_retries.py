"""Trying again before the first byte: what is tried again, how often, after what pause, and never past the deadline."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from keyway.errors import (
    AuthFailed,
    InvalidRequest,
    KeywayError,
    ModelUnavailable,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)
from keyway.http_request import HttpRequest
from keyway.keys.credential import Credential
from keyway.outside.signing import AwsSigner
from tests.exchange.parcels import SECRET, Memory, Pauses, Reply, delivery, parcel

BROKEN = ProviderUnavailable("The connection to openai broke.", provider="openai")


async def sent(replies: list[Reply | KeywayError], *, seconds: float = 600.0, provider: str = "openai"):
    """What came of it, how often it was sent, and the pauses in between."""
    upstream, pauses = Memory(replies), Pauses()
    deadline = asyncio.get_running_loop().time() + seconds
    result: object
    try:
        result = await delivery(upstream, pauses).send(parcel(provider), deadline=deadline)
    except KeywayError as error:
        result = error
    refusals = sum(isinstance(reply, Reply) and reply.status >= 300 for reply in replies[: len(upstream.sent)])
    if len(replies) >= len(upstream.sent):
        assert upstream.closed == refusals, "every refusal gives its connection back"
    return result, len(upstream.sent), list(pauses)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "mistral"])
async def test_a_failure_of_the_moment_is_tried_twice_more_and_then_told(status, provider):
    error, times, pauses = await sent([Reply(status), Reply(status), Reply(status)], provider=provider)
    assert isinstance(error, RateLimited if status == 429 else ProviderUnavailable)
    assert error.upstream_status == status
    assert (times, pauses) == (3, [0.5, 1.0])


async def test_so_is_a_connection_that_breaks():
    error, times, pauses = await sent([BROKEN, BROKEN, BROKEN])
    assert error is BROKEN
    assert (times, pauses) == (3, [0.5, 1.0])


async def test_the_error_is_that_of_the_last_try():
    error, _, _ = await sent([Reply(500), BROKEN, Reply(429)])
    assert isinstance(error, RateLimited)
    error, times, _ = await sent([Reply(500), Reply(401)])
    assert isinstance(error, AuthFailed)
    assert times == 2


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_try_that_succeeds_is_the_answer(failures):
    answer, times, _ = await sent([*[Reply(503)] * failures, Reply(200, b"hello"), Reply(500)])
    assert not isinstance(answer, Exception)
    assert await answer.read() == b"hello"
    assert times == failures + 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ProviderRejected),
        (307, ProviderRejected),
        (400, ProviderRejected),
        (401, AuthFailed),
        (402, RateLimited),
        (403, AuthFailed),
        (404, ModelUnavailable),
        (413, ProviderRejected),
        (422, ProviderRejected),
    ],
)
async def test_a_refusal_is_told_at_once(status, kind):
    error, times, pauses = await sent([Reply(status)])
    assert isinstance(error, kind)
    assert (times, pauses) == (1, [])


async def test_an_address_that_will_not_do_is_told_at_once():
    refusal = InvalidRequest("azureEndpoint: x is not a public address")
    assert await sent([refusal]) == (refusal, 1, [])


@pytest.mark.parametrize(
    "code",
    [
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    ],
)
async def test_a_used_up_quota_is_not_waited_for(code):
    body = f'{{"error": {{"message": "You exceeded your current quota", "code": "{code}"}}}}'.encode()
    error, times, _ = await sent([Reply(429, body, {"retry-after": "1"})])
    assert isinstance(error, RateLimited)
    assert (error.retryable, times) == (False, 1)


async def test_anthropics_spend_limit_is_not_waited_for():
    body = b'{"error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}}'
    error, times, _ = await sent([Reply(429, body)], provider="anthropic")
    assert isinstance(error, RateLimited)
    assert (error.retryable, times) == (False, 1)


@pytest.mark.parametrize(
    ("headers", "pauses"),
    [
        ({"retry-after": "3"}, [3.0, 3.0]),
        ({"retry-after": "0.25"}, [0.25, 0.25]),
        ({"retry-after-ms": "1500", "retry-after": "7"}, [1.5, 1.5]),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:25 GMT"}, [5.0, 5.0]),  # the clock says 22:13:20
        ({"retry-after": "Tue, 14 Nov 2000 22:13:25 GMT"}, [0.0, 0.0]),
        ({"retry-after": "soon"}, [0.5, 1.0]),
        ({"retry-after": "8"}, [8.0, 8.0]),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_the_pause_is_the_providers(status, headers, pauses):
    _, times, waited = await sent([Reply(status, headers=headers)] * 3)
    assert (times, waited) == (3, pauses)


@pytest.mark.parametrize(("said", "told"), [("8.1", 8.1), ("9", 9.0), ("7200", 7200.0)])
async def test_a_long_pause_is_the_callers_affair(said, told):
    error, times, pauses = await sent([Reply(429, headers={"retry-after": said})])
    assert isinstance(error, RateLimited)
    assert (error.retry_after, times, pauses) == (told, 1, [])
    assert error.to_json("r")["retryAfter"] == told
    assert error.retryable


async def test_googles_pause_is_in_the_body():
    body = b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "%ss"}]}}'
    _, times, pauses = await sent([Reply(429, body % b"2")] * 3, provider="google")
    assert (times, pauses) == (3, [2.0, 2.0])
    error, times, _ = await sent([Reply(429, body % b"37")], provider="google")
    assert isinstance(error, RateLimited)
    assert (error.retry_after, times) == (37.0, 1)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_provider_may_forbid_another_try(status):
    _, times, _ = await sent([Reply(status, headers={"x-should-retry": "false"})])
    assert times == 1


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_a_provider_may_ask_for_another_try(status):
    error, times, pauses = await sent([Reply(status, headers={"x-should-retry": "true"})] * 3)
    assert isinstance(error, KeywayError)
    assert (error.upstream_status, times, pauses) == (status, 3, [0.5, 1.0])


async def test_what_is_neither_true_nor_false_says_nothing():
    assert (await sent([Reply(400, headers={"x-should-retry": "maybe"})]))[1] == 1
    assert (await sent([Reply(500, headers={"x-should-retry": ""})] * 3))[1] == 3


@pytest.mark.parametrize(("seconds", "times"), [(0.4, 1), (0.6, 2), (20.0, 3), (-1.0, 1)])
async def test_no_pause_ends_after_the_deadline(seconds, times):
    # The pauses are not slept, so what remains is the same at each try: half a second, then one.
    error, sent_times, _ = await sent([Reply(500)] * 3, seconds=seconds)
    assert isinstance(error, ProviderUnavailable)
    assert sent_times == times


async def test_a_refusal_whose_body_breaks_off_is_still_that_refusal():
    half = Reply(401, b'{"error": {"mess', breaks=BROKEN)
    error, times, _ = await sent([half])
    assert isinstance(error, AuthFailed)
    assert times == 1


async def test_an_endless_error_is_not_read_to_its_end():
    error, _, _ = await sent([Reply(400, b"x" * 1_000_000)])
    assert isinstance(error, ProviderRejected)
    assert len(error.message) < 3_000


async def test_every_try_is_signed_anew():
    minutes = iter(range(3))
    signer = AwsSigner(now=lambda: datetime(2026, 1, 2, 3, next(minutes), 5, tzinfo=UTC))
    upstream = Memory([Reply(503)] * 3)
    aws = parcel("bedrock", bedrockAccessKeyId="AKIDEXAMPLE", credential=Credential("callers-secret-key", "caller"))
    with pytest.raises(ProviderUnavailable):
        await delivery(upstream, signer=signer).send(aws, deadline=asyncio.get_running_loop().time() + 60)
    assert [request.headers["x-amz-date"] for request in upstream.sent] == [
        f"20260102T030{minute}05Z" for minute in range(3)
    ]
    assert len({request.headers["authorization"] for request in upstream.sent}) == 3
    assert len({request.content for request in upstream.sent}) == 1


async def test_a_key_that_cannot_be_sent_is_not_sent():
    upstream = Memory([Reply()])
    with pytest.raises(AuthFailed):
        await delivery(upstream).send(parcel(credential=Credential("sk\r\nx: y", "caller")), deadline=1e9)
    assert upstream.sent == []


async def test_every_try_carries_the_same_request():
    upstream = Memory([Reply(500)] * 3)
    with pytest.raises(ProviderUnavailable):
        await delivery(upstream).send(parcel(), deadline=asyncio.get_running_loop().time() + 60)
    first, *others = upstream.sent
    assert isinstance(first, HttpRequest)
    assert first.headers["authorization"] == f"Bearer {SECRET}"
    for other in others:
        assert (other.url, other.headers, other.content) == (first.url, first.headers, first.content)
