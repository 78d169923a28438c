"""What an exception of the Converse API stands for, whether it refused the request or broke off a stream.

The exception's name decides, then the status. A refused request names it in a header or in the body; a stream names
it in a message's headers. Text is read for one case only: an id that no model has is refused like any other
mistake. Source: the API reference, "Common errors" and the errors of "Converse" and "ConverseStream".
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from keyway.chat import Json
from keyway.errors import AuthFailed, KeywayError, ProviderUnavailable, RateLimited
from keyway.wire.failure import failure_for, retry_after

_STATUS = {
    "ValidationException": 400,
    "ServiceQuotaExceededException": 400,
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "UnrecognizedClientException": 403,
    "ResourceNotFoundException": 404,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ModelStreamErrorException": 424,
    "ModelNotReadyException": 429,
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
}
"""The HTTP status of each exception that may come inside an answer."""

_THROTTLED = frozenset({"ThrottlingException", "TooManyRequestsException"})
_USED_UP = "ServiceQuotaExceededException"
_REFUSED_KEY = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)
_OF_THE_MODEL = frozenset({"ModelErrorException", "ModelStreamErrorException"})
"""The model itself failed. ``originalStatusCode`` says whether the request was to blame for it."""

_NO_SUCH_MODEL = "The provided model identifier is invalid"
_OUR_REQUEST = "\n\nThe Canonical String"
"""Where a message about a wrong signature begins to quote the request, a session token among its headers."""


def failure(status: int, headers: Mapping[str, str], body: bytes, *, provider: str, now: float) -> KeywayError:
    """See ``Wire.failure``."""
    wait = retry_after(headers, now=now)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        data = {"message": body.decode("utf-8", "replace")}
    kind = _plain(headers.get("x-amzn-errortype")) or _plain(data.get("__type"))
    return _failure(status, kind, data, provider=provider, wait=wait)


def failure_in_band(name: object, data: Json, *, provider: str) -> KeywayError:
    """The error of an exception after a 200: the one its name would have had as a status.

    A name that is not known is the provider's own trouble.
    """
    plain = _plain(name)
    kind = plain[:1].upper() + plain[1:]  # a stream writes it as the name of a field
    return _failure(_STATUS.get(kind, 500), kind, data, provider=provider, wait=None)


def _failure(status: int, kind: str, data: Json, *, provider: str, wait: float | None) -> KeywayError:
    message = (_text(data.get("message")) or _text(data.get("Message"))).partition(_OUR_REQUEST)[0]
    original = _text(data.get("originalMessage"))
    found = failure_for(
        status,
        f"{message} ({original})" if original and original != message else message,
        provider=provider,
        code=kind or None,
        retry_after=wait,
        model_missing=kind == "ResourceNotFoundException" or message.startswith(_NO_SUCH_MODEL),
        used_up=kind == _USED_UP,
    )
    if kind in _THROTTLED or (kind in _OF_THE_MODEL and data.get("originalStatusCode") == 429):
        return RateLimited(found.message, provider=provider, retry_after=wait, upstream_status=status)
    if kind in _REFUSED_KEY and not isinstance(found, RateLimited):
        return AuthFailed(found.message, provider=provider, upstream_status=status)
    if kind in _OF_THE_MODEL and not _blames_the_request(data.get("originalStatusCode")):
        return ProviderUnavailable(found.message, provider=provider, retry_after=wait, upstream_status=status)
    return found


def _blames_the_request(original_status: object) -> bool:
    return isinstance(original_status, int) and 400 <= original_status < 500


def _plain(name: object) -> str:
    """``ValidationException``, whether it is written so, as ``ValidationException:http://…``, or after a ``…#``."""
    return _text(name).partition(":")[0].rpartition("#")[2].strip()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
