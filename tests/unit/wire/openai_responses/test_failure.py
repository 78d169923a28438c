"""What a refused Responses request says, in every shape hosts of this API use."""

from __future__ import annotations

import pytest

from keyway.wire.openai_responses import decoder, dialect, failure
from tests.conformance.feeding import outcome


@pytest.mark.parametrize(
    ("status", "body", "type_", "message"),
    [
        (
            400,
            b'{"error":{"message":"Bad input","type":"invalid_request_error","param":"input","code":null}}',
            "ProviderRejected",
            "openai answered 400 (invalid_request_error): Bad input",
        ),
        (
            400,
            b'{"error":{"message":"No such model","type":"invalid_request_error","code":"model_not_found"}}',
            "ModelUnavailable",
            "openai answered 400 (model_not_found): No such model",
        ),
        (
            404,
            b'{"error":{"code":"DeploymentNotFound","message":"No deployment"}}',
            "ModelUnavailable",
            "openai answered 404 (DeploymentNotFound): No deployment",
        ),
        (
            429,
            b'{"error":{"message":"You exceeded your quota","type":"insufficient_quota","code":"insufficient_quota"}}',
            "RateLimited",
            "openai answered 429 (insufficient_quota): You exceeded your quota",
        ),
        (401, b'{"error":"Wrong key","code":401}', "AuthFailed", "openai answered 401 (401): Wrong key"),
        (
            422,
            b'{"object":"error","message":"Bad","type":"BadRequest","code":40001}',
            "ProviderRejected",
            "openai answered 422 (40001): Bad",
        ),
        (422, b'{"detail":"Not like this"}', "ProviderRejected", "openai answered 422: Not like this"),
        (
            422,
            b'{"detail":[{"loc":["body"],"msg":"field required"},{"msg":"too long"}]}',
            "ProviderRejected",
            "openai answered 422: field required; too long",
        ),
        (
            502,
            b"<html><body><h1>Bad gateway</h1></body></html>",
            "ProviderUnavailable",
            "openai answered 502: Bad gateway",
        ),
        (503, b"", "ProviderUnavailable", "openai answered 503: no message"),
        (500, b'["odd"]', "ProviderUnavailable", 'openai answered 500: ["odd"]'),
        (500, b'{"fault":1}', "ProviderUnavailable", 'openai answered 500: {"fault":1}'),
        (500, b"\xff\xfe", "ProviderUnavailable", "openai answered 500: \ufffd\ufffd"),
        (500, b'{"error":{"message":7,"code":true}}', "ProviderUnavailable", "openai answered 500: "),
    ],
)
def test_a_refusal_is_read_in_every_shape(status: int, body: bytes, type_: str, message: str) -> None:
    error = failure(status, {}, body, provider="openai", now=0)
    assert (error.type, error.upstream_status, error.provider) == (type_, status, "openai")
    assert error.message.startswith(message)


def test_the_time_to_wait_comes_along() -> None:
    error = failure(429, {"retry-after": "36", "x-ratelimit-reset-requests": "6m0s"}, b"{}", provider="openai", now=0)
    assert error.retry_after == 36.0


@pytest.mark.parametrize(
    ("error", "type_", "status"),
    [
        ('{"code":"rate_limit_exceeded"}', "RateLimited", 429),
        ('{"code":"insufficient_quota"}', "RateLimited", 429),
        ('{"code":"server_error"}', "ProviderUnavailable", 500),
        ('{"code":"vector_store_timeout"}', "ProviderUnavailable", 504),
        ('{"code":"server_is_overloaded"}', "ProviderUnavailable", 503),
        ('{"code":"invalid_prompt"}', "ProviderRejected", 400),
        ('{"code":"image_too_large"}', "ProviderRejected", 400),
        ('{"code":"content_filter"}', "ProviderRejected", 400),
        ('{"code":"context_length_exceeded","type":"invalid_request_error"}', "ProviderRejected", 400),
        ('{"code":null,"type":"invalid_request_error"}', "ProviderRejected", 400),
        ('{"code":"model_not_found"}', "ModelUnavailable", 404),
        ('{"code":"invalid_api_key","type":"invalid_request_error"}', "AuthFailed", 401),
        ('{"code":429}', "RateLimited", 429),
        ('{"code":"503"}', "ProviderUnavailable", 503),
        ('{"code":"never heard of"}', "ProviderUnavailable", 500),
        ('"just words"', "ProviderUnavailable", 500),
    ],
)
@pytest.mark.parametrize(
    "frame",
    [
        'data: {"type":"error","error":%s}\n\n',
        'event: error\ndata: {"error":%s}\n\n',
        'data: {"error":%s}\n\n',
        'data: {"type":"response.failed","response":{"status":"failed","error":%s}}\n\n',
        '{"error":%s}',
    ],
)
def test_an_error_inside_an_answer_is_the_one_its_code_stands_for(
    frame: str, error: str, type_: str, status: int
) -> None:
    result = outcome(decoder(dialect({}), provider="openai"), [(frame % error).encode()])
    assert result.error is not None
    assert (result.error[0], result.error[2]) == (type_, status)
    assert result.error[1].startswith(f"openai answered {status}")
