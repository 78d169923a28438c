from __future__ import annotations

import json

import pytest

from keyway.errors import KeywayError
from keyway.wire import openai_chat as wire


def failure(status: int, body: object, headers: dict[str, str] | None = None) -> KeywayError:
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    return wire.failure(status, headers or {}, said, provider="groq", now=0.0)


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (401, {"error": {"message": "no such key", "code": "invalid_api_key"}}, "AuthFailed", "no such key"),
        (400, {"code": "invalid argument", "error": "Incorrect API key provided: xa***"}, "AuthFailed", "Incorrect"),
        (400, [{"error": {"code": 400, "message": "API key not valid. Pass one."}}], "AuthFailed", "not valid"),
        (402, {"error": {"message": "Insufficient Balance"}}, "RateLimited", "Insufficient Balance"),
        (429, {"error": {"message": "spent", "code": "insufficient_quota"}}, "RateLimited", "insufficient_quota"),
        (403, {"error": "your team's quota is used up"}, "RateLimited", "quota"),
        (404, {"error": {"message": "model 'x' not found"}}, "ModelUnavailable", "not found"),
        (400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"},
         "ModelUnavailable", "Invalid model"),
        (400, {"error": {"message": "x is not a valid model ID", "code": 400}}, "ModelUnavailable", "valid model"),
        (400, {"error": {"message": "Model Not Exist", "code": "invalid_request_error"}}, "ModelUnavailable", "Exist"),
        (400, {"error": {"message": "bad call", "code": "tool_use_failed", "failed_generation": "x"}},
         "ProviderRejected", "tool_use_failed"),
        (400, {"error": {"message": "filtered", "code": "content_filter", "innererror": {"code": "x"}}},
         "ProviderRejected", "content_filter"),
        (422, {"object": "error", "message": {"detail": [{"loc": ["body", "n"], "msg": "must be 1", "type": "x"}]}},
         "ProviderRejected", "body.n: must be 1"),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "must be 1"}]}, "ProviderRejected", "body.n: must be 1"),
        (401, {"message": "Unauthorized", "request_id": "1"}, "AuthFailed", "Unauthorized"),
        (413, {"error": {"message": "too large"}}, "ProviderRejected", "too large"),
        (498, {"error": {"message": "no capacity"}}, "ProviderUnavailable", "no capacity"),
        (503, {"error": "overloaded"}, "ProviderUnavailable", "overloaded"),
        (502, b"<html><head><title>502 Bad Gateway</title></head></html>", "ProviderUnavailable", "502 Bad Gateway"),
        (500, b"", "ProviderUnavailable", "no message"),
        (400, {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": "role is wrong"}}},
         "ProviderRejected", "Provider returned error: role is wrong"),
    ],
)  # fmt: skip
def test_what_a_refusal_stands_for(status: int, body: object, error: str, said: str):
    raised = failure(status, body)

    assert (raised.type, raised.upstream_status, raised.provider) == (error, status, "groq")
    assert said in raised.message


def test_the_time_to_wait_is_kept():
    assert failure(429, {"error": "slow down"}, {"retry-after": "7"}).retry_after == 7.0
    assert failure(498, {"error": "full"}, {"retry-after-ms": "1500"}).retry_after == 1.5


def test_a_key_is_never_shown():
    assert "sk-abcdefgh" not in failure(401, {"error": {"message": "bad key sk-abcdefgh12345678"}}).message
