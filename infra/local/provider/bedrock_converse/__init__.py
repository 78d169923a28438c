"""Amazon Bedrock's Converse API as Bedrock speaks it. ``request.py`` comes in, ``answer.py`` goes out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from infra.local.provider.bedrock_converse.answer import ConverseAnswer
from infra.local.provider.bedrock_converse.request import check, refused
from infra.local.provider.bedrock_converse.tools import offered, results
from infra.local.provider.protocol import Question, WireProtocol, last_user_text
from infra.local.provider.script import Refusal

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[\w-]+)/\d{8}/[a-z0-9-]+/bedrock/aws4_request, ?"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=[0-9a-f]{64}"
)
_MUST_BE_SIGNED = frozenset({"host", "x-amz-date"})


def _key(headers: Mapping[str, str]) -> str | None:
    """The access key id of a signed request (the signature itself is not verified), or the bearer token."""
    authorization = headers.get("authorization", "")
    signed = _SIGNED.fullmatch(authorization)
    if signed is not None:
        must = _MUST_BE_SIGNED | ({"x-amz-security-token"} & set(headers))
        return signed["id"] if must <= set(signed["signed"].split(";")) and "x-amz-date" in headers else None
    return authorization.removeprefix("Bearer ") or None if authorization.startswith("Bearer ") else None


def _wrong_key(key: str | None) -> Refusal:
    if key is None:
        return refused("MissingAuthenticationTokenException", "Missing Authentication Token", status=403)
    return refused("UnrecognizedClientException", "The security token included in the request is invalid.", status=403)


def _asked(question: Question) -> str:
    return last_user_text(question.body.get("messages"))


def _refusal_body(refusal: Refusal, serial: int) -> bytes:  # noqa: ARG001 - the request's id is in a header
    body = {"message": refusal.message}
    if "x-amzn-errortype" not in refusal.headers:
        body["__type"] = refusal.kind
    return json.dumps(body).encode()


def _headers(serial: int) -> Mapping[str, str]:
    return {"x-amzn-requestid": f"00000000-0000-4000-8000-{serial:012x}"}


PROTOCOL = WireProtocol(
    path=r"/model/[^/]+/converse(-stream)?",
    key=_key,
    wrong_key=_wrong_key,
    check=check,
    wants_stream=lambda question: question.path.endswith("/converse-stream"),
    asked=_asked,
    answer=ConverseAnswer,
    refusal_body=_refusal_body,
    headers=_headers,
    offered=offered,
    results=results,
    stream_type="application/vnd.amazon.eventstream",
)
