"""Laws the arithmetic keeps for any usage, price and multiplier."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from keyway.billing.cost import cost_json, dollars, input_cost, model_cost, with_tool_cost
from keyway.events import Usage
from keyway.money import FREE, Price, Rates

LAST_PLACE = Decimal("0.00000001")
rate = st.decimals(min_value=0, max_value=1000, places=6)
maybe_rate = st.none() | rate
multiplier = st.decimals(min_value=0, max_value=10, places=4)
count = st.integers(min_value=0, max_value=2_000_000)


@st.composite
def usages(draw):
    uncached, read, short, hour, plain, reasoning = (draw(count) for _ in range(6))
    return Usage(
        input=uncached + read + short + hour,
        output=plain + reasoning,
        cache_read=read,
        cache_write=short + hour,
        cache_write_1h=hour,
        reasoning=reasoning,
    )


@st.composite
def prices(draw):
    return Price(Rates(draw(rate), draw(rate), draw(maybe_rate), draw(maybe_rate), draw(maybe_rate)), "2026-06-11", "v")


@given(usages(), rate, rate)
def test_every_input_token_is_priced_exactly_once(usage, one_rate, paid_out):
    # With one rate for every kind of token, how they are cached cannot matter.
    same = Rates(one_rate, paid_out, one_rate, one_rate, one_rate)
    assert input_cost(usage, same) == usage.input * one_rate / 1_000_000


@given(usages(), prices())
def test_each_kind_of_token_is_priced_at_its_own_rate_and_no_other(usage, price):
    rates = replace(price.rates, cache_read=Decimal(1), cache_write=Decimal(2), cache_write_1h=Decimal(3))
    for kind, tokens in {
        "input": usage.input - usage.cache_read - usage.cache_write,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write - usage.cache_write_1h,
        "cache_write_1h": usage.cache_write_1h,
    }.items():
        dearer = replace(rates, **{kind: getattr(rates, kind) + 1_000_000})
        assert input_cost(usage, dearer) - input_cost(usage, rates) == tokens


@given(usages(), prices(), multiplier)
def test_the_total_is_within_one_last_place_of_its_rounded_parts(usage, price, margin):
    cost = model_cost(usage, price, multiplier=margin)
    assert abs(cost.total - (cost.input + cost.output)) <= LAST_PLACE
    assert all(amount == amount.quantize(LAST_PLACE) >= 0 for amount in (cost.input, cost.output, cost.total))


@given(usages(), prices(), multiplier, count, count)
def test_more_tokens_never_cost_less(usage, price, margin, more_in, more_out):
    longer = replace(usage, input=usage.input + more_in, output=usage.output + more_out)
    shorter_cost, longer_cost = (model_cost(u, price, multiplier=margin) for u in (usage, longer))
    assert longer_cost.input >= shorter_cost.input
    assert longer_cost.output >= shorter_cost.output
    assert longer_cost.total >= shorter_cost.total


@given(usages(), prices(), multiplier, st.integers(min_value=0, max_value=20))
def test_the_multiplier_is_linear_but_for_rounding(usage, price, margin, times):
    once = model_cost(usage, price, multiplier=margin).total
    many = model_cost(usage, price, multiplier=margin * times).total
    # Rounding once is off by at most half a place, so rounding before multiplying by at most that many times.
    assert abs(many - once * times) <= LAST_PLACE * (times + 1) / 2


@given(usages(), prices())
def test_a_multiplier_of_zero_makes_everything_free(usage, price):
    cost = model_cost(usage, price, multiplier=Decimal(0))
    assert (cost.input, cost.output, cost.total) == (0, 0, 0)


@given(st.decimals(min_value=0, max_value=Decimal("9999999.99999999"), places=8))
def test_eight_places_below_ten_million_dollars_survive_json(amount):
    text = json.dumps({"total": dollars(amount)})
    assert json.loads(text, parse_float=Decimal)["total"] == amount
    assert Decimal(repr(json.loads(text)["total"])) == amount


@given(usages(), prices(), multiplier, st.decimals(min_value=0, max_value=100, places=10))
def test_the_json_of_a_cost_holds_its_amounts(usage, price, margin, tool):
    cost = with_tool_cost(model_cost(usage, price, multiplier=margin), tool)
    shown = json.loads(json.dumps(cost_json(cost)), parse_float=Decimal)
    assert (shown["input"], shown["output"], shown["total"]) == (cost.input, cost.output, cost.total)
    assert shown.get("toolCost") == cost.tool_cost
    assert shown["pricing"]["output"] == price.rates.output


@given(st.lists(st.decimals(min_value=0, max_value=10, places=10), max_size=5))
def test_tools_charged_one_by_one_add_up_to_the_total(tools):
    cost = FREE
    for tool in tools:
        cost = with_tool_cost(cost, tool)
    assert cost.total == (cost.tool_cost or 0) == sum(with_tool_cost(FREE, tool).total for tool in tools)
