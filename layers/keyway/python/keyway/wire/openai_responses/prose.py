"""An answer's text and visible reasoning, each piece exactly once.

The API says everything up to four times: as deltas, when a part is done, when its item is done, and in the terminal
response. Deltas win. What came in none is taken from the first of the others that has it, so that a proxy
which drops the deltas still shows its text, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from keyway.chat import Json
from keyway.events import Event, TextDelta, ThinkingDelta
from keyway.wire.openai_responses.fields import members, text

Source: TypeAlias = Literal["summary", "content"]
"""Where a reasoning item shows its thoughts: OpenAI sums them up, open models show them raw."""

_PARAGRAPH = "\n\n"


class Prose:
    """What of one answer has been said so far.

    Attributes:
        refused: The model declined; its refusal is part of the text.
    """

    def __init__(self) -> None:
        self.refused = False
        self._spoken: set[tuple[object, object]] = set()
        self._thoughts: dict[object, Source] = {}
        self._last_thought: tuple[object, object] | None = None

    def text_delta(self, item: object, part: object, delta: str) -> Iterable[Event]:
        """A piece of part ``part`` of message ``item``."""
        self._spoken.add((item, part))
        return (TextDelta(delta),)

    def text_done(self, item: object, part: object, whole: str) -> Iterable[Event]:
        """The whole text of a part: news only when no delta of it came."""
        if not whole or (item, part) in self._spoken:
            return ()
        return self.text_delta(item, part, whole)

    def message_done(self, item: object, message: Json) -> Iterator[Event]:
        """A whole message item."""
        for index, part in enumerate(members(message, "content")):
            if part.get("type") == "refusal":
                self.refused = True
                yield from self.text_done(item, index, text(part, "refusal"))
            elif part.get("type") == "output_text":
                yield from self.text_done(item, index, text(part, "text"))

    def message_in_terminal(self, position: int, message: Json, *, streamed: bool) -> Iterable[Event]:
        """A message as the terminal response repeats it, where neither id nor position need be those of the stream."""
        if not streamed:
            return self.message_done(position, message)
        self.refused = self.refused or any(part.get("type") == "refusal" for part in members(message, "content"))
        return ()

    @property
    def has_spoken(self) -> bool:
        return bool(self._spoken)

    @property
    def has_thought(self) -> bool:
        return bool(self._thoughts)

    def thought_delta(self, item: object, source: Source, part: object, delta: str) -> Iterable[Event]:
        """A piece of reasoning. An item with both a summary and raw thoughts is heard in the one that came first."""
        if self._thoughts.setdefault(item, source) != source:
            return ()
        place = (item, part)
        if self._last_thought != place:
            if self._last_thought is not None:
                delta = _PARAGRAPH + delta  # parts are paragraphs; nothing in their text separates them
            self._last_thought = place
        return (ThinkingDelta(delta),)

    def reasoning_done(self, item: object, reasoning: Json) -> Iterator[Event]:
        """A whole reasoning item: news only when no delta of it came."""
        if item in self._thoughts:
            return
        sources: tuple[Source, Source] = ("summary", "content")
        for source in sources:
            for index, part in enumerate(members(reasoning, source)):
                if thought := text(part, "text"):
                    yield from self.thought_delta(item, source, index, thought)
