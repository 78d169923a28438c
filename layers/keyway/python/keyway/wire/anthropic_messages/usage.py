"""Token counts of one answer, put together from wherever it reports them.

A stream reports twice and more: the prompt's counts with its first event, then totals so far with each
``message_delta``. Every later number replaces the earlier one and is never added to it; ``null`` and absence keep
what is known. ``input_tokens`` leaves out what was read from and written to the cache; ``output_tokens`` includes
thinking. Source: Anthropic's documentation, "Prompt caching" and "Streaming Messages".
"""

from __future__ import annotations

from keyway.events import Usage


class Counts:
    """What has been reported so far."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def update(self, reported: object) -> Usage | None:
        """Takes in one ``usage`` object and gives the total; ``None`` until input and output are both known."""
        if isinstance(reported, dict):
            self._take(reported, "input_tokens", "output_tokens")
            self._take(reported, "cache_creation_input_tokens", "cache_read_input_tokens")
            self._take(reported.get("cache_creation"), "ephemeral_1h_input_tokens")
            self._take(reported.get("output_tokens_details"), "thinking_tokens")
        known = self._known
        if "input_tokens" not in known or "output_tokens" not in known:
            return None
        read = known.get("cache_read_input_tokens", 0)
        written = known.get("cache_creation_input_tokens", 0)
        return Usage(
            input=known["input_tokens"] + read + written,
            output=known["output_tokens"],
            cache_read=read,
            cache_write=written,
            cache_write_1h=min(known.get("ephemeral_1h_input_tokens", 0), written),
            reasoning=min(known.get("thinking_tokens", 0), known["output_tokens"]),
        )

    def _take(self, reported: object, *names: str) -> None:
        if not isinstance(reported, dict):
            return
        for name in names:
            count = reported.get(name)
            if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
                self._known[name] = count
