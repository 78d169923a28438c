"""OpenAI Responses as its vendor speaks it. ``request.py`` comes in, ``answer.py`` goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping

from infra.local.provider.openai_responses.answer import ResponsesAnswer
from infra.local.provider.openai_responses.request import check
from infra.local.provider.openai_responses.tools import offered, results
from infra.local.provider.protocol import Question, WireProtocol, last_user_text
from infra.local.provider.script import Refusal


def _key(headers: Mapping[str, str]) -> str | None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key else None


def _wrong_key(key: str | None) -> Refusal:
    if key is None:
        said = "Missing bearer authentication in header"
        return Refusal(401, "invalid_request_error", said)
    # The vendor repeats the key with most of it starred out.
    starred = f"{key[:8]}{'*' * max(len(key) - 12, 0)}{key[-4:]}"
    said = f"Incorrect API key provided: {starred}. You can find your API key at https://platform.openai.com."
    return Refusal(401, "invalid_request_error", said, code="invalid_api_key")


def _asked(question: Question) -> str:
    given = question.body.get("input")
    return given if isinstance(given, str) else last_user_text(given)


def _refusal_body(refusal: Refusal, serial: int) -> bytes:  # noqa: ARG001 - the request's id is in a header only
    error = {"message": refusal.message, "type": refusal.kind, "param": refusal.param, "code": refusal.code}
    return json.dumps({"error": error}, indent=2).encode()


def _headers(serial: int) -> Mapping[str, str]:
    return {
        "x-request-id": f"req_{serial:032x}",
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-remaining-requests": "9999",
        "x-ratelimit-reset-requests": "6ms",
    }


PROTOCOL = WireProtocol(
    path=r"/responses",
    key=_key,
    wrong_key=_wrong_key,
    check=check,
    wants_stream=lambda question: question.body.get("stream") is True,
    asked=_asked,
    answer=ResponsesAnswer,
    refusal_body=_refusal_body,
    headers=_headers,
    offered=offered,
    results=results,
)
