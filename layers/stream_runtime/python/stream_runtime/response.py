"""What a handler answers with, and the shape it takes on the wire.

A streamed answer to a function URL is a JSON prelude (status, headers, cookies), eight NUL bytes, then the body
(AWS Lambda developer guide, "Custom runtimes: response streaming"). A plain value for a function URL is read the way
Lambda reads it: an object with `statusCode` is a whole response, anything else is the body of a 200. Pure; who sends
it is `answer`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

JsonValue: TypeAlias = Mapping[str, object] | Sequence[object] | str | int | float | bool | None

PRELUDE_END = bytes(8)
"""No JSON text contains a NUL byte, so eight of them can only be the end of the prelude."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class InvalidResponseError(Exception):
    """The handler returned something that cannot be sent. The message says what."""

    error_type = "Runtime.InvalidResponse"


class MarshalError(Exception):
    """The handler returned a value that JSON cannot express."""

    error_type = "Runtime.MarshalError"


@dataclass(frozen=True, slots=True)
class Response:
    """A streamed answer: status and headers now, the body as it comes.

    `body` is bytes, or an async iterator of bytes; one with an `aclose` is closed exactly once, whatever happens.
    `heartbeat` is written when the body has been silent for a while (a comment frame, for server-sent events); it must
    be something that may stand between any two chunks.

    Raises InvalidResponseError when a status, a header or a cookie could not be sent as HTTP.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: AsyncIterator[bytes] | bytes = b""
    cookies: Sequence[str] = ()
    heartbeat: bytes | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.status, int) or not 200 <= self.status <= 599:
            raise InvalidResponseError(f"status is {self.status!r}: a number from 200 to 599 is expected")
        if not isinstance(self.body, bytes) and not hasattr(self.body, "__anext__"):
            raise InvalidResponseError(f"body is a {type(self.body).__name__}: bytes or an async iterator is expected")
        for name, value in self.headers.items():
            if not _TOKEN.fullmatch(name):
                raise InvalidResponseError(f"{name!r} is not the name of a header")
            _require_field_value(f"the header {name!r}", value)
        for cookie in self.cookies:
            _require_field_value("a cookie", cookie)

    def prelude(self) -> bytes:
        """Status, headers and cookies as the JSON object that opens the stream."""
        prelude: dict[str, object] = {"statusCode": self.status, "headers": dict(self.headers)}
        if self.cookies:
            prelude["cookies"] = list(self.cookies)
        return json.dumps(prelude, separators=(",", ":")).encode()

    @property
    def may_have_content(self) -> bool:
        """Whether HTTP allows this status a body."""
        return self.status not in {204, 304}


def encode(value: object) -> bytes:
    """A handler's value as JSON. Raises MarshalError when it has none."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise MarshalError(f"the handler's answer is not JSON: {error}") from None


def response_to_url(value: object) -> Response:
    """A buffered value as the answer to a function URL.

    Raises MarshalError when the value has no JSON, InvalidResponseError when `statusCode` or its companions are wrong.
    """
    if not isinstance(value, dict) or "statusCode" not in value:
        return Response(200, {"content-type": "application/json"}, encode(value))
    status, headers, cookies = value["statusCode"], value.get("headers") or {}, value.get("cookies") or ()
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if not isinstance(headers, dict):
        raise InvalidResponseError(f"headers is a {type(headers).__name__}: an object is expected")
    if not isinstance(cookies, list | tuple):
        raise InvalidResponseError(f"cookies is a {type(cookies).__name__}: a list is expected")
    named = {str(name): _field_text(content) for name, content in headers.items()}
    if not any(name.lower() == "content-type" for name in named):
        named["content-type"] = "application/json"
    return Response(status, named, _body(value), [str(cookie) for cookie in cookies])


def _body(value: Mapping[str, object]) -> bytes:
    body = value.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        return encode(body)
    if not value.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise InvalidResponseError(f"isBase64Encoded is true, but the body is not base64: {error}") from None


def _field_text(value: object) -> str:
    return value if isinstance(value, str) else encode(value).decode()


def _require_field_value(what: str, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidResponseError(f"{what} is a {type(value).__name__}: text is expected")
    if _NOT_IN_A_HEADER.search(value):
        raise InvalidResponseError(f"{what} has a line break or another control character in it")
