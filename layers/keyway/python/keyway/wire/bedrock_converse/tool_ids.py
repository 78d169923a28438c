"""Tool call ids and names that the API accepts, for conversations that began with another provider.

An id is 1 to 64 of ``A-Z a-z 0-9 _ . : -`` and is used by one call only; a name is 1 to 64 of ``A-Z a-z 0-9 _ -``.
Other wires allow more, and some count their calls afresh in every answer. What is acceptable stays as it is.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from hashlib import blake2s

_FOREIGN = re.compile(r"[^A-Za-z0-9_.:-]")
_FOREIGN_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 64


class ToolIds:
    """The ids of one conversation, met in order: each call's, then its result's."""

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}
        self._unanswered: defaultdict[str, deque[str]] = defaultdict(deque)

    def of_call(self, given: str) -> str:
        """The id to send for a call."""
        times = self._uses[given] = self._uses.get(given, 0) + 1
        sent = _acceptable(given if times == 1 else f"{given}#{times}", _FOREIGN)
        self._unanswered[given].append(sent)
        return sent

    def of_result(self, given: str) -> str:
        """The id to send for the result of the earliest unanswered call that had ``given``."""
        waiting = self._unanswered[given]
        return waiting.popleft() if waiting else _acceptable(given, _FOREIGN)


def tool_name(given: str) -> str:
    """The name to send for a call in the conversation. The tools we offer have acceptable names already."""
    return _acceptable(given, _FOREIGN_IN_A_NAME)


def _acceptable(given: str, foreign: re.Pattern[str]) -> str:
    if len(given) <= _LONGEST and not foreign.search(given):
        return given
    # The digest keeps "a/1" and "a|1" apart, and is the same in every later request of the conversation.
    digest = blake2s(given.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"{foreign.sub('_', given)[: _LONGEST - len(digest) - 1]}_{digest}"
