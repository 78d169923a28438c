"""Token counts of one answer.

Any chunk may report them, and every report is the total so far: a later number replaces the earlier one and is never
added to it. A count of zero is left out, as always in Google's JSON, so absence keeps what is known.
``promptTokenCount`` includes what was read from the cache; thoughts and the prompts of tools that the API runs itself
are counted apart and billed like the rest. Source: Google's guides "Token counting" and "Thinking", "Pricing".
"""

from __future__ import annotations

from keyway.events import Usage

_COUNTS = (
    "promptTokenCount",
    "toolUsePromptTokenCount",
    "cachedContentTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
)


class Counts:
    """What has been reported so far."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self.empty_report = False
        """A report came, and it held no count."""

    def update(self, reported: object) -> Usage | None:
        """Takes in one ``usageMetadata`` and gives the total; ``None`` until any count is known."""
        if isinstance(reported, dict):
            for name in _COUNTS:
                count = reported.get(name)
                if type(count) is int and count >= 0:
                    self._known[name] = count
            self.empty_report = not self._known
        if not self._known:
            return None
        prompt, tools, cached, written, thoughts = (self._known.get(name, 0) for name in _COUNTS)
        return Usage(
            input=prompt + tools,
            output=written + thoughts,
            cache_read=min(cached, prompt + tools),
            reasoning=thoughts,
        )
