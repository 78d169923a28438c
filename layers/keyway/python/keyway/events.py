"""What a provider's answer turns into: a sequence of small events, the same for every wire.

A decoder emits any number of deltas and finished tool calls, then exactly one ``TurnFinished``, and
nothing after it. A failure is not an event: the decoder raises a ``KeywayError``.

    TextDelta*  ThinkingDelta*  ToolCallStarted* ToolCall*   →   TurnFinished

Where tools are run here, an exchange has several turns. It says so before a turn that may not be the last, and tells of
each tool that has ended:

    TurnStarted  …a turn…  ToolCallEnded*  TurnStarted  …a turn…

Rendering events for a caller is the front doors' work (``doors/``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "error"]
ToolStatus: TypeAlias = Literal["success", "error", "cancelled"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one model turn, normalised so that providers can be compared and priced.

    ``input`` holds every prompt token, cached ones included; ``cache_read`` and ``cache_write`` are parts of
    it, and ``cache_write_1h`` is the part of ``cache_write`` kept for an hour. ``output`` holds every generated
    token, ``reasoning`` included.
    """

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer's text, as it was produced."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """A piece of the model's visible reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """The model has begun to call a tool; its arguments are still being written."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A whole tool call.

    ``arguments`` is the parsed object. ``malformed`` is ``None``, or the text the model wrote when that was not
    a JSON object (``arguments`` is then empty): such a call must be answered, never run.
    """

    id: str
    name: str
    arguments: Mapping[str, object]
    malformed: str | None = None


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The one terminal event of a model turn.

    ``usage`` is ``None`` when the provider reported none: the cost is then unknown, not zero.
    ``extras`` is opaque state the provider wants back on this assistant message in the next request; it is
    replayed through the message's ``providerExtras`` and read only by the wire that wrote it. ``last`` is whether the
    exchange ends with this turn; a decoder cannot know, and says that it does.
    """

    finish_reason: FinishReason
    usage: Usage | None
    response_id: str | None = None
    extras: Mapping[str, object] = field(default_factory=dict)
    last: bool = True


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """A turn of the model begins. While it lasts nobody knows whether it is the last one, unless ``last`` says so."""

    last: bool


@dataclass(frozen=True, slots=True)
class ToolCallEnded:
    """A tool that was run here has ended, or will not be run to its end."""

    id: str
    name: str
    status: ToolStatus


Event: TypeAlias = TextDelta | ThinkingDelta | ToolCallStarted | ToolCall | TurnFinished | TurnStarted | ToolCallEnded
