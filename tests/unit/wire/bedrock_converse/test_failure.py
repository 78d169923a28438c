"""Which of our errors a refused request of the Converse API is."""

from __future__ import annotations

import json

import pytest

from keyway.errors import (
    AuthFailed,
    KeywayError,
    ModelUnavailable,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)
from keyway.wire import bedrock_converse as wire

ALL = [
    ("ValidationException", 400, ProviderRejected),
    ("ServiceQuotaExceededException", 400, RateLimited),
    ("AccessDeniedException", 403, AuthFailed),
    ("UnrecognizedClientException", 403, AuthFailed),
    ("ExpiredTokenException", 403, AuthFailed),
    ("InvalidSignatureException", 403, AuthFailed),
    ("IncompleteSignatureException", 400, AuthFailed),
    ("ResourceNotFoundException", 404, ModelUnavailable),
    ("ModelTimeoutException", 408, ProviderUnavailable),
    ("ModelErrorException", 424, ProviderUnavailable),
    ("ThrottlingException", 429, RateLimited),
    ("ThrottlingException", 400, RateLimited),
    ("ModelNotReadyException", 429, RateLimited),
    ("InternalServerException", 500, ProviderUnavailable),
    ("ServiceUnavailableException", 503, ProviderUnavailable),
    ("SomethingNewException", 418, ProviderRejected),
]


def failure(status: int, body: object, **headers: str) -> KeywayError:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return wire.failure(status, names, data, provider="bedrock", now=0.0)


@pytest.mark.parametrize(("kind", "status", "error"), ALL)
@pytest.mark.parametrize("message", ["message", "Message"])
def test_the_exception_is_named_in_a_header_or_in_the_body(
    kind: str, status: int, error: type[KeywayError], message: str
) -> None:
    for found in (
        failure(status, {message: "Said so."}, x_amzn_errortype=kind),
        failure(status, {message: "Said so."}, x_amzn_errortype=f"{kind}:http://internal.amazon.com/coral/"),
        failure(status, {message: "Said so.", "__type": f"com.amazon.coral.service#{kind}"}),
    ):
        assert type(found) is error
        assert found.upstream_status == status
        assert found.message == f"bedrock answered {status} ({kind}): Said so."
        assert found.provider == "bedrock"


def test_without_a_name_the_status_decides() -> None:
    assert isinstance(failure(429, {"message": "x"}), RateLimited)
    assert isinstance(failure(502, b"<html><body>Bad gateway</body></html>"), ProviderUnavailable)
    assert isinstance(failure(403, b""), AuthFailed)
    assert isinstance(failure(400, b"[1]"), ProviderRejected)


def test_an_id_that_no_model_has_is_a_missing_model() -> None:
    said = {"message": "The provided model identifier is invalid."}
    assert isinstance(failure(400, said, x_amzn_errortype="ValidationException"), ModelUnavailable)


def test_a_quota_told_by_403_is_a_rate_limit() -> None:
    said = {"message": "You have exceeded your quota."}
    assert isinstance(failure(403, said, x_amzn_errortype="AccessDeniedException"), RateLimited)


@pytest.mark.parametrize(
    ("original", "error"), [(400, ProviderRejected), (429, RateLimited), (500, ProviderUnavailable)]
)
def test_a_failure_of_the_model_is_judged_by_its_original_status(original: int, error: type[KeywayError]) -> None:
    said = {"message": "It failed.", "originalStatusCode": original, "originalMessage": "Too long."}
    found = failure(424, said, x_amzn_errortype="ModelErrorException")
    assert type(found) is error
    assert "It failed. (Too long.)" in found.message
    assert found.upstream_status == 424


def test_a_retry_after_is_kept() -> None:
    assert failure(429, {"message": "x"}, retry_after="7").retry_after == 7


def test_the_request_that_aws_quotes_with_its_session_token_is_not_repeated() -> None:
    said = (
        "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for "
        "this request should have been\n'POST\n/model\n\nx-amz-security-token:SESSIONTOKEN\n'"
    )
    found = failure(403, {"message": said}, x_amzn_errortype="InvalidSignatureException")
    assert "does not match" in found.message
    assert "SESSIONTOKEN" not in found.message
