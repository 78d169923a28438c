"""The buckets and the waiting line of one payee and workspace, as a value. Pure: the time and names are arguments.

    calls      tokens of which each call takes one; a new line has all it can hold
    left       what is left of each dimension; below zero it is a debt, which later refills pay off
    tickets    who is waiting, first come first

The rules:

1. A whole period since the last refill adds one refill to every bucket, up to its capacity. Part of a period adds
   nothing, and neither does a clock that is behind the one that refilled last.
2. A call may be made when there is a token for it and something is left of every dimension. It takes the token; what
   it uses of the dimensions is taken once it is known (``used``).
3. Every place in line holds a token back for whoever stands there. So a ticket may go as soon as there are more
   tokens than tickets before it, whether or not those have noticed that they may go, too.
4. A newcomer goes straight through only where nobody waits. Otherwise it stands at the end, or, when its turn would
   come too late for it, is refused and leaves no trace.
5. A ticket is a lease. Whoever does not renew it in time has died, and its place is closed up.

All times are whole milliseconds since 1970: seconds, added up as fractions, would not be the same instant for
everybody. Where a line is kept, and who sleeps until a turn comes, is ``outside/tool_limits.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal
from typing import TypeAlias

from keyway.billing.records import WaitReason
from keyway.tools.rows import CustomLimit, RequestLimit

_EXACT = Context(prec=100)
"""The usual 28 places would lose the end of a long fraction next to a large number."""

_DEEPEST = 1_440
"""Refills that a debt may need to be paid off, a day's: one absurd amount shall not shut a workspace out for ever."""

_APART = 10
"""Milliseconds between those whose turn comes at the same refill, so that they go in order and not all at once."""


