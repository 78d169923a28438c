"""Anthropic Messages as its vendor speaks it. ``request.py`` comes in, ``answer.py`` goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping

from infra.local.provider.anthropic_messages.answer import MessagesAnswer
from infra.local.provider.anthropic_messages.request import check
from infra.local.provider.anthropic_messages.tools import offered, results
from infra.local.provider.protocol import Question, WireProtocol, last_user_text
from infra.local.provider.script import Refusal


def _key(headers: Mapping[str, str]) -> str | None:
    # The vendor's newer clients send a bearer token.
    return headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ") or None


def _wrong_key(key: str | None) -> Refusal:
    said = "x-api-key header is required" if key is None else "invalid x-api-key"
    return Refusal(401, "authentication_error", said)


def _asked(question: Question) -> str:
    return last_user_text(question.body.get("messages"))


def _refusal_body(refusal: Refusal, serial: int) -> bytes:
    error = {"type": refusal.kind, "message": refusal.message}
    body = {"type": "error", "error": error, "request_id": f"req_{serial:024x}"}
    return json.dumps(body, separators=(",", ":")).encode()


def _headers(serial: int) -> Mapping[str, str]:
    return {
        "request-id": f"req_{serial:024x}",
        "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
        "anthropic-ratelimit-requests-limit": "4000",
        "anthropic-ratelimit-requests-remaining": "3999",
        "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:00Z",
    }


PROTOCOL = WireProtocol(
    path=r"/v1/messages",
    key=_key,
    wrong_key=_wrong_key,
    check=check,
    wants_stream=lambda question: question.body.get("stream") is True,
    asked=_asked,
    answer=MessagesAnswer,
    refusal_body=_refusal_body,
    headers=_headers,
    offered=offered,
    results=results,
)
