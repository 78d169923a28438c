"""Whether, and after how long, a request that failed before its first byte is sent once more. Pure.

The rules are those the vendors' own SDKs share: twice more after a connection error, a timeout, 408, 409, 429 or a
5xx; a provider's ``x-should-retry`` overrides that; its ``retry-after`` is honoured as long as it is short; without one
the pause doubles from half a second, less up to a quarter of chance. A used-up quota is not waited for. Nothing is
retried after the first byte has left, nor past the deadline.
"""

from __future__ import annotations

from keyway.errors import KeywayError, ProviderUnavailable, RateLimited

RETRIES = 2
"""How often a request is sent again."""

LONGEST_PAUSE = 8.0
"""Seconds. A provider that asks for more is better asked by the caller, who is told how long to wait."""

_FIRST_PAUSE = 0.5
_JITTER = 0.25


def pause(error: KeywayError, *, retries: int, chance: float, remaining: float) -> float | None:
    """Seconds to wait before the next try, or ``None`` when there is to be none.

    Args:
        error: How the last try failed.
        retries: How many there have been already.
        chance: A random number from 0 to 1.
        remaining: Seconds until the exchange's deadline.
    """
    if retries >= RETRIES or not _worth_it(error):
        return None
    if error.retry_after is not None:
        seconds = error.retry_after
    else:
        seconds = min(_FIRST_PAUSE * 2**retries, LONGEST_PAUSE) * (1 - _JITTER * chance)
    return seconds if seconds <= LONGEST_PAUSE and seconds < remaining else None


def _worth_it(error: KeywayError) -> bool:
    if error.should_retry is not None:
        return error.should_retry
    return error.retryable and isinstance(error, RateLimited | ProviderUnavailable)
