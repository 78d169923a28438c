"""The platform's numbered keys and whose turn it is: round robin for each provider. Pure.

Names follow one rule. With ``OPENAI_API_KEY_COUNT`` the keys are ``_1`` to ``_COUNT``; without it they are ``_1``,
``_2``, … up to the first name that is missing. A name with an empty value is passed over and does not end the row.
The bare name (``OPENAI_API_KEY``) is never in the pool; it serves the order of old, in ``resolve.py``.

There is no queue and no bucket: a provider's rate limit is the provider's to tell.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

_LEADING_INTEGER = re.compile(r"\s*\+?(\d{1,9})")


class KeyPool:
    """Deals out hosted keys. One per execution environment.

    Args:
        start: Where each provider's row begins: a position, or a source of positions. A random start keeps many
            fresh environments from all leaning on key 1.
    """

    def __init__(self, start: random.Random | int) -> None:
        self._start = start
        self._turns: dict[str, int] = {}

    def take(self, provider: str, key_prefix: str, document: Mapping[str, str]) -> tuple[str, str] | None:
        """The name and the secret of the next key of ``provider``, or ``None`` when the pool has none for it.

        Args:
            key_prefix: The stem of the names, such as ``OPENAI_API_KEY``.
            document: The platform's keys by name.
        """
        names = key_names(key_prefix, document)
        if not names:
            return None
        turn = self._turns.get(provider)
        if turn is None:
            turn = self._start if isinstance(self._start, int) else self._start.randrange(len(names))
        self._turns[provider] = turn + 1
        name = names[turn % len(names)]
        return name, document[name].strip()


def key_names(key_prefix: str, document: Mapping[str, str]) -> tuple[str, ...]:
    """The pool's names for ``key_prefix`` that hold a key, in order of their numbers."""
    pattern = re.compile(rf"{re.escape(key_prefix)}_([1-9]\d{{0,8}})")
    numbers = sorted(int(match[1]) for name in document if (match := pattern.fullmatch(name)))
    declared = _LEADING_INTEGER.match(document.get(f"{key_prefix}_COUNT", ""))
    if last := int(declared[1]) if declared else 0:
        numbers = [number for number in numbers if number <= last]
    else:
        numbers = [number for place, number in enumerate(numbers, start=1) if number == place]
    names = (f"{key_prefix}_{number}" for number in numbers)
    return tuple(name for name in names if document[name].strip())
