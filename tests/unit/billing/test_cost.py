"""The arithmetic of one exchange, case by case."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext

import pytest

from keyway.billing.cost import MeteringError, cost_json, dollars, model_cost, rounded, with_tool_cost
from keyway.events import Usage
from keyway.money import FREE, Price, Rates, Tier

GPT_4O = Price(Rates(input=Decimal("2.5"), output=Decimal(10), cache_read=Decimal("1.25")), "2026-06-11", "v1")
SONNET_SHORT = Rates(
    input=Decimal(3),
    output=Decimal(15),
    cache_read=Decimal("0.3"),
    cache_write=Decimal("3.75"),
    cache_write_1h=Decimal(6),
)
SONNET_LONG = Rates(
    input=Decimal(6),
    output=Decimal("22.5"),
    cache_read=Decimal("0.6"),
    cache_write=Decimal("7.5"),
    cache_write_1h=Decimal(12),
)
SONNET = Price(SONNET_SHORT, "2026-06-11", "v1", tiers=(Tier(200_000, SONNET_LONG),))


def amounts(cost):
    return cost.input, cost.output, cost.total


def plain(rate_in, rate_out):
    return Price(Rates(input=Decimal(rate_in), output=Decimal(rate_out)), "", "")


def test_a_thousand_tokens_in_and_five_hundred_out():
    cost = model_cost(Usage(1000, 500), GPT_4O)
    assert amounts(cost) == (Decimal("0.0025"), Decimal("0.005"), Decimal("0.0075"))
    assert (cost.rates, cost.updated_at, cost.tool_cost) == (GPT_4O.rates, "2026-06-11", None)


def test_only_what_was_cached_gets_the_cached_rate():
    assert model_cost(Usage(1000, 500, cache_read=1000), GPT_4O).total == Decimal("0.00625")
    assert model_cost(Usage(1000, 500, cache_read=400), GPT_4O).input == Decimal("0.002")


def test_every_kind_of_token_has_its_own_rate():
    usage = Usage(1000, 100, cache_read=300, cache_write=500, cache_write_1h=200)
    # 200 uncached, 300 read, 300 written for five minutes, 200 for an hour
    assert model_cost(usage, SONNET).input == Decimal("0.000600") + Decimal("0.00009") + Decimal("0.001125") + Decimal(
        "0.0012"
    )


def test_reasoning_is_output_and_is_not_charged_again():
    assert model_cost(Usage(0, 500, reasoning=400), GPT_4O) == model_cost(Usage(0, 500), GPT_4O)


def test_cached_tokens_without_a_rate_of_their_own_cost_what_input_costs():
    price = plain(15, 120)
    assert model_cost(Usage(900, 0, cache_read=300, cache_write=300, cache_write_1h=100), price) == model_cost(
        Usage(900, 0), price
    )


def test_an_hours_write_without_a_rate_costs_what_the_shorter_one_does():
    price = Price(Rates(input=Decimal(1), output=Decimal(1), cache_write=Decimal(2)), "", "")
    assert model_cost(Usage(100, 0, cache_write=100, cache_write_1h=50), price).input == Decimal("0.0002")


def test_a_free_cache_is_free_and_not_the_input_rate():
    price = Price(Rates(input=Decimal(1), output=Decimal(1), cache_read=Decimal(0)), "", "")
    assert model_cost(Usage(100, 0, cache_read=100), price).total == 0


@pytest.mark.parametrize(
    ("usage", "rates"),
    [
        (Usage(200_000, 10), SONNET_SHORT),
        (Usage(200_001, 10), SONNET_LONG),
        (Usage(200_001, 10, cache_read=200_000), SONNET_LONG),
        (Usage(10, 300_000), SONNET_SHORT),
    ],
)
def test_a_tier_is_chosen_by_the_whole_input_and_holds_for_the_whole_request(usage, rates):
    cost = model_cost(usage, SONNET)
    assert cost.rates == rates
    assert cost == model_cost(usage, Price(rates, "2026-06-11", "v1"))


def test_the_highest_tier_exceeded_counts():
    tiers = (Tier(10, SONNET_SHORT), Tier(20, SONNET_LONG))
    assert model_cost(Usage(21, 0), Price(GPT_4O.rates, "", "", tiers)).rates == SONNET_LONG
    assert model_cost(Usage(20, 0), Price(GPT_4O.rates, "", "", tiers)).rates == SONNET_SHORT


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ("0.005", "0.00000001"),  # exactly half of the last place goes up
        ("0.015", "0.00000002"),  # and away from an even neighbour as well
        ("0.025", "0.00000003"),
        ("0.0049999999", "0.00000000"),
        ("0.0050000001", "0.00000001"),
        ("2.675", "0.00000268"),  # no such float exists; a decimal does
    ],
)
def test_the_ninth_digit_is_rounded_half_up(rate, expected):
    assert str(model_cost(Usage(1, 0), plain(rate, 0)).input) == str(Decimal(expected))


def test_the_total_comes_from_the_unrounded_sum():
    cost = model_cost(Usage(1, 1), plain("0.004", "0.004"))
    assert amounts(cost) == (0, 0, Decimal("0.00000001"))
    cost = model_cost(Usage(1, 1), plain("0.005", "0.005"))
    assert amounts(cost) == (Decimal("0.00000001"), Decimal("0.00000001"), Decimal("0.00000001"))


@pytest.mark.parametrize(("multiplier", "total"), [("0", "0"), ("1", "0.0075"), ("1.4", "0.0105"), ("0.5", "0.00375")])
def test_the_multiplier_applies_to_both_sides(multiplier, total):
    cost = model_cost(Usage(1000, 500), GPT_4O, multiplier=Decimal(multiplier))
    assert cost.total == Decimal(total) == cost.input + cost.output
    assert cost.rates == GPT_4O.rates


def test_the_multiplier_comes_before_rounding():
    assert model_cost(Usage(1, 0), plain("0.004", 0), multiplier=Decimal(10)).total == Decimal("0.00000004")


def test_the_processes_decimal_context_changes_nothing():
    usage = Usage(123_457, 98_765, cache_read=1_001)
    expected = model_cost(usage, GPT_4O, multiplier=Decimal("1.37"))
    with localcontext() as context:
        context.prec = 3
        assert model_cost(usage, GPT_4O, multiplier=Decimal("1.37")) == expected


@pytest.mark.parametrize(
    ("usage", "complaint"),
    [
        (Usage(-1, 5), "impossible number of input tokens"),
        (Usage(1, -5), "impossible number of output tokens"),
        (Usage(5, 5, cache_read=-1), "impossible number of cache_read tokens"),
        (Usage(5, 5, reasoning=-1), "impossible number of reasoning tokens"),
        (Usage(10**400, 5), "impossible number of input tokens"),
        (Usage(5, 5, cache_read=6), "5 input tokens, but 6 read from and 0 written"),
        (Usage(5, 5, cache_read=3, cache_write=3), "5 input tokens, but 3 read from and 3 written"),
        (Usage(5, 5, cache_write=1, cache_write_1h=2), "1 tokens written to its cache, but 2 for an hour"),
        (Usage(5, 5, reasoning=6), "5 output tokens, but 6 of reasoning"),
    ],
)
def test_impossible_usage_is_refused_not_mended(usage, complaint):
    with pytest.raises(MeteringError, match=complaint):
        model_cost(usage, GPT_4O)


def test_a_tools_cost_is_added_to_the_total():
    cost = with_tool_cost(model_cost(Usage(1000, 500), GPT_4O), Decimal("0.01"))
    assert amounts(cost) == (Decimal("0.0025"), Decimal("0.005"), Decimal("0.0175"))
    assert cost.tool_cost == Decimal("0.01")
    assert with_tool_cost(cost, Decimal("0.02")).tool_cost == Decimal("0.03")
    assert with_tool_cost(cost, Decimal("0.02")).total == Decimal("0.0375")


def test_a_tools_cost_is_charged_though_the_model_was_free():
    cost = with_tool_cost(FREE, Decimal("0.012345678501"))
    assert (cost.tool_cost, cost.total) == (Decimal("0.01234568"), Decimal("0.01234568"))


@pytest.mark.parametrize("nothing", ["0", "0.000000004"])
def test_a_tool_that_cost_nothing_leaves_no_trace(nothing):
    assert with_tool_cost(FREE, Decimal(nothing)) is FREE


@pytest.mark.parametrize("wrong", ["-0.01", "NaN", "Infinity"])
def test_a_tool_cannot_cost_less_than_nothing(wrong):
    with pytest.raises(MeteringError):
        with_tool_cost(FREE, Decimal(wrong))


def test_a_cost_in_json():
    cost = with_tool_cost(model_cost(Usage(1000, 500), GPT_4O), Decimal("0.01"))
    assert json.dumps(cost_json(cost)) == (
        '{"input": 0.0025, "output": 0.005, "toolCost": 0.01, "total": 0.0175, '
        '"pricing": {"input": 2.5, "cachedInput": 1.25, "output": 10.0, "updatedAt": "2026-06-11"}}'
    )


def test_a_model_without_a_cached_rate_shows_none():
    assert "cachedInput" not in json.dumps(cost_json(model_cost(Usage(1, 1), plain(15, 120))))


def test_a_cost_nobody_was_charged_shows_zero_prices():
    assert cost_json(FREE) == {
        "input": 0,
        "output": 0,
        "total": 0,
        "pricing": {"input": 0, "output": 0, "updatedAt": None},
    }


def test_the_smallest_amount_survives_json():
    assert Decimal(repr(json.loads(json.dumps(dollars(Decimal("0.00000001")))))) == Decimal("0.00000001")


def test_rounding_is_the_same_everywhere():
    assert [str(rounded(Decimal(amount))) for amount in ("0.000000005", "1", "0.123456785")] == [
        "1E-8",
        "1.00000000",
        "0.12345679",
    ]
