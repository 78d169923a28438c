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

An exchange may have several model turns and, between them, tools that ran on hosted keys. What tools cost stands in the
same account: it is charged when the exchange ends well, whoever's key paid for the model, and absorbed with the rest
when it fails. So no dollar of a tool is written down before the end, and each is written down once.

Records of the model are made for an exchange on a hosted key only; who writes them is ``outside/telemetry.py``.
Arithmetic is in ``cost.py``, and why an exchange failed is read in ``failure_reason.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from keyway.answer import Origin
from keyway.billing.cost import MeteringError, check_usage, turns_cost, with_tool_cost
from keyway.billing.failure_reason import failure_reason
from keyway.billing.records import Charge, CostAbsorbed, CostCharged, Failed, Reason, Record, Subject, Used
from keyway.events import Usage
from keyway.money import FREE, Cost, Price


class Ending(StrEnum):
    """How an exchange ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"


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
        records: What is to be written down now about the model.
        tool_records: The same about each tool call that cost something.
        reason: Why it failed, or ``None``.
        absorbed: US dollars the platform keeps paying itself, for the model and for tools.
    """

    ending: Ending
    cost: Cost
    records: tuple[Record, ...]
    tool_records: tuple[tuple[Subject, Record], ...] = ()
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

    def settle(
        self,
        ending: Ending,
        *,
        turns: Sequence[Usage | None],
        tools: Sequence[Charge] = (),
        error: BaseException | None = None,
    ) -> Statement:
        """Closes the account.

        Args:
            ending: How the exchange ended.
            turns: What the provider reported for each model turn, all of it or (with ``error``) what was known when
                it broke. ``None`` for a turn of which nothing was reported.
            tools: What each tool call on a hosted key cost.
            error: What went wrong, or ``None`` after a clean drain.

        Raises:
            AlreadySettledError: The account is closed.
        """
        if self._state == "settled":
            raise AlreadySettledError("this exchange has been settled")
        self._state = "settled"
        paid = [charge for charge in tools if charge.amount > 0]
        statement = self._failed(ending, turns, paid, error) if error else self._drained(ending, turns, paid)
        return statement if self.terms.origin == "hosted" else replace(statement, records=())

    def _drained(self, ending: Ending, turns: Sequence[Usage | None], paid: Sequence[Charge]) -> Statement:
        owed = tuple((charge.subject, CostCharged(charge.amount)) for charge in paid)
        tool_cost = _sum(paid)
        price = self.terms.price
        free = with_tool_cost(unbilled(price), tool_cost)
        if not self.terms.billed:
            return Statement(ending, free, (), owed)
        reported = [usage for usage in turns if usage is not None]
        try:
            if len(reported) < len(turns) or not reported or price is None:
                raise MeteringError("the provider reported no usage")
            cost = turns_cost(reported, price, multiplier=self.terms.multiplier)
        except MeteringError:
            # Not a silent zero: nobody can be charged for the model, and an operator has to hear of it. What is known
            # of its turns is absorbed; the tools are priced without it and charged.
            absorbed = self._known_cost(turns)
            return Statement(ending, free, _failure("metering", absorbed), owed, reason="metering", absorbed=absorbed)
        records = (CostCharged(cost.total),) if cost.total > 0 else ()
        return Statement(ending, with_tool_cost(cost, tool_cost), records, owed)

    def _failed(
        self, ending: Ending, turns: Sequence[Usage | None], paid: Sequence[Charge], error: BaseException
    ) -> Statement:
        reason = failure_reason(error)
        absorbed = self._known_cost(turns)
        return Statement(
            ending,
            unbilled(self.terms.price),
            _failure(reason, absorbed),
            tuple((charge.subject, CostAbsorbed(charge.amount)) for charge in paid),
            reason=reason,
            absorbed=absorbed + _sum(paid),
        )

    def _known_cost(self, turns: Sequence[Usage | None]) -> Decimal:
        if self.terms.price is None or not self.terms.billed:
            return Decimal(0)
        known: list[Usage] = []
        for usage in turns:
            try:
                if usage is not None:
                    check_usage(usage)
                    known.append(usage)
            except MeteringError:
                continue
        return turns_cost(known, self.terms.price).total if known else Decimal(0)


def _failure(reason: Reason, absorbed: Decimal) -> tuple[Record, ...]:
    return (Failed(reason), *((CostAbsorbed(absorbed),) if absorbed > 0 else ()))


def _sum(paid: Sequence[Charge]) -> Decimal:
    return sum((charge.amount for charge in paid), Decimal(0))


def unbilled(price: Price | None) -> Cost:
    """The cost of an exchange nobody is charged for; it still tells the date of the price it did not use."""
    return replace(FREE, updated_at=price.updated_at) if price else FREE
