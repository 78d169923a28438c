"""What HTTP itself says of a failed request: status, ``Retry-After``, and a code or message where a body has one.

Each wire reads its own error bodies and calls ``failure_for`` with what it found. Status and code decide; text
is read only where vendors offer nothing else (a quota told by 401 or 403).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from keyway.errors import (
    AuthFailed,
    KeywayError,
    ModelUnavailable,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)

_QUOTA = re.compile(r"quota|rate.?limit", re.IGNORECASE)
_KEY = re.compile(
    r"\b(?:bearer\s+\S{16,}|(?:sk|pk|rk|gsk|xai|csk|fw|tgp)[-_][\w.*-]{8,}|AIza[\w-]{20,})", re.IGNORECASE
)
"""What looks like a key: some vendors quote the one they refuse, masked or whole."""
_LONGEST_MESSAGE = 2_000
"""Characters of a provider's text that are passed on; a gateway's HTML page can be far longer."""
_LONGEST_PAGE = 16_000
"""Characters of an HTML page that are searched for its text."""

USED_UP = frozenset(
    {
        "billing_error",
        "credit_balance_exhausted",
        "enforced_spend_limit_reached",
        "insufficient_balance",
        "insufficient_quota",
        "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "project_spend_limit_exceeded",
    }
)
"""Error codes and types of a quota or a budget that somebody has to fill up: waiting a little does not help. Sources:
the error guides of OpenAI, Anthropic and DeepSeek."""


def failure_for(
    status: int,
    message: str,
    *,
    provider: str,
    code: str | None = None,
    retry_after: float | None = None,
    model_missing: bool = False,
    used_up: bool = False,
) -> KeywayError:
    """The error that ``status`` (HTTP, or what an in-band error stands for) means.

    Args:
        message: The provider's own words, or ``""``.
        code: The provider's error code, shown beside the message.
        retry_after: Seconds, from ``retry_after``.
        model_missing: The wire knows that the 404 (or 400) is about the model itself.
        used_up: The wire knows that a quota or budget is used up, whatever the status. A code of ``USED_UP`` says so
            by itself. Such an error, and any limit that is told by 401, 402 or 403, is not worth another try.
    """
    said = _readable(message) or "no message"
    text = f"{provider} answered {status}{f' ({code})' if code else ''}: {said}"
    used_up = used_up or code in USED_UP
    if not used_up and (model_missing or status == 404):
        return ModelUnavailable(text, provider=provider, upstream_status=status)
    if used_up or status == 429 or (status in (401, 402, 403) and (tells_of_a_limit(message) or status == 402)):
        limited = RateLimited(text, provider=provider, retry_after=retry_after, upstream_status=status)
        limited.retryable = status == 429 and not used_up
        return limited
    if status in (401, 403):
        return AuthFailed(text, provider=provider, upstream_status=status)
    if status in (408, 409) or status >= 500:
        return ProviderUnavailable(text, provider=provider, retry_after=retry_after, upstream_status=status)
    return ProviderRejected(text, provider=provider, upstream_status=status)


def tells_of_a_limit(text: str) -> bool:
    """Whether a provider's words are about a quota or a rate limit, which some vendors tell by 401 or 403."""
    return _QUOTA.search(text) is not None


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds the provider asks to wait: ``retry-after-ms``, else ``retry-after`` in seconds or as an HTTP date.

    ``headers`` have lower-case names; ``now`` is the epoch in seconds. ``None`` when absent or unreadable.
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return max(milliseconds / 1000, 0.0)
    value = headers.get("retry-after")
    if (seconds := _number(value)) is not None:
        return max(seconds, 0.0)
    if value:
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        # An HTTP date is in GMT; one that leaves the zone out must not be read in this machine's.
        return max((until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - now, 0.0)
    return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return number if number is None or number - number == 0 else None  # neither infinite nor NaN


def _readable(text: str) -> str:
    """Provider text fit for an error message: no key, no markup of an HTML page, no line breaks, not too long."""
    if "<html" in text[:500].lower() or "<!doctype" in text[:500].lower():
        text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", text[:_LONGEST_PAGE], flags=re.DOTALL | re.IGNORECASE)
    return _KEY.sub("[key]", " ".join(text[:_LONGEST_PAGE].split()))[:_LONGEST_MESSAGE]
