"""How the price table is made: what is taken from the package, what is refused, and that our own rows win."""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import ClassVar

import pytest
from genai_prices import types as genai

from infra.prices import source
from infra.prices.report import report
from infra.prices.source import Found, UnusablePriceError, find, known_ids
from infra.prices.table import make
from keyway.capabilities import Model
from keyway.catalog import parse
from keyway.catalog.reading import Row

TODAY = date(2026, 6, 11)
OVERRIDE = {"input": "7", "output": "9", "updatedAt": "2026-06-01", "reason": "newer", "source": "https://x.example"}


def rates(**prices):
    return genai.ModelPrice(**prices)


def row_of(prices):
    info = genai.ModelInfo(id="m", match=genai.ClauseEquals("m"), prices=prices)
    return source._row(source._in_force(info, TODAY))


def model(model_id, provider="openai"):
    return Model(id=model_id, provider=provider, sent_as=model_id)


def test_the_price_in_force_on_the_day_is_taken():
    assert find("openai", "o3", date(2025, 6, 9)).row["input"] == "10"
    assert find("openai", "o3", date(2025, 6, 10)).row["input"] == "2"


def test_a_price_may_have_tiers_on_one_day_and_none_on_another():
    assert "tiers" in find("anthropic", "claude-sonnet-4-6", date(2026, 3, 12)).row
    assert "tiers" not in find("anthropic", "claude-sonnet-4-6", date(2026, 3, 13)).row


def test_a_tier_holds_every_rate_even_those_that_do_not_change():
    tiers = [genai.Tier(start=200, price=Decimal(4)), genai.Tier(start=100, price=Decimal(2))]
    paid_out = genai.TieredPrices(base=Decimal(5), tiers=[genai.Tier(start=200, price=Decimal(6))])
    row = row_of(
        rates(
            input_mtok=genai.TieredPrices(base=Decimal(1), tiers=tiers),
            cache_read_mtok=Decimal("0.1"),
            output_mtok=paid_out,
        )
    )
    assert row == {
        "input": "1",
        "cachedInput": "0.1",
        "output": "5",
        "tiers": [
            {"above": 100, "input": "2", "cachedInput": "0.1", "output": "5"},
            {"above": 200, "input": "4", "cachedInput": "0.1", "output": "6"},
        ],
    }


class TestThePackagesOwnArithmetic:
    """A tier begins above its threshold and holds for the whole request, in the package as with us."""

    TIERED: ClassVar = genai.TieredPrices(base=Decimal(1), tiers=[genai.Tier(start=200_000, price=Decimal(2))])

    @pytest.mark.parametrize(("tokens", "expected"), [(200_000, "0.2"), (200_001, "0.400002")])
    def test_agrees_with_ours(self, tokens, expected):
        prices = rates(input_mtok=self.TIERED, output_mtok=Decimal(0))
        assert prices.calc_price(genai.Usage(input_tokens=tokens))["total_price"] == Decimal(expected)


@pytest.mark.parametrize(
    ("prices", "problem"),
    [
        (
            [
                genai.ConditionalPrice(prices=rates(input_mtok=Decimal(1), output_mtok=Decimal(1))),
                genai.ConditionalPrice(
                    constraint=genai.TimeOfDateConstraint(time(16), time(0)),
                    prices=rates(input_mtok=Decimal(1), output_mtok=Decimal(1)),
                ),
            ],
            "depends on the time of day",
        ),
        (
            [
                genai.ConditionalPrice(
                    constraint=genai.StartDateConstraint(date(2030, 1, 1)),
                    prices=rates(input_mtok=Decimal(1), output_mtok=Decimal(1)),
                )
            ],
            "not yet in force on 2026-06-11",
        ),
        (
            rates(input_mtok=Decimal(1), output_mtok=Decimal(1), output_image_mtok=Decimal(9)),
            "parts that a row cannot hold: output_image_mtok",
        ),
        (rates(input_mtok=Decimal(1)), "no rate for output"),
    ],
)
def test_a_price_that_a_row_cannot_hold_is_refused(prices, problem):
    with pytest.raises(UnusablePriceError, match=problem):
        row_of(prices)


def test_dearer_sound_is_left_out_of_the_row_and_told_in_the_report():
    table = make([model("gemini-2.5-flash", "google")], {}, TODAY)
    row = table.entries[0].row
    assert row == {"input": "0.3", "cachedInput": "0.03", "output": "2.5"}
    assert report(table).splitlines()[3].endswith("cache_audio_read_mtok, input_audio_mtok")


@pytest.mark.parametrize(
    ("asked", "source"),
    [
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "aws/regional.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "aws/global.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("amazon.nova-2-lite-v1:0", "aws/regional.amazon.nova-2-lite-v1:0"),
        ("amazon.nova-lite-v1:0", "aws/amazon.nova-lite-v1:0"),
    ],
)
def test_bedrocks_models_are_priced_as_they_are_sent(asked, source):
    assert find("bedrock", asked, TODAY).source == source


