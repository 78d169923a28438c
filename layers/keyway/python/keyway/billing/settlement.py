"""The one decision about what an exchange cost and what is written down, made exactly once. Pure.

An exchange is in one of three states, and what may follow what is this table:

    state       event       next        records
    ─────────   ─────────   ─────────   ──────────────────────────────────────────────────────────────
    sent        accepted    accepted    Used
    sent        settle      settled     Failed
    accepted    settle      settled     CostCharged, or Failed with what is known of its CostAbsorbed
    settled     settle      —           never: ``AlreadySettledError``

``accepted`` means that the provider's answer is under way: its status was a success and its first bytes were no
error. An exchange ends in one of four ways (``Ending``). A client that left is no failure of the key: the provider
was drained, and what it reported is charged like any other answer.

Records are written for an exchange on a hosted key only; who writes them is ``outside/telemetry.py``. Arithmetic
is in ``cost.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

from keyway.answer import Origin
from keyway.billing.cost import MeteringError, model_cost
from keyway.errors import DeadlineExceeded, KeywayError, RateLimited
from keyway.events import Usage
from keyway.money import FREE, Cost, Price

Reason: TypeAlias = Literal["rate_limited", "auth", "other", "timeout", "metering"]


class Ending(StrEnum):
    """How an exchange ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"


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


Record: TypeAlias = Used | CostCharged | CostAbsorbed | Failed


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed before the request was sent: whose key, which price, which multiplier.

    ``billed`` is whether the workspace pays for the model's tokens: on a hosted key, and on a legacy platform
    key for a hosted model.
    """

    origin: Origin
    billed: bool
    price: Price | None
    multiplier: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Statement:
    """What one exchange came to.

    Attributes:
        ending: How it ended.
        cost: What the caller is charged. Zero for an exchange that failed or that somebody else's key paid.
        records: What is to be written down now.
        reason: Why it failed, or ``None``.
        absorbed: US dollars the platform keeps paying itself.
    """

    ending: Ending
    cost: Cost
    records: tuple[Record, ...]
    reason: Reason | None = None
    absorbed: Decimal = Decimal(0)


class AlreadySettledError(RuntimeError):
    """Somebody tried to settle an exchange twice: a bug, never an answer to a caller."""


class Settlement:
    """The account of one exchange."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._state: Literal["sent", "accepted", "settled"] = "sent"

    @property
    def settled(self) -> bool:
        return self._state == "settled"

    def accept(self) -> tuple[Record, ...]:
        """The provider's answer is under way. Returns what is to be written down: ``Used``, the first time."""
        if self._state != "sent":
            return ()
        self._state = "accepted"
        return (Used(),) if self.terms.origin == "hosted" else ()

    def settle(self, ending: Ending, *, usage: Usage | None, error: BaseException | None = None) -> Statement:
        """Closes the account.

        Args:
            ending: How the exchange ended.
            usage: What the provider reported, all of it or (with ``error``) what was known when it broke.
            error: What went wrong, or ``None`` after a clean drain.

        Raises:
            AlreadySettledError: The account is closed.
        """
        if self._state == "settled":
            raise AlreadySettledError("this exchange has been settled")
        self._state = "settled"
        statement = self._failed(ending, usage, error) if error else self._drained(ending, usage)
        return statement if self.terms.origin == "hosted" else replace(statement, records=())

    def _drained(self, ending: Ending, usage: Usage | None) -> Statement:
        price = self.terms.price
        free = unbilled(price)
        if not self.terms.billed:
            return Statement(ending, free, ())
        try:
            if usage is None or price is None:
                raise MeteringError("the provider reported no usage")
            cost = model_cost(usage, price, multiplier=self.terms.multiplier)
        except MeteringError:
            # Not a silent zero: nobody can be charged, and an operator has to hear of it.
            return Statement(ending, free, (Failed("metering"),), reason="metering")
        return Statement(ending, cost, (CostCharged(cost.total),) if cost.total > 0 else ())

    def _failed(self, ending: Ending, usage: Usage | None, error: BaseException) -> Statement:
        reason = failure_reason(error)
        absorbed = self._known_cost(usage)
        records = (Failed(reason), *((CostAbsorbed(absorbed),) if absorbed > 0 else ()))
        return Statement(ending, unbilled(self.terms.price), records, reason=reason, absorbed=absorbed)

    def _known_cost(self, usage: Usage | None) -> Decimal:
        if usage is None or self.terms.price is None or not self.terms.billed:
            return Decimal(0)
        try:
            return model_cost(usage, self.terms.price, multiplier=Decimal(1)).total
        except MeteringError:
            return Decimal(0)


def unbilled(price: Price | None) -> Cost:
    """The cost of an exchange nobody is charged for; it still tells the date of the price it did not use."""
    return replace(FREE, updated_at=price.updated_at) if price else FREE


_THROTTLED = re.compile(r"quota|rate.?limit|\b(?:429|503)\b", re.IGNORECASE)
_REFUSED = re.compile(r"\b(?:401|403)\b|unauthor|forbidden|invalid api key", re.IGNORECASE)


def failure_reason(error: BaseException) -> Reason:
    """Why a request on a hosted key failed.

    The provider's status decides: 429 and 503 are ``rate_limited``; 401 and 403 are ``auth``, unless they tell
    of a quota or rate limit; any other status is ``other``. Only an error without a status is read by its text.
    """
    if isinstance(error, DeadlineExceeded) or not isinstance(error, KeywayError):
        return "timeout" if isinstance(error, DeadlineExceeded | TimeoutError) else _reason_by_text(str(error))
    if isinstance(error, RateLimited) or error.upstream_status in (429, 503):
        return "rate_limited"
    if error.upstream_status in (401, 403):
        return "auth"
    return "other" if error.upstream_status is not None else _reason_by_text(error.message)


def _reason_by_text(text: str) -> Reason:
    if _THROTTLED.search(text):
        return "rate_limited"
    return "auth" if _REFUSED.search(text) else "other"
