"""What a rate limiter is asked before a call on a hosted key, and what it answers. Keeping count is ``outside/``'s.

Counts are kept for each workspace and payee (the ``byokProvider`` of a tool, or its id). Whoever has to wait waits in
line, first come, first served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, TypeAlias

from keyway.billing.records import WaitReason
from keyway.tools.rows import CustomLimit, RequestLimit


@dataclass(frozen=True, slots=True)
class Limited:
    """What is counted: calls by ``workspace_id`` on keys of ``payee``."""

    payee: str
    workspace_id: str
    limit: RequestLimit | CustomLimit


@dataclass(frozen=True, slots=True)
class Admitted:
    """The call may be made. ``waited`` is seconds; ``reason`` what for, or ``None`` when it went straight through."""

    waited: float = 0.0
    reason: WaitReason | None = None


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """The call may not be made in the time it has. ``retry_after`` is seconds until it probably could be.

    ``waited`` is how long it stood in line; 0 when it was turned away at once.
    """

    retry_after: float
    reason: WaitReason
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Nobody can say, because the store of counts cannot be reached: the call may be made."""


Admission: TypeAlias = Admitted | TurnedAway | Uncounted


class Limiter(Protocol):
    """Counts calls."""

    async def admit(self, limited: Limited, *, within: float) -> Admission:
        """Whether a call may be made, after at most ``within`` seconds in line.

        Never raises. When it is cancelled, its place in line is given up.
        """
        ...

    async def use(self, limited: Limited, usage: Mapping[str, Decimal]) -> bool:
        """A call has used up so much of each dimension. Never raises; ``False`` when that could not be counted."""
        ...
