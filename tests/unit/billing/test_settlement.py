"""The account of one exchange: what may follow what, what is recorded, and why a request failed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.answer import Origin
from keyway.billing.records import CostAbsorbed, CostCharged, Failed, Used
from keyway.billing.settlement import AlreadySettledError, Ending, Settlement, Terms
from keyway.errors import (
    DeadlineExceeded,
    ProviderUnavailable,
)
from keyway.events import Usage
from keyway.money import Price, Rates

PRICE = Price(Rates(input=Decimal("2.5"), output=Decimal(10)), "2026-06-11", "v1")
HOSTED = Terms("hosted", billed=True, price=PRICE)
USAGE = Usage(input=1_000, output=500)
COST = Decimal("0.0075")
BROKEN = ProviderUnavailable("The connection to openai broke.")
NOT_HOSTED = [origin for origin in get_args(Origin) if origin != "hosted"]


def accepted(terms: Terms = HOSTED) -> Settlement:
    settlement = Settlement(terms)
    settlement.accept()
    return settlement


def test_an_answer_is_used_once_and_charged_once():
    settlement = Settlement(HOSTED)
    assert settlement.accept() == (Used(),)
    assert settlement.accept() == ()
    statement = settlement.settle(Ending.COMPLETED, turns=[USAGE])
    assert statement.records == (CostCharged(COST),)
    assert (statement.cost.total, statement.reason, statement.absorbed) == (COST, None, 0)
    assert settlement.settled
    assert settlement.accept() == ()


def test_a_request_that_never_had_an_answer_is_not_used():
    statement = Settlement(HOSTED).settle(Ending.FAILED, turns=[None], error=BROKEN)
    assert statement.records == (Failed("other"),)
    assert statement.cost.total == 0


def test_an_answer_that_broke_charges_nothing_and_says_what_it_cost_us():
    statement = accepted(replace(HOSTED, multiplier=Decimal(3))).settle(Ending.FAILED, turns=[USAGE], error=BROKEN)
    assert statement.records == (Failed("other"), CostAbsorbed(COST)), "at the provider's price"
    assert (statement.cost.total, statement.absorbed, statement.reason) == (0, COST, "other")


@pytest.mark.parametrize("usage", [None, Usage(0, 0), Usage(input=-1, output=1)])
def test_an_unknown_cost_is_not_recorded_as_one(usage):
    assert accepted().settle(Ending.FAILED, turns=[usage], error=BROKEN).records == (Failed("other"),)


def test_a_caller_who_left_pays_like_any_other():
    assert accepted().settle(Ending.CANCELLED, turns=[USAGE]).records == (CostCharged(COST),)


def test_a_deadline_is_a_failure_in_time():
    statement = accepted().settle(Ending.DEADLINE, turns=[None], error=DeadlineExceeded("too late"))
    assert statement.records == (Failed("timeout"),)


@pytest.mark.parametrize("usage", [None, Usage(input=10, output=5, cache_read=11), Usage(input=-1, output=1)])
@pytest.mark.parametrize("ending", [Ending.COMPLETED, Ending.CANCELLED])
def test_a_clean_end_that_cannot_be_metered_is_no_silent_zero(usage, ending):
    statement = accepted().settle(ending, turns=[usage])
    assert statement.records == (Failed("metering"),)
    assert (statement.reason, statement.cost.total) == ("metering", 0)


def test_a_charge_of_nothing_is_no_record():
    assert accepted(replace(HOSTED, multiplier=Decimal(0))).settle(Ending.COMPLETED, turns=[USAGE]).records == ()
    assert accepted().settle(Ending.COMPLETED, turns=[Usage(0, 0)]).records == ()


def test_the_multiplier_is_the_platforms():
    statement = accepted(replace(HOSTED, multiplier=Decimal("1.1"))).settle(Ending.COMPLETED, turns=[USAGE])
    assert statement.cost.total == Decimal("0.00825")


@pytest.mark.parametrize("origin", NOT_HOSTED)
def test_only_a_hosted_key_has_records(origin):
    for billed in (True, False):
        terms = Terms(origin, billed=billed, price=PRICE)
        for ending, error in ((Ending.COMPLETED, None), (Ending.FAILED, BROKEN)):
            settlement = Settlement(terms)
            assert settlement.accept() == ()
            assert settlement.settle(ending, turns=[USAGE], error=error).records == ()


def test_a_legacy_platform_key_is_billed_all_the_same():
    statement = accepted(Terms("legacy", billed=True, price=PRICE)).settle(Ending.COMPLETED, turns=[USAGE])
    assert statement.cost.total == COST


@pytest.mark.parametrize("origin", ["byok", "caller", "ambient", "none", "legacy"])
@pytest.mark.parametrize("usage", [USAGE, None])
def test_what_somebody_elses_key_paid_costs_nothing(origin, usage):
    statement = accepted(Terms(origin, billed=False, price=PRICE)).settle(Ending.COMPLETED, turns=[usage])
    assert (statement.cost.input, statement.cost.output, statement.cost.total) == (0, 0, 0)
    assert statement.cost.updated_at == PRICE.updated_at
    assert statement.reason is None
    assert accepted(Terms(origin, billed=False, price=None)).settle(Ending.COMPLETED, turns=[usage]).cost.total == 0


def test_nothing_is_settled_twice():
    settlement = accepted()
    settlement.settle(Ending.COMPLETED, turns=[USAGE])
    with pytest.raises(AlreadySettledError):
        settlement.settle(Ending.FAILED, turns=[None], error=BROKEN)


usages = st.none() | st.builds(Usage, st.integers(-5, 10**6), st.integers(-5, 10**6), st.integers(0, 10))
terms = st.builds(
    Terms,
    st.sampled_from(get_args(Origin)),
    st.booleans(),
    st.none() | st.just(PRICE),
    st.sampled_from([Decimal(0), Decimal(1), Decimal("1.1")]),
)
endings = st.sampled_from([(ending, None) for ending in Ending] + [(ending, BROKEN) for ending in Ending])


@given(terms, st.booleans(), endings, usages)
def test_the_laws_of_an_account(agreed, was_accepted, ended, usage):
    settlement = Settlement(agreed)
    records = list(settlement.accept()) if was_accepted else []
    ending, error = ended
    statement = settlement.settle(ending, turns=[usage], error=error)
    records += statement.records
    charged = [record for record in records if isinstance(record, CostCharged)]
    failed = [record for record in records if isinstance(record, Failed)]
    absorbed = [record for record in records if isinstance(record, CostAbsorbed)]
    assert len({type(record) for record in records}) == len(records), "each at most once"
    assert not (charged and failed)
    assert all(record.amount > 0 for record in charged + absorbed)
    if agreed.origin != "hosted":
        assert not records
        return
    assert sum((record.amount for record in charged), Decimal(0)) == statement.cost.total
    assert sum((record.amount for record in absorbed), Decimal(0)) == statement.absorbed
    if error:
        assert failed
        assert statement.cost.total == 0
    assert [record.reason for record in failed] == ([statement.reason] if statement.reason else [])
