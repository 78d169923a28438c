"""What a caller gets back: the whole answer of one exchange, with what it used, took and cost.

Built by ``report.py`` when the exchange has been settled; turned into a caller's JSON by the front doors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from keyway.events import FinishReason, ToolCall, ToolStatus, Usage
from keyway.money import Cost

Origin: TypeAlias = Literal["byok", "caller", "hosted", "legacy", "ambient", "none"]
"""Where a credential came from: the workspace's stored key, the caller's, the pool of hosted keys, a platform
key of the time before the pool, the function's own AWS role, or no key at all."""


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One tool call that was answered here. Times are epoch seconds.

    Attributes:
        call: As the model made it.
        arguments: What the tool was run with: the model's arguments under the configured ones, and no key.
        result: The tool's output, or the error that the model was told.
        cost: US dollars for the platform's key; ``None`` when it was not run on one.
    """

    call: ToolCall
    arguments: Mapping[str, object]
    status: ToolStatus
    result: object
    started: float
    ended: float
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of an exchange's time: a model turn or a tool. Times are epoch seconds.

    ``first_byte`` is seconds from ``started`` until the first event of a model turn. ``cost`` is the provider's
    price for this stretch, without the platform's multiplier; ``tool_cost`` is US dollars for a tool. What a model said
    in the turn stands here only where the answer has several.
    """

    type: Literal["model", "tool"]
    name: str
    provider: str | None
    started: float
    ended: float
    first_byte: float | None = None
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    content: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    tool_cost: Decimal | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TranscriptMessage:
    """A turn of the conversation that this exchange added: the model's with its calls, or a tool's result."""

    role: Literal["assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    extras: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timing:
    """When an exchange ran, in epoch seconds, and its segments in order; for how many seconds tools were running."""

    started: float
    ended: float
    segments: tuple[Segment, ...] = ()
    tools_time: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole of one settled exchange.

    ``content`` is what the model said in its last turn; ``usage`` is that of all turns together, and ``None`` when the
    provider left one of them unreported. ``key`` is the name of the platform key that paid, never its secret.
    ``extras`` is opaque provider state to hand back as ``providerExtras`` on this assistant message. ``tool_calls`` are
    those of all turns in their order: run here, or handed back. ``messages`` is what a caller who goes on with the
    conversation puts behind the request's own; empty when no tool was run here.
    """

    content: str
    thinking: str
    model: str
    finish_reason: FinishReason
    usage: Usage | None
    cost: Cost
    timing: Timing
    origin: Origin
    key: str | None
    request_id: str
    tool_calls: tuple[ToolCall | ToolRun, ...] = ()
    extras: Mapping[str, object] = field(default_factory=dict)
    messages: tuple[TranscriptMessage, ...] = ()
