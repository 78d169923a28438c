"""What is written down about money and limits: one value for each metric, and whose line it is. Pure.

Which are written and when is decided in ``settlement.py`` (for the model, and for what tools cost) and in
``tools/call.py`` (for a tool's calls). Writing them, with their names, units and dimensions, is
``outside/telemetry.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

Reason: TypeAlias = Literal["rate_limited", "auth", "other", "timeout", "metering"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a record is about: a model at its provider, or a tool and whoever is paid for it.

    Attributes:
        provider: The provider's id; for a tool, the ``byokProvider`` of its row, or its own id.
        tool: The model's id, or the tool's.
        key: The name of the platform's key, never its secret.
        call_id: The tool call's id.
        price_version: Which price of the tool's is meant; a model's is part of its exchange's terms.
    """

    provider: str
    tool: str
    key: str | None = None
    call_id: str | None = None
    price_version: str | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """A hosted key served a request."""


@dataclass(frozen=True, slots=True)
class CostCharged:
    """What the workspace is charged, in US dollars; above 0."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class CostAbsorbed:
    """What a failed exchange is known to have cost the platform, in US dollars; above 0."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class Failed:
    """A request on a hosted key failed, and why."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Throttled:
    """A tool's call was given up: its workspace calls too often, or whoever runs the tool kept refusing."""

    reason: Literal["billing_actor_limit", "upstream_retries_exhausted"]


@dataclass(frozen=True, slots=True)
class UpstreamRateLimited:
    """Whoever runs a tool said to come back later; the call is tried again."""


@dataclass(frozen=True, slots=True)
class QueueWaitDuration:
    """How long a tool's call stood in line, and what for."""

    milliseconds: float
    reason: Literal["actor_requests", "dimension", "queue_position"]


@dataclass(frozen=True, slots=True)
class QueueWaitExceeded:
    """A tool's call stood in line until its time was over."""

    reason: Literal["actor_requests", "dimension", "queue_position"]


@dataclass(frozen=True, slots=True)
class UnknownModelCost:
    """A tool ran on a hosted key and its price could not be worked out, so nobody was charged for it."""


@dataclass(frozen=True, slots=True)
class LimitUncounted:
    """The store of rate limits could not be reached, so a tool's call was let through, or its usage not counted."""


Record: TypeAlias = (
    Used
    | CostCharged
    | CostAbsorbed
    | Failed
    | Throttled
    | UpstreamRateLimited
    | QueueWaitDuration
    | QueueWaitExceeded
    | UnknownModelCost
    | LimitUncounted
)


@dataclass(frozen=True, slots=True)
class Charge:
    """What one tool call on a hosted key cost, in US dollars rounded to 8 places; 0 or more."""

    subject: Subject
    amount: Decimal
