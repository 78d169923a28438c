"""The account of an exchange with several turns and paid tools: each dollar once, charged or absorbed."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from keyway.billing.cost import model_cost, turns_cost
from keyway.billing.records import Charge, CostAbsorbed, CostCharged, Failed, Subject
from keyway.billing.settlement import Ending, Settlement, Terms
from keyway.errors import ProviderUnavailable
from keyway.events import Usage
from keyway.money import Price, Rates, Tier

PRICE = Price(Rates(input=Decimal("2.5"), output=Decimal(10)), "2026-06-11", "v1")
HOSTED = Terms("hosted", billed=True, price=PRICE)
CALLERS = Terms("caller", billed=False, price=PRICE)
SEARCH = Subject("search", "search", "SEARCH_API_KEY_1", "call-1")
USAGE = Usage(input=1_000, output=500)
BROKEN = ProviderUnavailable("The connection broke.")

usages = st.builds(Usage, st.integers(0, 10**6), st.integers(0, 10**6))
amounts = st.decimals(0, 10, places=8, allow_nan=False, allow_infinity=False)
charges = st.lists(st.builds(Charge, st.just(SEARCH), amounts), max_size=6)


def settled(terms: Terms = HOSTED, **said):
    settlement = Settlement(terms)
    settlement.accept()
    return settlement.settle(Ending.FAILED if said.get("error") else Ending.COMPLETED, **said)


def amount(records) -> Decimal:
    return sum((record.amount for record in records if isinstance(record, CostCharged | CostAbsorbed)), Decimal(0))


@given(st.lists(usages, min_size=1, max_size=5), charges, st.sampled_from([HOSTED, CALLERS]), st.booleans())
def test_each_dollar_is_charged_or_absorbed_and_adds_up(turns, tools, terms, breaks):
    statement = settled(terms, turns=turns, tools=tools, error=BROKEN if breaks else None)
    of_tools = [record for _, record in statement.tool_records]
    spent = sum((charge.amount for charge in tools), Decimal(0))
    assert amount(of_tools) == spent
    assert {type(record) for record in of_tools} <= {CostAbsorbed if breaks else CostCharged}
    if breaks:
        assert statement.cost.total == 0
        assert statement.absorbed == amount(statement.records) + spent
    else:
        assert statement.cost.total == amount(statement.records) + spent, "conservation"
        assert statement.cost.tool_cost == (spent or None)
        assert statement.absorbed == 0
    assert bool(statement.records) <= (terms is HOSTED)


@given(st.lists(usages, min_size=1, max_size=6))
def test_turns_are_priced_one_by_one_and_rounded_together(turns):
    together = turns_cost(turns, PRICE, multiplier=Decimal("1.1"))
    exact = sum(
        ((u.input * PRICE.rates.input + u.output * PRICE.rates.output) / 10**6 * Decimal("1.1") for u in turns),
        Decimal(0),
    )
    assert abs(together.total - exact) <= Decimal("0.000000005")
    assert turns_cost(turns[:1], PRICE) == model_cost(turns[0], PRICE)


def test_a_tier_is_of_the_turn_that_is_long_enough_for_it():
    price = Price(PRICE.rates, "", "", (Tier(1_000, Rates(input=Decimal(5), output=Decimal(20))),))
    short, long = Usage(1_000, 0), Usage(1_001, 0)
    cost = turns_cost([short, long, short], price)
    assert cost.input == Decimal("0.0025") * 2 + Decimal("0.005005")
    assert cost.rates == price.tiers[0].rates, "shown are those of the longest request"


def test_a_turn_of_unknown_usage_charges_nothing_for_the_model_and_the_tools_all_the_same():
    statement = settled(turns=[USAGE, None], tools=[Charge(SEARCH, Decimal("0.005"))])
    assert statement.reason == "metering"
    known = model_cost(USAGE, PRICE).total
    assert statement.records == (Failed("metering"), CostAbsorbed(known))
    assert statement.tool_records == ((SEARCH, CostCharged(Decimal("0.005"))),)
    assert statement.cost.total == statement.cost.tool_cost == Decimal("0.005")


def test_a_broken_exchange_knows_what_its_whole_turns_have_cost():
    impossible = Usage(input=1, output=1, cache_read=2)
    statement = settled(turns=[USAGE, impossible, USAGE, None], error=BROKEN)
    assert statement.absorbed == model_cost(USAGE, PRICE).total * 2


def test_a_free_call_is_no_record():
    statement = settled(CALLERS, turns=[USAGE], tools=[Charge(SEARCH, Decimal(0))])
    assert statement.tool_records == ()
    assert statement.cost.tool_cost is None
