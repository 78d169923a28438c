"""Finding a model: spelling, dated variants, aliases, unlisted ids, block lists and an operator's own rows."""

from __future__ import annotations

import pytest

from keyway.catalog import Catalog
from keyway.errors import ModelUnavailable

CATALOG = Catalog.load()
OPENAI = CATALOG.provider("openai")
ANTHROPIC = CATALOG.provider("anthropic")

ACME = {
    "name": "Acme",
    "wire": "openai_responses",
    "baseUrl": "https://acme.example/v1",
    "auth": [{"header": "authorization", "prefix": "Bearer "}],
    "strip": {"prefix": "acme/", "anchored": True},
    "hosting": {"keyPrefix": "ACME_API_KEY", "byokProvider": "acme"},
    "legacyKeys": "singular",
    "platformKey": "ACME_API_KEY",
    "fallback": {"temperature": [0, 1.5]},
}
WITH_ACME = Catalog.load(
    providers={"acme": ACME},
    models={"acme": {"acme/Anvil-1": {"temperature": [0, 1], "maxOutputTokens": 100}}},
    prices={"acme": {"acme/Anvil-1": {"input": "1", "output": "2", "updatedAt": "2026-06-01"}}},
)


@pytest.mark.parametrize("asked", ["gpt-4.1", "GPT-4.1", "Gpt-4.1"])
def test_a_listed_model_is_found_in_any_case_and_sent_in_the_vendors_spelling(asked):
    model = CATALOG.model(OPENAI, asked)
    assert (model.id, model.sent_as, model.known) == ("gpt-4.1", "gpt-4.1", True)
    assert model.max_output_tokens == 32768


@pytest.mark.parametrize(
    ("provider", "asked", "listed"),
    [
        (ANTHROPIC, "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        (ANTHROPIC, "claude-opus-4-1-20250805", "claude-opus-4-1"),
        (OPENAI, "gpt-4.1-2025-04-14", "gpt-4.1"),
        (OPENAI, "gpt-5.4-mini-2026-03-17", "gpt-5.4-mini"),
        (OPENAI, "o3-2025-04-16", "o3"),
        (ANTHROPIC, "claude-sonnet-4-20250514", "claude-sonnet-4-0"),
        (ANTHROPIC, "claude-opus-4-20250514", "claude-opus-4-0"),
    ],
)
def test_a_dated_variant_counts_as_the_listed_model_and_is_sent_as_asked(provider, asked, listed):
    model, plain = CATALOG.model(provider, asked), CATALOG.model(provider, listed)
    assert (model.id, model.sent_as, model.known) == (listed, asked, True)
    assert model.thinking_levels == plain.thinking_levels
    assert CATALOG.price(model) == CATALOG.price(plain) is not None


def test_a_dated_variant_that_costs_something_else_has_a_row_of_its_own():
    dated = CATALOG.price(CATALOG.model(OPENAI, "gpt-4o-2024-05-13"))
    plain = CATALOG.price(CATALOG.model(OPENAI, "gpt-4o-2024-08-06"))
    assert dated is not None
    assert plain is not None
    assert (dated.rates.input, plain.rates.input) == (5, 2.5)


@pytest.mark.parametrize(
    "asked", ["gpt-9", "gpt-4.1-turbo", "gpt-4.1-2025", "gpt-4.1-2025-04-14-beta", "claude-sonnet-4-6", "-20250101"]
)
def test_an_unlisted_id_is_passed_on_with_the_providers_fallback_and_without_a_price(asked):
    model = CATALOG.model(OPENAI, asked)
    assert (model.id, model.sent_as, model.provider, model.known) == (asked, asked, "openai", False)
    assert (model.temperature, model.reasoning_efforts, model.max_output_tokens) == (None, (), None)
    assert CATALOG.price(model) is None
    assert not CATALOG.is_hosted_model(OPENAI, model)


@pytest.mark.parametrize(
    ("blocked", "asked"),
    [
        ("gpt-4.1", "gpt-4.1"),
        (" GPT-4.1 ", "gpt-4.1"),
        ("gpt-4.1", "gpt-4.1-2025-04-14"),
        ("gpt-4.1-2025-04-14", "gpt-4.1-2025-04-14"),
        ("gpt-4o", "gpt-4o-2024-05-13"),
        ("gpt-*", "gpt-9"),
        ("GPT-*", "gpt-4.1"),
        ("*", "o3"),
    ],
)
def test_a_blocked_model_is_not_available(blocked, asked):
    catalog = Catalog.load(blocked_models=[blocked])
    with pytest.raises(ModelUnavailable, match="is not available here"):
        catalog.model(OPENAI, asked)


def test_a_block_list_leaves_the_others_alone_and_hides_what_it_blocks():
    catalog = Catalog.load(blocked_models=["gpt-4.1", "claude-*"])
    assert catalog.model(OPENAI, "gpt-4.1-mini").known
    assert {"gpt-4.1-mini"} == {model.id for model in catalog.models() if model.id.startswith("gpt-4.1-m")}
    assert not any(model.id == "gpt-4.1" or model.provider == "anthropic" for model in catalog.models())


def test_the_platform_may_pay_for_listed_models_of_providers_it_covers():
    assert CATALOG.is_hosted_model(OPENAI, CATALOG.model(OPENAI, "GPT-4o"))
    assert CATALOG.is_hosted_model(ANTHROPIC, CATALOG.model(ANTHROPIC, "claude-sonnet-4-5-20250929"))
    acme = WITH_ACME.provider("acme")
    assert not WITH_ACME.is_hosted_model(acme, WITH_ACME.model(acme, "acme/anvil-1"))


@pytest.mark.parametrize("asked", ["acme/Anvil-1", "ACME/ANVIL-1", "anvil-1"])
def test_an_operators_own_row_is_found_with_and_without_its_prefix(asked):
    acme = WITH_ACME.provider("acme")
    model = WITH_ACME.model(acme, asked)
    assert (model.id, model.sent_as, model.known) == ("acme/Anvil-1", "Anvil-1", True)
    price = WITH_ACME.price(model)
    assert price is not None
    assert (price.rates.output, price.updated_at, price.version) == (2, "2026-06-01", "operator")


def test_an_operators_provider_has_its_own_fallback():
    acme = WITH_ACME.provider("acme")
    model = WITH_ACME.model(acme, "acme/hammer-2025-01-01")
    assert (model.sent_as, model.temperature, model.known) == ("hammer-2025-01-01", (0, 1.5), False)


def test_a_prefix_alone_names_no_model():
    with pytest.raises(ModelUnavailable, match="'acme/' names no model of Acme"):
        WITH_ACME.model(WITH_ACME.provider("acme"), "acme/")


def test_an_operators_row_replaces_a_shipped_one_and_leaves_the_rest():
    catalog = Catalog.load(models={"openai": {"gpt-4.1": {"maxOutputTokens": 7}}})
    assert catalog.model(OPENAI, "gpt-4.1").max_output_tokens == 7
    assert catalog.model(OPENAI, "gpt-4o").known
    assert CATALOG.model(OPENAI, "gpt-4.1").max_output_tokens == 32768


def test_a_vendors_announced_end_is_known():
    assert CATALOG.is_deprecated(CATALOG.model(OPENAI, "gpt-4o"))
    assert not CATALOG.is_deprecated(CATALOG.model(OPENAI, "gpt-5.5"))
    assert not CATALOG.is_deprecated(CATALOG.model(OPENAI, "gpt-9"))


def test_every_default_model_is_listed_where_any_is():
    owners = {model.provider for model in CATALOG.models()}
    for provider in CATALOG.providers():
        default = provider.default_model
        assert (default != "" and CATALOG.model(provider, default).known) == (provider.id in owners)


@pytest.mark.parametrize(
    ("asked", "listed", "sent"),
    [
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0", "us."),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0", "eu."),
        ("bedrock/US-GOV.meta.llama3-3-70b-instruct-v1:0", "meta.llama3-3-70b-instruct-v1:0", "us-gov."),
        ("bedrock/global.amazon.nova-2-lite-v1:0", "global.amazon.nova-2-lite-v1:0", ""),
        ("bedrock/amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0", ""),
    ],
)
def test_a_region_before_a_models_name_is_sent_and_changes_nothing_else(asked, listed, sent):
    bedrock = CATALOG.provider("bedrock")
    model = CATALOG.model(bedrock, asked)
    assert (model.id, model.sent_as, model.known) == (f"bedrock/{listed}", sent + listed, True)