class FairQueueError(ValueError):
    """Some text is not a line's."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What a period adds to a bucket, and what the bucket holds at most."""

    refill: int
    capacity: int

    @classmethod
    def of(cls, refill: int, burst: float) -> Rate:
        """A bucket of ``burst`` periods' worth, rounded down; in decimals, for 2.3 times 100 shall be 230."""
        return cls(refill, max(1, int(refill * Decimal(str(burst)))))

    def after(self, periods: int, left: Decimal) -> Decimal:
        """What a bucket that had ``left`` has after so many refills."""
        return max(self._deepest, min(Decimal(self.capacity), _EXACT.fma(self.refill, periods, left)))

    def without(self, amount: Decimal, left: Decimal) -> Decimal:
        """What a bucket that had ``left`` has when ``amount`` is taken."""
        return _EXACT.subtract(left, min(amount, _EXACT.subtract(left, self._deepest)))

    def periods_until_above(self, level: int, left: Decimal) -> int:
        """After how many refills a bucket that has ``left`` has more than ``level``, if it can hold that much."""
        missing = _EXACT.subtract(level, left)
        return 0 if missing < 0 else int(missing // self.refill) + 1

    @property
    def _deepest(self) -> Decimal:
        return Decimal(-self.refill * _DEEPEST)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a line goes by.

    Attributes:
        period: Milliseconds between refills.
        lease: Milliseconds for which a ticket is good unless it is renewed.
        heartbeat: Milliseconds between renewals.
        longest: How many may wait at once.
    """

    calls: Rate
    dimensions: Mapping[str, Rate]
    period: int
    lease: int
    heartbeat: int
    longest: int

    @classmethod
    def of(cls, limit: RequestLimit | CustomLimit, *, period: int, lease: int, heartbeat: int, longest: int) -> Rules:
        """The rules that ``limit`` comes to."""
        rows = limit.dimensions if isinstance(limit, CustomLimit) else ()
        dimensions = {row.name: Rate.of(row.limit_per_minute, row.burst_multiplier) for row in rows}
        calls = Rate.of(limit.requests_per_minute, limit.burst_multiplier)
        return cls(calls, dimensions, period, lease, heartbeat, longest)

    def counted(self, usage: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Those amounts that are taken from a dimension: the finite ones above zero."""
        known = {name: amount for name, amount in usage.items() if name in self.dimensions}
        return {name: amount for name, amount in known.items() if amount.is_finite() and amount > 0}


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in line, which is given up at ``ends``."""

    name: str
    ends: int


@dataclass(frozen=True, slots=True)
class Passed:
    """The call may be made; its token is taken."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """It stands in line. Its turn comes ``at``; it asks again at ``wake``, for its turn or to renew its ticket."""

    at: int
    wake: int
    reason: WaitReason


@dataclass(frozen=True, slots=True)
class Refused:
    """Its turn would come too late: in ``after`` milliseconds, if nobody joins meanwhile."""

    after: int
    reason: WaitReason


Decision: TypeAlias = Passed | Waiting | Refused


@dataclass(frozen=True, slots=True)
class FairQueue:
    """The state of one line. Every method gives a new one, or the same where nothing changes."""

    refilled_at: int
    calls: int
    left: Mapping[str, Decimal] = field(default_factory=dict)
    tickets: tuple[Ticket, ...] = ()

    @classmethod
    def full(cls, rules: Rules, *, now: int) -> FairQueue:
        """A line that nobody has used yet."""
        left = {name: Decimal(rate.capacity) for name, rate in rules.dimensions.items()}
        return cls(now, rules.calls.capacity, left)

    @classmethod
    def read(cls, text: str) -> FairQueue:
        """The line that ``text`` was made from.

        Raises:
            FairQueueError: There is none.
        """
        try:
            match json.loads(text):
                case {"refilledAt": int(at), "calls": int(calls), "left": dict(left), "line": list(places)} if (
                    at >= 0 and calls >= 0
                ):
                    amounts = {name: _amount(amount) for name, amount in left.items()}
                    return cls(at, calls, amounts, tuple(_ticket(place) for place in places))
        except (ValueError, ArithmeticError, RecursionError):
            pass
        raise FairQueueError("is not the state of a line")

    def text(self) -> str:
        """The line as JSON, for ``read``."""
        document = {
            "refilledAt": self.refilled_at,
            "calls": self.calls,
            "left": {name: str(amount) for name, amount in self.left.items()},
            "line": [[ticket.name, ticket.ends] for ticket in self.tickets],
        }
        return json.dumps(document, separators=(",", ":"))

    def ask(self, ticket: str, *, now: int, until: int, rules: Rules) -> tuple[FairQueue, Decision]:
        """Whether a call may be made ``now``, for whoever holds ``ticket``, or will hold it if there is a wait.

        Asking again later with the same ticket renews its lease. One that is not in line, because it is new or was
        away for longer than its lease, is a newcomer.

        Args:
            until: When the call has no time left: it never stands in line for a turn after that.
        """
        line = self.caught_up(now, rules)
        names = [standing.name for standing in line.tickets]
        stands = ticket in names
        place = names.index(ticket) if stands else len(names)
        at, rank = line.turn_of(place, now, rules)
        reason = line.reason_at(place)
        others = tuple(standing for standing in line.tickets if standing.name != ticket)
        if at <= now and (stands or not others):
            return replace(line, calls=line.calls - 1, tickets=others), Passed()
        if at > until or (not stands and place >= rules.longest):
            # Never at once: whoever stands there and may go has to notice it first.
            return (replace(line, tickets=others) if stands else self), Refused(max(1, at - now), reason)
        renewed = (*others[:place], Ticket(ticket, now + rules.lease), *others[place:])
        lasts = at <= now + rules.lease - rules.heartbeat  # without being renewed, and there is time to spare
        wake = min(at + rank * _APART if lasts else now + rules.heartbeat, until)
        return replace(line, tickets=renewed), Waiting(at, wake, reason)

    def undone(self, ticket: str, answer: Decision, *, now: int, rules: Rules) -> FairQueue:
        """The line when the call that ``ask`` last gave ``answer`` to is not made: its token or place is given back."""
        if isinstance(answer, Refused):
            return self
        line = self.caught_up(now, rules)
        if isinstance(answer, Passed):
            return replace(line, calls=min(rules.calls.capacity, line.calls + 1))
        return replace(line, tickets=tuple(standing for standing in line.tickets if standing.name != ticket))

    def used(self, usage: Mapping[str, Decimal], *, now: int, rules: Rules) -> FairQueue:
        """The line when a call has used so much of each dimension. Amounts that do not count are nothing."""
        line = self.caught_up(now, rules)
        taken = {
            name: rules.dimensions[name].without(amount, line.left[name])
            for name, amount in rules.counted(usage).items()
        }
        return replace(line, left={**line.left, **taken})

    def caught_up(self, now: int, rules: Rules) -> FairQueue:
        """The line as it is ``now``: refilled, with the buckets of ``rules`` and without the dead."""
        periods = max(0, (now - self.refilled_at) // rules.period)
        left = {
            name: rate.after(periods, self.left.get(name, Decimal(rate.capacity)))
            for name, rate in rules.dimensions.items()
        }
        return FairQueue(
            refilled_at=self.refilled_at + periods * rules.period,
            calls=min(rules.calls.capacity, self.calls + periods * rules.calls.refill),
            left=left,
            tickets=tuple(ticket for ticket in self.tickets if ticket.ends > now),
        )

    def rested_at(self, rules: Rules) -> int:
        """When every bucket is full and every lease has run out, so that the line is as good as a new one."""
        buckets = [(rules.calls, Decimal(self.calls)), *((rate, self.left[n]) for n, rate in rules.dimensions.items())]
        # Until there is more than fits: a period later than full, which is near enough for something forgotten so late.
        periods = max(rate.periods_until_above(rate.capacity, left) for rate, left in buckets)
        return max([self.refilled_at + periods * rules.period, *(ticket.ends for ticket in self.tickets)])

    def turn_of(self, place: int, now: int, rules: Rules) -> tuple[int, int]:
        """When the turn of ``place`` comes, and how many turns come at the same time before it."""
        refill = rules.calls.refill
        # While a dimension is used up nobody goes, and tokens gather; after that, whoever waits takes all there are.
        pause = max((rate.periods_until_above(0, self.left[n]) for n, rate in rules.dimensions.items()), default=0)
        calls = min(rules.calls.capacity, self.calls + pause * refill)
        if place < calls:
            return (self.refilled_at + pause * rules.period if pause else now), place
        more, rank = divmod(place - calls, refill)
        return self.refilled_at + (pause + more + 1) * rules.period, rank

    def reason_at(self, place: int) -> WaitReason:
        """What a call in this place waits for."""
        if place > 0:
            return "queue_position"
        return "dimension" if any(amount <= 0 for amount in self.left.values()) else "actor_requests"


def _amount(text: object) -> Decimal:
    if not (isinstance(text, str) and (amount := Decimal(text)).is_finite()):
        raise FairQueueError("an amount is not a number")
    return amount


def _ticket(place: object) -> Ticket:
    match place:
        case [str(name), int(ends)]:
            return Ticket(name, ends)
    raise FairQueueError("a place in line is no ticket")
