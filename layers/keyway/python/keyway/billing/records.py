"""What is written down about money and limits: one class for each metric, and whose line it is. Pure.

Which are written and when is decided in ``settlement.py`` (for the model, and for what tools cost) and in
``tools/call.py`` (for a tool's calls). Writing them is ``outside/telemetry.py``. Names, units and dimensions are fixed:
alarms and dashboards (``infra/constructs/``), and those of whoever runs Keyway, ask for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

Reason: TypeAlias = Literal["rate_limited", "auth", "other", "timeout", "metering"]
"""Why a request on a hosted key failed."""

WaitReason: TypeAlias = Literal["actor_requests", "dimension", "queue_position"]
"""What a call waited for: its workspace's own calls, a dimension that was used up, or others who came before it."""

Dimension: TypeAlias = Literal["Provider", "Tool", "Key", "Reason"]
"""What CloudWatch keeps a metric apart by, beside ``Environment``, which every metric has."""


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


class Record:
    """One value of one metric, which is named like its class."""

    __slots__ = ()

    dimensions: ClassVar[tuple[Dimension, ...]]
    """``Reason`` is that of the record's own ``reason``; the others are told by its subject."""

    unit: ClassVar[Literal["Count", "Milliseconds", "None"]] = "Count"

    @property
    def value(self) -> float:
        return 1.0


@dataclass(frozen=True, slots=True)
class Used(Record):
    """A hosted key served a request."""

    dimensions = ("Provider", "Tool", "Key")


class _Amount(Record):
    """US dollars; above 0."""

    __slots__ = ()

    dimensions = ("Provider", "Tool")
    unit = "None"
    amount: Decimal

    @property
    def value(self) -> float:
        return float(self.amount)


@dataclass(frozen=True, slots=True)
class CostCharged(_Amount):
    """What the workspace is charged."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class CostAbsorbed(_Amount):
    """What a failed exchange is known to have cost the platform."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class Failed(Record):
    """A request on a hosted key failed, and why."""

    dimensions = ("Provider", "Tool", "Key", "Reason")
    reason: Reason


@dataclass(frozen=True, slots=True)
class Throttled(Record):
    """A tool's call was given up: its workspace calls too often, or whoever runs the tool kept refusing."""

    dimensions = ("Provider", "Tool", "Reason")
    reason: Literal["billing_actor_limit", "upstream_retries_exhausted"]


@dataclass(frozen=True, slots=True)
class UpstreamRateLimited(Record):
    """Whoever runs a tool said to come back later; the call is tried again."""

    dimensions = ("Tool", "Key")


@dataclass(frozen=True, slots=True)
class QueueWaitDuration(Record):
    """How long a tool's call stood in line, and what for."""

    dimensions = ("Provider", "Reason")
    unit = "Milliseconds"
    milliseconds: float
    reason: WaitReason

    @property
    def value(self) -> float:
        return round(self.milliseconds, 3)


@dataclass(frozen=True, slots=True)
class QueueWaitExceeded(Record):
    """A tool's call stood in line until its time was over."""

    dimensions = ("Provider", "Reason")
    reason: WaitReason


@dataclass(frozen=True, slots=True)
class UnknownModelCost(Record):
    """A tool ran on a hosted key and its price could not be worked out, so nobody was charged for it."""

    dimensions = ("Tool",)


@dataclass(frozen=True, slots=True)
class LimitUncounted(Record):
    """A tool's call was let through, or what it used not counted: the store of rate limits could not be reached, or a
    dimension's usage not be worked out.
    """

    dimensions = ("Provider",)


@dataclass(frozen=True, slots=True)
class Charge:
    """What one tool call on a hosted key cost, in US dollars rounded to 8 places; 0 or more."""

    subject: Subject
    amount: Decimal