def test_a_region_is_known_to_the_provider_that_has_regions_only():
    assert not CATALOG.model(OPENAI, "us.gpt-4o").known


@pytest.mark.parametrize(
    "asked", ["accounts/x/models/y", "fireworks/accounts/x/models/y", "FIREWORKS/Accounts/x/models/y"]
)
@pytest.mark.parametrize("blocked", ["fireworks/accounts/x/models/y", "fireworks/*"])
def test_leaving_the_prefix_out_is_no_way_round_a_block_list(asked, blocked):
    catalog = Catalog.load(blocked_models=[blocked])
    with pytest.raises(ModelUnavailable, match="is not available here"):
        catalog.model(catalog.provider("fireworks"), asked)


def test_a_listing_holds_every_model_with_its_price_and_none_that_is_blocked():
    catalog = Catalog.load(
        blocked_models=["gpt-*"], blocked_providers=["bedrock"], models={"openai": {"o9": {"maxOutputTokens": 5}}}
    )
    offers = {offer.model.id: offer for offer in catalog.listing()}
    assert [offer.model for offer in catalog.listing()] == list(catalog.models())
    assert offers["o9"].price is None
    assert offers["o9"].model.max_output_tokens == 5
    sonnet = offers["claude-sonnet-4-6"]
    assert (sonnet.model.provider, sonnet.deprecated) == ("anthropic", False)
    assert sonnet.price is not None
    assert sonnet.price.rates.input == 3
    assert not any(name.startswith(("gpt-", "bedrock/")) for name in offers)


def test_a_replaced_provider_row_holds_for_its_shipped_models_too():
    shouting = {
        "name": "xAI",
        "wire": "openai_chat",
        "legacyKeys": "caller",
        "strip": {"prefix": "grok-", "anchored": True},
    }
    catalog = Catalog.load(providers={"xai": shouting})
    assert catalog.model(catalog.provider("xai"), "grok-4.3").sent_as == "4.3"
