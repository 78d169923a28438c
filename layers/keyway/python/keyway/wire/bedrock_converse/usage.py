"""Token counts of one answer: reported once, in a document's ``usage`` or in a stream's last event.

``inputTokens`` leaves out what was read from and written to the cache; ``outputTokens`` includes reasoning, which is
not told apart. Source: Amazon Bedrock user guide, "Prompt caching".
"""

from __future__ import annotations

from keyway.events import Usage


def usage_of(reported: object) -> Usage | None:
    """The counts in a ``usage`` object; ``None`` unless both input and output are there."""
    if not isinstance(reported, dict):
        return None
    uncached, output = _count(reported.get("inputTokens")), _count(reported.get("outputTokens"))
    if uncached is None or output is None:
        return None
    read = _count(reported.get("cacheReadInputTokens")) or 0
    written = _count(reported.get("cacheWriteInputTokens")) or 0
    return Usage(
        input=uncached + read + written,
        output=output,
        cache_read=read,
        cache_write=written,
        cache_write_1h=min(_kept_an_hour(reported.get("cacheDetails")), written),
    )


def _kept_an_hour(details: object) -> int:
    if not isinstance(details, list):
        return 0
    return sum(
        _count(entry.get("inputTokens")) or 0
        for entry in details
        if isinstance(entry, dict) and entry.get("ttl") == "1h"
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