class TestIdsOfAProviderThatListsNoModel:
    KNOWN: ClassVar = known_ids("together", TODAY)

    def test_every_spelling_of_a_model_has_its_price(self):
        plain, chat = self.KNOWN["Qwen/Qwen1.5-7B"], self.KNOWN["Qwen/Qwen1.5-7B-Chat"]
        assert plain == chat == Found({"input": "0.2", "output": "0.2"}, "together/Qwen/Qwen1.5-7B")

    def test_the_price_is_the_one_that_the_package_would_find(self):
        for spelling, found in self.KNOWN.items():
            if isinstance(found, Found):
                assert found == find("together", spelling.upper(), TODAY)

    def test_an_id_without_a_usable_price_says_why_and_is_left_out_of_the_file(self):
        assert str(self.KNOWN["together/Tev1-4B-experimental"]) == "its price has no rate for output"
        table = make([], {}, TODAY, without_models=["together", "ollama"])
        assert "Tev1" not in table.unlisted_text()
        assert '"Qwen/Qwen1.5-7B-Chat": {"input": "0.2", "output": "0.2"}' in table.unlisted_text()
        assert "together: lists no model; 104 ids priced; 1 without: its price has no rate for output" in report(table)

    def test_ids_known_by_a_pattern_only_are_not_among_them(self):
        match = genai.ClauseOr([genai.ClauseEquals("a"), genai.ClauseStartsWith("b"), genai.ClauseRegex("c.*")])
        assert source._spellings(match) == ["a"]

    def test_a_provider_that_the_package_does_not_know_has_none(self):
        assert known_ids("ollama-cloud", TODAY) == {}


def test_a_model_without_a_usable_price_is_named_with_the_reason():
    table = make([model("gpt-4.1"), model("gpt-99"), model("x", "acme")], {}, TODAY)
    assert [entry.model.id for entry in table.unpriced] == ["gpt-99", "x"]
    assert "gpt-99" not in table.text()
    assert "openai: gpt-99: genai-prices does not list it" in report(table)
    assert "acme: x: genai-prices does not list it" in report(table)


def test_our_own_row_wins_and_changes_the_version():
    plain = make([model("gpt-4.1")], {}, TODAY)
    ours = make([model("gpt-4.1")], {"openai": {"gpt-4.1": OVERRIDE}}, TODAY)
    assert plain.version != ours.version
    assert ours.entries[0].origin == "override"
    row = ours.entries[0].row
    price = parse.price(Row(row, "row"), updated_at="", version="")
    assert (price.rates.input, price.rates.output, price.updated_at) == (7, 9, "2026-06-01")


def test_the_version_follows_what_overrides_say_not_how_they_are_written():
    ours = make([model("gpt-4.1")], {"openai": {"gpt-4.1": OVERRIDE}}, TODAY)
    reordered = make([model("gpt-4.1")], {"openai": {"gpt-4.1": dict(reversed(OVERRIDE.items()))}}, TODAY)
    assert ours.version == reordered.version


def test_an_override_may_name_the_model_whose_price_it_has():
    alias = {"sameAs": "grok-4.3", "reason": "an alias of it", "source": "https://x.example"}
    table = make([model("grok-4-latest", "xai"), model("grok-4.3", "xai")], {"xai": {"grok-4-latest": alias}}, TODAY)
    ours, theirs = table.entries
    assert ours.row == theirs.row
    assert ours.origin == "override: x-ai/grok-4.3"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({**OVERRIDE, "sameAs": "gpt-4o"}, "openai: gpt-4.1: unknown input, output, updatedAt"),
        ({"reason": "r", "source": "s", "sameAs": "gpt-99"}, "sameAs 'gpt-99': genai-prices does not list it"),
        ({"source": "s", "sameAs": "gpt-4o"}, "openai: gpt-4.1: reason is missing"),
        ({k: v for k, v in OVERRIDE.items() if k != "reason"}, "openai: gpt-4.1: reason is missing"),
        ({k: v for k, v in OVERRIDE.items() if k != "source"}, "openai: gpt-4.1: source is missing"),
        ({**OVERRIDE, "updatedAt": "June"}, "Invalid isoformat string: 'June'"),
        ({**OVERRIDE, "input": 7}, "openai: gpt-4.1: input must be an amount in a string"),
        ({**OVERRIDE, "inptu": "7"}, "openai: gpt-4.1: unknown inptu"),
        (3, "openai: gpt-4.1: must be an object"),
    ],
)
def test_an_override_needs_a_reason_a_source_a_date_and_rates(row, complaint):
    with pytest.raises(ValueError, match=complaint):
        make([model("gpt-4.1")], {"openai": {"gpt-4.1": row}}, TODAY)


def test_an_override_can_price_what_the_package_cannot():
    table = make([model("gpt-99")], {"openai": {"gpt-99": OVERRIDE}}, TODAY)
    assert table.unpriced == ()
    assert '"gpt-99": {"input": "7", "output": "9", "updatedAt": "2026-06-01"}' in table.text()


def test_the_report_shows_each_models_rates_and_tiers():
    shown = report(make([model("gpt-5.4"), model("claude-opus-4-8", "anthropic")], {}, TODAY)).splitlines()
    headings = ["provider", "model", "input", "cached", "write", "write 1h", "output", "tiers", "source", "left out"]
    assert re.split("  +", shown[2]) == headings
    assert re.split("  +", shown[3]) == (
        ["openai", "gpt-5.4", "2.5", "0.25", "-", "-", "15", ">272000: 5/22.5", "openai/gpt-5.4"]
    )
    assert shown[4].split()[:8] == ["anthropic", "claude-opus-4-8", "5", "0.5", "6.25", "10", "25", "-"]
    assert shown[-1] == "Every model of the catalog has a price."
