"""Tool call ids that the Messages API accepts, for conversations that began with another provider.

An id must match ``[A-Za-z0-9_-]+`` and be used by one call only. Other wires allow more, and some count their
calls afresh in every answer. An acceptable id stays as it is.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from hashlib import blake2s

_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")


class ToolIds:
    """The ids of one conversation, met in order: each call's, then its result's."""

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}
        self._unanswered: defaultdict[str, deque[str]] = defaultdict(deque)

    def of_call(self, given: str) -> str:
        """The id to send for a call."""
        times = self._uses[given] = self._uses.get(given, 0) + 1
        sent = _acceptable(given) if times == 1 else _acceptable(f"{given}#{times}")
        self._unanswered[given].append(sent)
        return sent

    def of_result(self, given: str) -> str:
        """The id to send for the result of the earliest unanswered call that had ``given``."""
        waiting = self._unanswered[given]
        return waiting.popleft() if waiting else _acceptable(given)


def _acceptable(given: str) -> str:
    if not _FOREIGN.search(given):
        return given
    # The digest keeps "a.1" and "a:1" apart, and is the same in every later request of the conversation.
    digest = blake2s(given.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"{_FOREIGN.sub('_', given)}_{digest}"
