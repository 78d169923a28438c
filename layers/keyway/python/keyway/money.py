"""The words for money: what a model's tokens cost (``Price``) and what one exchange cost (``Cost``).

All amounts are US dollars in ``Decimal``; a rate is dollars per million tokens. The arithmetic is in
``billing/cost.py``; the rows of prices are in ``catalog/prices.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per million tokens of each kind.

    ``cache_read`` and the cache-write rates are ``None`` when the provider publishes no rate of their own;
    such tokens then cost what ordinary input costs.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """Rates for the whole of a request whose input is longer than ``above`` tokens."""

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs. ``tiers`` are in rising order of ``above``."""

    rates: Rates
    updated_at: str
    version: str
    tiers: tuple[Tier, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one exchange costs the caller, in US dollars, rounded to 8 places half up.

    ``total`` comes from the unrounded sum, so it may differ from ``input + output`` in the last place.
    """

    input: Decimal
    output: Decimal
    total: Decimal
    rates: Rates | None
    updated_at: str | None
    tool_cost: Decimal | None = None


FREE = Cost(input=ZERO, output=ZERO, total=ZERO, rates=None, updated_at=None)
"""The model cost of an exchange that somebody else's key paid for."""
