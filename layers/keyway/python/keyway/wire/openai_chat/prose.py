"""An answer's text, with what is no text taken out of it: reasoning in ``<think>`` tags, a Markdown fence around JSON.

Both are recognised at the very start of the text only, so that an answer which speaks of tags or fences is left as it
is, and so that all else passes through without waiting. Text is held back only while it may yet turn out to be one
of them. Used for the dialects that say so; all others skip this module.
"""

from __future__ import annotations

import re

_OPEN, _CLOSE = "<think>", "</think>"
_OPENING = re.compile(r"\s*```(?:json)?\s*(?=[{\[])", re.IGNORECASE)
_CLOSING_LINE = re.compile(r"\r?\n[ \t]*```[ \t]*\r?\n")


class ThinkTags:
    """Splits text that begins with ``<think>`` into reasoning and the rest."""

    def __init__(self) -> None:
        self._held: str = ""
        self._inside = False
        self._begun = False
        self._over = False

    def feed(self, text: str) -> tuple[str, str]:
        """Reasoning and text that ``text`` completes."""
        if self._over:
            return "", self._after(text)
        held = self._held + text
        if not self._inside:
            start = held.lstrip()
            if len(start) < len(_OPEN) and _OPEN.startswith(start):
                self._held = held
                return "", ""
            if not start.startswith(_OPEN):
                self._over = self._begun = True
                self._held = ""
                return "", held
            self._inside = True
            held = start[len(_OPEN) :]
        thought, closed, rest = held.partition(_CLOSE)
        if not closed:
            keep = _overlap(held, _CLOSE)
            thought, self._held = held[: len(held) - keep], held[len(held) - keep :]
            return self._thought(thought), ""
        thought = self._thought(thought)
        self._over, self._begun, self._held = True, False, ""
        return thought, self._after(rest)

    def end(self) -> tuple[str, str]:
        """What was still held back."""
        held, self._held = self._held, ""
        return (held, "") if self._inside and not self._over else ("", held)

    def _thought(self, thought: str) -> str:
        """Without the blank lines that follow the opening tag."""
        if not self._begun:
            thought = thought.lstrip()
            self._begun = bool(thought)
        return thought

    def _after(self, text: str) -> str:
        """Without the blank lines that follow the closing tag."""
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        return text


class Fence:
    """Takes a Markdown fence off JSON that the text begins with; what follows the fence stays."""

    def __init__(self) -> None:
        self._held = ""
        self._opened = False
        self._over = False

    def feed(self, text: str) -> str:
        """The text that ``text`` completes."""
        if self._over:
            return text
        held, self._held = self._held + text, ""
        if not self._opened:
            if _may_become_a_fence(held):
                self._held = held
                return ""
            opening = _OPENING.match(held)
            if opening is None:
                self._over = True
                return held
            self._opened = True
            held = held[opening.end() :]
        return self._inside(held)

    def end(self) -> str:
        """What was still held back, without a closing fence."""
        held, self._held = self._held, ""
        return "" if self._opened and "```" in held else held

    def _inside(self, held: str) -> str:
        line = _CLOSING_LINE.search(held)
        if line and held[line.end() :].strip():
            self._over = True
            return held[: line.start()] + "\n" + held[line.end() :]
        at = line.start() if line else _possible_closing(held)
        self._held = held[at:]
        return held[:at]


def _may_become_a_fence(text: str) -> bool:
    """Whether ``text`` is white space, part of an opening fence, or one with nothing after it."""
    start = text.strip().lower()
    return "```json".startswith(start)


def _possible_closing(text: str) -> int:
    """Where the white space and up to three backticks at the end of ``text`` begin."""
    end = len(text.rstrip())
    ticks = min(3, end - len(text[:end].rstrip("`")))
    return len(text[: end - ticks].rstrip())


def _overlap(text: str, mark: str) -> int:
    """How many characters at the end of ``text`` may be the beginning of ``mark``."""
    longest = min(len(text), len(mark) - 1)
    return next((length for length in range(longest, 0, -1) if mark.startswith(text[-length:])), 0)
