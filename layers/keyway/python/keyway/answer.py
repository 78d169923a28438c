"""What a caller gets back: the whole answer of one exchange, with what it used, took and cost.

Built by ``exchange.py`` when the exchange has been settled; turned into a caller's JSON by the front doors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from keyway.events import FinishReason, ToolCall, Usage
from keyway.money import Cost

Origin: TypeAlias = Literal["byok", "caller", "hosted", "legacy", "ambient", "none"]
"""Where a credential came from: the workspace's stored key, the caller's, the pool of hosted keys, a platform
key of the time before the pool, the function's own AWS role, or no key at all."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of an exchange's time: a model turn or a tool. Times are epoch seconds.

    ``first_byte`` is seconds from ``started`` until the first event of a model turn. ``cost`` is the provider's
    price for this stretch, without the platform's multiplier.
    """

    type: Literal["model", "tool"]
    name: str
    provider: str
    started: float
    ended: float
    first_byte: float | None = None
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """When an exchange ran, in epoch seconds, and its segments in order."""

    started: float
    ended: float
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole of one settled exchange.

    ``usage`` is ``None`` when the provider reported none. ``key`` is the name of the platform key that paid, never
    its secret. ``extras`` is opaque provider state to hand back as ``providerExtras`` on this assistant message.
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
    tool_calls: tuple[ToolCall, ...] = ()
    extras: Mapping[str, object] = field(default_factory=dict)
