"""Why a request on a hosted key failed, as the metric ``Failed`` tells it. Pure.

Errors of a wire say what their status was (``wire/failure.py``); this is where one becomes a ``Reason``.
"""

from __future__ import annotations

import re

from keyway.billing.records import Reason
from keyway.errors import DeadlineExceeded, KeywayError, RateLimited
from keyway.wire.failure import tells_of_a_limit

_THROTTLED = re.compile(r"\b(?:429|503)\b")
_REFUSED = re.compile(r"\b(?:401|403)\b|unauthor|forbidden|invalid api key", re.IGNORECASE)


def failure_reason(error: BaseException) -> Reason:
    """Why a request on a hosted key failed.

    The provider's status decides (``status_reason``). Only an error without a status is read by its text.
    """
    if isinstance(error, DeadlineExceeded) or not isinstance(error, KeywayError):
        return "timeout" if isinstance(error, DeadlineExceeded | TimeoutError) else _reason_by_text(str(error))
    if isinstance(error, RateLimited):
        return "rate_limited"
    if error.upstream_status in (401, 403):
        return "auth"  # one that told of a quota has become ``RateLimited``
    return status_reason(error.upstream_status, error.message)


def status_reason(status: int | None, text: str) -> Reason:
    """Why somebody else's service refused a platform key.

    429 and 503 are ``rate_limited``; 401 and 403 are ``auth``, unless they tell of a quota or a rate limit; any other
    status is ``other``. Without a status, ``text`` decides.
    """
    if status is None:
        return _reason_by_text(text)
    if status in (429, 503) or (status in (401, 403) and tells_of_a_limit(text)):
        return "rate_limited"
    return "auth" if status in (401, 403) else "other"


def _reason_by_text(text: str) -> Reason:
    if _THROTTLED.search(text) or tells_of_a_limit(text):
        return "rate_limited"
    return "auth" if _REFUSED.search(text) else "other"
