"""The laws of a line, over any arrivals, departures, deaths and clocks: nobody overtakes and no token goes astray."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import combinations, count
from typing import TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyway.tools.fair_queue import Decision, FairQueue, Passed, Rate, Refused, Rules, Waiting
from keyway.tools.rows import CustomLimit, Dimension, RequestLimit

START = 1_700_000_000_000
MINUTE = 60_000
LEASE, HEARTBEAT = 30_000, 10_000
DAY = 86_400_000
STOOD = Waiting(0, 0, "actor_requests")

rates = st.builds(lambda refill, tenths: Rate(refill, refill * tenths // 10), st.integers(1, 4), st.integers(10, 30))
rules_of_calls = st.builds(
    lambda calls, longest: Rules(calls, {}, MINUTE, LEASE, HEARTBEAT, longest), rates, st.integers(1, 12)
)
amounts = st.decimals(min_value=Decimal("0.000001"), max_value=40, places=6)
debts = st.sampled_from([Decimal(0), Decimal(20), Decimal("20.5"), Decimal(45)])


def per_minute(calls: int, *, burst: float = 1, longest: int = 1_000, **dimensions: int) -> Rules:
    rows = {name: Rate.of(most, burst) for name, most in dimensions.items()}
    return Rules(Rate.of(calls, burst), rows, MINUTE, LEASE, HEARTBEAT, longest)


@dataclass
class Street:
    """A line, the people in it, and a bucket that is reckoned minute by minute."""

    rules: Rules
    now: int = START
    names: count[int] = field(default_factory=count)
    passed: list[tuple[int, str]] = field(default_factory=list)
    deadlines: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.line = FairQueue.full(self.rules, now=self.now)
        self.tokens = self.rules.calls.capacity
        self.next_refill = self.now + self.rules.period

    def wait(self, milliseconds: int) -> None:
        self.now += milliseconds
        while self.next_refill <= self.now:
            self.tokens = min(self.rules.calls.capacity, self.tokens + self.rules.calls.refill)
            self.next_refill += self.rules.period

    def ask(self, name: str) -> Decision:
        self.line, answer = self.line.ask(name, now=self.now, until=self.deadlines[name], rules=self.rules)
        if isinstance(answer, Passed):
            self.passed.append((self.now, name))
            self.tokens -= 1
        return answer

    def arrive(self, within: int) -> tuple[str, Decision]:
        name = str(next(self.names))
        self.deadlines[name] = self.now + within
        return name, self.ask(name)

    def undo(self, name: str, answer: Decision) -> None:
        self.line = self.line.undone(name, answer, now=self.now, rules=self.rules)
        if isinstance(answer, Passed):
            self.tokens = min(self.rules.calls.capacity, self.tokens + 1)

    def standing(self) -> list[str]:
        return [ticket.name for ticket in self.line.tickets if ticket.ends > self.now]


Event: TypeAlias = tuple[str, int]


def happens(what: str, how: st.SearchStrategy[int]) -> st.SearchStrategy[Event]:
    return st.tuples(st.just(what), how)


short = st.sampled_from([1, 5_000, 10_000, 20_000, LEASE - 1])
arrivals = happens("arrives", st.sampled_from([0, MINUTE, 2 * MINUTE, DAY, DAY, DAY]) | st.integers(0, 10 * MINUTE))
looks = happens("looks", st.integers(0, 6)) | happens("all look", st.sampled_from([1, -1]))
# Nobody needs to be killed: whoever does not look for as long as a lease has died.
waits = happens("time passes", short | st.sampled_from([LEASE, MINUTE - 1, MINUTE]) | st.integers(0, 3 * MINUTE))
events = st.lists(
    arrivals | looks | happens("leaves", st.integers(0, 6)) | waits | happens("time passes", short),
    min_size=8,
    max_size=60,
)


def happen(street: Street, event: Event) -> None:
    standing = street.standing()
    match event:
        case "arrives", within:
            street.arrive(within)
        case "time passes", milliseconds:
            street.wait(milliseconds)
        case "all look", step:
            for name in standing[::step]:
                street.ask(name)
        case "looks", place if place < len(standing):
            street.ask(standing[place])
        case "leaves", place if place < len(standing):
            street.undo(standing[place], STOOD)


def after(rules: Rules, happened: list[Event], *spent: Decimal) -> Street:
    """The street when all that has happened, and so much was used of a dimension in the end."""
    street = Street(replace(rules, dimensions={"tokens": Rate(10, 20)}))
    for event in happened:
        happen(street, event)
    for amount in spent:
        street.line = used(street.line, street.rules, street.now, tokens=amount)
    return street


def used(line: FairQueue, rules: Rules, now: int = START, **usage: object) -> FairQueue:
    return line.used({name: Decimal(str(amount)) for name, amount in usage.items()}, now=now, rules=rules)


@given(rules_of_calls, events)
def test_in_no_stretch_of_time_pass_more_than_a_full_bucket_and_its_refills(rules, happened):
    passed = after(rules, happened).passed
    for (first, (begin, _)), (last, (end, _)) in combinations(enumerate(passed), 2):
        refills = (end - START) // MINUTE - (begin - START) // MINUTE
        assert last - first + 1 <= rules.calls.capacity + refills * rules.calls.refill


@given(rules_of_calls, events)
def test_no_token_is_lost_or_made_up_whoever_comes_goes_or_dies(rules, happened):
    street = Street(rules)
    for event in happened:
        happen(street, event)
        assert street.line.caught_up(street.now, rules).calls == street.tokens >= 0


@given(rules_of_calls, events, st.data())
def test_whoever_goes_takes_nothing_from_those_who_came_before(rules, happened, data):
    street = after(rules, happened)
    standing = street.standing()
    line = street.line.caught_up(street.now, rules)
    turns = [line.turn_of(place, street.now, rules) for place in range(len(standing))]
    place = data.draw(st.integers(0, len(standing)))
    answer = street.ask(standing[place]) if place < len(standing) else street.arrive(DAY)[1]
    assert place == 0 or place < len(standing) or not isinstance(answer, Passed)  # a newcomer overtakes nobody
    now = street.line.caught_up(street.now, rules)  # whoever was refused has left it as it was, not yet refilled
    assert [now.turn_of(place, street.now, rules) for place in range(place)] == turns[:place]


@given(rules_of_calls, events)
def test_the_line_is_in_order_of_arrival(rules, happened):
    street = Street(rules)
    for event in happened:
        happen(street, event)
        assert street.standing() == sorted(street.standing(), key=int)
        assert len(street.standing()) <= rules.longest


@given(rules_of_calls, events, debts, st.integers(0, 5 * MINUTE))
@example(
    Rules(Rate(2, 2), {}, MINUTE, LEASE, HEARTBEAT, 1),
    [("time passes", 29_999), *[("arrives", 0)] * 4, ("time passes", 30_000), ("arrives", MINUTE), ("time passes", 1)],
    Decimal(0),
    0,
)  # whoever fills the line may go, and has not noticed yet
def test_whoever_is_refused_leaves_no_trace_and_is_told_when_to_come_back(rules, happened, spent, within):
    street = after(rules, happened, spent)
    rules, line = street.rules, street.line
    _, answer = street.arrive(within)
    if not isinstance(answer, Refused):
        return
    assert street.line is line
    back = street.now + answer.after
    # Meanwhile everybody who stands there lives on and takes his turn, in whatever order they notice it.
    while street.now < back:
        street.wait(min(10_000, back - street.now))
        for name in reversed(street.standing()):
            street.deadlines[name] = street.now + DAY
            street.ask(name)
    _, again = street.arrive(0)
    assert isinstance(again, Passed)
    if not line.tickets:
        assert line.ask("too early", now=back - 1, until=back - 1, rules=rules)[1] == Refused(1, answer.reason)


@given(rules_of_calls, events, debts, st.data())
def test_a_turn_that_was_announced_comes_whatever_the_others_do(rules, happened, spent, data):
    street = after(rules, happened, spent)
    name, answer = street.arrive(DAY)
    if not isinstance(answer, Waiting):
        return
    while street.now < answer.at:
        assert isinstance(street.ask(name), Waiting | Passed)
        if street.passed and street.passed[-1][1] == name:
            return  # somebody before it died or left
        street.wait(min(10_000, answer.at - street.now))
        for event in data.draw(st.lists(arrivals | happens("leaves", st.integers(0, 6)))):
            if event[0] != "leaves" or street.standing()[event[1] : event[1] + 1] != [name]:
                happen(street, event)
    assert isinstance(street.ask(name), Passed)


@given(rules_of_calls, events, st.data())
def test_places_of_the_dead_are_closed_up(rules, happened, data):
    street = after(rules, happened)
    alive = [name for name in street.standing() if data.draw(st.booleans())]
    for name in alive:
        street.deadlines[name] = street.now + DAY
        street.ask(name)
    dead = set(street.standing()) - set(alive)
    for _ in range(3):
        street.wait(LEASE // 3)
        for name in [name for name in street.standing() if name not in dead]:
            street.ask(name)
    line = street.line.caught_up(street.now, street.rules)
    assert [ticket.name for ticket in line.tickets] == [name for name in alive if name in street.standing()]


@given(rules_of_calls, st.lists(st.integers(-5 * MINUTE, 20 * MINUTE), min_size=1, max_size=30))
def test_clocks_that_differ_refill_no_more_than_one_clock_would(rules, clocks):
    line = FairQueue.full(rules, now=START)
    passes, seen = 0, START
    for offset in clocks:
        refilled_at = line.refilled_at
        for _ in range(20):
            line, answer = line.ask("x", now=START + offset, until=START + offset, rules=rules)
            passes += isinstance(answer, Passed)
        seen = max(seen, START + offset)
        assert refilled_at <= line.refilled_at <= seen
    assert passes <= rules.calls.capacity + (seen - START) // MINUTE * rules.calls.refill


def test_three_places_in_three_minutes():
    street = Street(per_minute(1))
    assert street.arrive(DAY)[1] == Passed()
    answers = [street.arrive(DAY)[1] for _ in range(3)]
    assert [answer.at - START for answer in answers] == [MINUTE, 2 * MINUTE, 3 * MINUTE]
    assert [answer.reason for answer in answers] == ["actor_requests", "queue_position", "queue_position"]
    assert street.arrive(4 * MINUTE - 1)[1] == Refused(4 * MINUTE, "queue_position")
    assert isinstance(street.arrive(4 * MINUTE)[1], Waiting)


def test_who_waits_looks_to_renew_its_ticket_and_when_its_turn_comes_one_after_another():
    street = Street(per_minute(3))
    for _ in range(10):
        street.arrive(DAY)
    for _ in range(4):
        assert {street.ask(name).wake - street.now for name in street.standing()} == {HEARTBEAT}
        street.wait(HEARTBEAT)
    # A ticket lasts until its turn, if that comes soon.
    assert [street.ask(name).wake - START for name in ("3", "4", "5", "6")] == [60_000, 60_010, 60_020, 50_000]
    street.deadlines["5"] = START + 60_015
    assert street.ask("5").wake == START + 60_015


def test_a_newcomer_stands_behind_those_who_may_go_but_have_not_gone_yet():
    street = Street(per_minute(3))
    for _ in range(4):
        street.arrive(DAY)
    for _ in range(2):
        street.wait(20_000)
        street.ask("3")
    street.wait(20_000)
    # There are three tokens now, and one who waits and has not looked yet.
    stood = Waiting(street.now, street.now, "queue_position")
    assert [street.arrive(0) for _ in range(2)] == [("4", stood), ("5", stood)]
    assert street.arrive(0) == ("6", Refused(MINUTE, "queue_position"))
    assert [street.ask(name) for name in ("5", "4", "3")] == [Passed()] * 3


def test_the_line_has_an_end():
    street = Street(per_minute(1, longest=2))
    assert [type(street.arrive(DAY)[1]) for _ in range(4)] == [Passed, Waiting, Waiting, Refused]
    street.undo("1", STOOD)
    assert isinstance(street.arrive(DAY)[1], Waiting)


def test_whoever_has_no_time_left_is_turned_away_from_the_line():
    street = Street(per_minute(1))
    for within in (0, DAY, 2 * MINUTE, DAY):
        street.arrive(within)
    street.line = used(street.line, rules := replace(street.rules, dimensions={"tokens": Rate(1, 1)}), tokens=2)
    street.rules = rules  # now everybody has to wait a minute longer, and "2" cannot
    assert street.ask("2") == Refused(3 * MINUTE, "queue_position")
    assert street.standing() == ["1", "3"]
    assert street.ask("3").at == START + 3 * MINUTE


def test_whoever_was_away_for_longer_than_its_lease_stands_at_the_end():
    street = Street(per_minute(1))
    for _ in range(3):
        street.arrive(DAY)
    street.wait(20_000)
    street.ask("2")
    street.wait(10_000)  # the lease of "1" ends
    assert street.standing() == ["2"]
    assert street.ask("1").at == START + 2 * MINUTE
    assert street.standing() == ["2", "1"]


def test_a_call_that_passed_and_was_not_made_gives_its_token_back_once_there_is_room():
    street = Street(per_minute(2))
    undone = street.arrive(0)
    street.undo(*undone)
    assert street.line.calls == 2
    street.arrive(0)
    street.wait(MINUTE)
    street.undo(*undone)
    assert street.line.calls == 2


def test_a_dimension_is_not_taken_before_the_call_and_may_become_a_debt_that_is_waited_for():
    rules = replace(per_minute(10, tokens=100), lease=DAY)
    line, answer = FairQueue.full(rules, now=START).ask("a", now=START, until=START, rules=rules)
    assert (answer, line.left) == (Passed(), {"tokens": 100})
    line = used(line, rules, tokens="350.5")
    assert line.left == {"tokens": Decimal("-250.5")}
    unchanged, answer = line.ask("b", now=START, until=START + 3 * MINUTE - 1, rules=rules)
    assert answer == Refused(3 * MINUTE, "dimension")
    assert unchanged is line
    line, answer = line.ask("b", now=START, until=START + 3 * MINUTE, rules=rules)
    assert (answer.at, answer.reason) == (START + 3 * MINUTE, "dimension")
    line, answer = line.ask("c", now=START, until=START + DAY, rules=rules)
    assert (answer.at, answer.reason) == (START + 3 * MINUTE, "queue_position")
    assert line.ask("b", now=START + 3 * MINUTE, until=START + DAY, rules=rules)[1] == Passed()
    exactly = used(FairQueue.full(rules, now=START), rules, tokens=100)
    assert exactly.ask("a", now=START, until=START, rules=rules)[1] == Refused(MINUTE, "dimension")


def test_the_fullest_wait_decides_when_there_are_several():
    rules = per_minute(2, tokens=100, pages=10)
    line = replace(used(FairQueue.full(rules, now=START), rules, tokens=150, pages=35), calls=0)
    # After three minutes both dimensions allow calls again, and there are two tokens by then.
    assert line.turn_of(1, START, rules) == (START + 3 * MINUTE, 1)
    assert line.turn_of(2, START, rules) == (START + 4 * MINUTE, 0)


@given(st.lists(amounts, max_size=30), st.lists(st.integers(0, 2 * MINUTE), min_size=30, max_size=30))
def test_what_is_used_is_taken_exactly_and_the_long_run_rate_holds(spent, waits):
    rules = per_minute(1_000, tokens=10)
    line, now, left, refills = FairQueue.full(rules, now=START), START, Decimal(10), 0
    for amount, wait in zip(spent, waits, strict=False):
        now += wait
        while START + (refills + 1) * MINUTE <= now:
            refills += 1
            left = min(Decimal(10), left + 10)
        line = used(line, rules, now, tokens=amount)
        left -= amount
        assert line.left == {"tokens": left}
    assert sum(spent, Decimal()) <= 10 + refills * 10 - left


def test_small_amounts_are_not_lost_beside_large_ones():
    rules = per_minute(10, tokens=1_000_000)
    tiny = Decimal("1E-40")
    line = used(FairQueue.full(rules, now=START), rules, tokens=tiny)
    assert line.left["tokens"] + 0 == 1_000_000  # which is what 28 places would make of it
    assert line.left["tokens"] != 1_000_000
    line = FairQueue.read(used(line, rules, tokens=1_000_000).text())
    assert line.left["tokens"] == -tiny
    assert line.ask("a", now=START, until=START, rules=rules)[1] == Refused(MINUTE, "dimension")


@pytest.mark.parametrize("amount", ["0", "-5", "NaN", "sNaN", "Infinity"])
def test_what_is_no_amount_is_nothing(amount):
    rules = per_minute(10, tokens=100)
    assert rules.counted({"tokens": Decimal(amount), "unheard-of": Decimal(1)}) == {}
    line = FairQueue.full(rules, now=START)
    assert used(line, rules, tokens=amount) == line


@pytest.mark.parametrize("amount", ["1E+15", "9.99E+999999"])
def test_an_absurd_amount_is_a_debt_of_a_day(amount):
    rules = per_minute(10, tokens=100)
    line = used(used(FairQueue.full(rules, now=START), rules, tokens=amount), rules, tokens=amount)
    assert line.left == {"tokens": -144_000}
    answer = line.ask("a", now=START, until=START, rules=rules)[1]
    assert answer == Refused(DAY + MINUTE, "dimension")


def test_a_limit_becomes_buckets():
    limit = RequestLimit(mode="per_request", requestsPerMinute=100, burstMultiplier=2.3)
    rest = {"period": 1, "lease": 2, "heartbeat": 3, "longest": 4}
    assert Rules.of(limit, **rest) == Rules(Rate(100, 230), {}, 1, 2, 3, 4)
    row = Dimension(name="tokens", limitPerMinute=7, usage="1")
    custom = CustomLimit(mode="custom", requestsPerMinute=3, burstMultiplier=1.5, dimensions=(row,))
    rules = Rules.of(custom, **rest)
    assert (rules.calls, rules.dimensions) == (Rate(3, 4), {"tokens": Rate(7, 14)})


def test_when_the_operator_changes_a_limit_buckets_shrink_grow_come_and_go():
    line = FairQueue.full(per_minute(10, tokens=100, pages=5), now=START)
    smaller = line.caught_up(START, per_minute(2, tokens=50))
    assert (smaller.calls, smaller.left) == (2, {"tokens": 50})
    larger = smaller.caught_up(START + MINUTE, per_minute(20, words=7))
    assert (larger.calls, larger.left) == (20, {"words": 7})


@given(rules_of_calls, events, st.lists(amounts, max_size=3))
@example(per_minute(1), [("arrives", 0)], [Decimal("0.1")])
def test_a_line_is_the_same_when_it_was_written_down(rules, happened, spent):
    street = after(rules, happened, *spent)
    assert FairQueue.read(street.line.text()) == street.line


@given(rules_of_calls, events, st.lists(amounts, max_size=3))
def test_a_line_that_has_rested_is_as_good_as_a_new_one(rules, happened, spent):
    street = after(replace(rules, lease=20 * MINUTE), happened, *spent)
    rested = street.line.rested_at(street.rules)
    line = street.line.caught_up(rested, street.rules)
    assert replace(line, refilled_at=rested) == FairQueue.full(street.rules, now=rested)
    assert line.refilled_at <= rested
