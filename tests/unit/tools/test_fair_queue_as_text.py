"""How a queue is written down, and what becomes of text that is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyway.tools.fair_queue import FairQueue, FairQueueError, Ticket
from tests.unit.tools.test_fair_queue import DAY, START, per_minute, used

GOOD = '{"refilledAt":1,"calls":2,"left":{"tokens":"-1.5"},"line":[["a",3]]}'


def test_how_a_line_is_written_down():
    line = FairQueue(1, 2, {"tokens": Decimal("-1.5")}, (Ticket("a", 3),))
    assert line.text() == GOOD
    assert FairQueue.read(GOOD) == line


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "{}", '{"refilledAt":1,"calls":2,"left":{}}'),
        *(GOOD.replace('"calls":2', f'"calls":{wrong}') for wrong in ("-1", "2.5", '"2"', "1" * 5_000)),
        *(GOOD.replace('"refilledAt":1', f'"refilledAt":{wrong}') for wrong in ("-1", "1e3", "null")),
        *(GOOD.replace('"-1.5"', wrong) for wrong in ("-1.5", '"some"', '"NaN"', '"sNaN"', '"-Infinity"')),
        *(GOOD.replace('["a",3]', wrong) for wrong in ('["a"]', '[3,"a"]', "null", "[" * 100_000)),
    ],
    ids=lambda text: text[:80],
)
def test_what_is_no_line_is_not_read_as_one(text):
    with pytest.raises(FairQueueError):
        FairQueue.read(text)


@example(START, 0, Decimal("-9E+999999"))
@example(START, 0, Decimal("9E+999999"))
@given(st.integers(0, 2**60), st.integers(0, 2**60), st.decimals(allow_nan=False, allow_infinity=False))
def test_whatever_was_written_down_can_be_gone_by(refilled_at, calls, left):
    # A line of the right shape may still hold anything; it must not stop everybody with an error for ever.
    rules = per_minute(3, tokens=5)
    line = FairQueue(refilled_at, calls, {"tokens": left}, (Ticket("a", START + 1),))
    changed, _ = line.ask("b", now=START, until=START + DAY, rules=rules)
    changed = used(changed.caught_up(START, rules), rules, tokens=1)
    assert changed.calls <= 3
    assert -1_440 * 5 <= changed.left["tokens"] <= 5
    assert changed.rested_at(rules) >= 0
