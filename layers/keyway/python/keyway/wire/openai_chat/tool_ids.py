"""Tool call ids that the host accepts, for conversations that began with another one.

Mistral takes nine letters or digits and nothing else; OpenAI and Azure at most 40 characters. An id that fits stays as
it is. Any other is replaced by one made of it, the same for a call and its result and in every later request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import blake2s

from keyway.wire.openai_chat.dialect import ToolIds

_NINE = re.compile(r"[A-Za-z0-9]{9}")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _unchanged(given: str) -> str:
    return given


def _at_most_40(given: str) -> str:
    return given if len(given) <= 40 else f"call_{_digest(given).hex()}"


def _nine_alphanumerics(given: str) -> str:
    if _NINE.fullmatch(given):
        return given
    number = int.from_bytes(_digest(given), "big")
    letters = []
    for _ in range(9):
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)


def _digest(given: str) -> bytes:
    return blake2s(given.encode("utf-8", "surrogatepass"), digest_size=16).digest()


ACCEPTED: Mapping[ToolIds, Callable[[str], str]] = {
    "any": _unchanged,
    "at_most_40": _at_most_40,
    "nine_alphanumerics": _nine_alphanumerics,
}
"""The id to send for an id of ours, by what the host accepts."""
