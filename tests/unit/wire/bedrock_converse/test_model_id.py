"""Which id is asked for, by model and region."""

from __future__ import annotations

import pytest

from keyway.errors import InvalidRequest
from keyway.wire.bedrock_converse.model_id import model_id, region, vendor

CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("us-east-1", "us"),
        ("us-gov-west-1", "us-gov"),
        ("ca-central-1", "us"),
        ("sa-east-1", "us"),
        ("eu-central-1", "eu"),
        ("il-central-1", "eu"),
        ("af-south-1", "eu"),
        ("ap-northeast-1", "apac"),
        ("me-south-1", "apac"),
        ("mx-central-1", "us"),
    ],
)
def test_a_model_is_called_through_the_profile_of_its_part_of_the_world(asked: str, part: str) -> None:
    assert model_id(CLAUDE, asked) == f"{part}.{CLAUDE}"


@pytest.mark.parametrize("prefix", ["us-gov", "us", "eu", "apac", "au", "ca", "jp", "global"])
def test_an_id_that_names_its_profile_stays_as_it_is(prefix: str) -> None:
    assert model_id(f"{prefix}.{CLAUDE}", "eu-west-1") == f"{prefix}.{CLAUDE}"


@pytest.mark.parametrize(
    "model",
    [
        "mistral.mistral-large-3-675b-instruct",
        "mistral.mistral-large-2411-v1:0",
        "mistral.mistral-large-2407-v1:0",
        "mistral.magistral-small-2509",
        "mistral.ministral-3-14b-instruct",
        "mistral.ministral-3-8b-instruct",
        "mistral.ministral-3-3b-instruct",
        "mistral.mixtral-8x7b-instruct-v0:1",
        "amazon.titan-text-premier-v1:0",
        "cohere.command-r-v1:0",
        "cohere.command-r-plus-v1:0",
        "openai.gpt-oss-120b-1:0",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
    ],
)
def test_a_model_without_a_profile_is_called_by_its_bare_id(model: str) -> None:
    assert model_id(model, "eu-west-1") == model


def test_other_mistral_models_have_a_profile() -> None:
    assert model_id("mistral.pixtral-large-2502-v1:0", "us-west-2") == "us.mistral.pixtral-large-2502-v1:0"


def test_a_row_may_name_further_models_without_a_profile() -> None:
    assert model_id("moonshot.kimi-k2", "us-west-2", ["moonshot."]) == "moonshot.kimi-k2"


def test_the_region_is_the_requests_else_the_default() -> None:
    assert region("eu-west-3", "us-east-1") == "eu-west-3"
    assert region(None, "us-east-1") == "us-east-1"


@pytest.mark.parametrize("asked", ["", "EU-west-1", "us-east-1.evil.example", "evil.example/", "us-east-1@x", "local"])
def test_what_is_no_region_is_refused_because_it_becomes_part_of_a_host_name(asked: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^bedrockRegion: must be the name of an AWS region"):
        region(asked, "us-east-1")


@pytest.mark.parametrize(
    ("model", "made_by"),
    [
        (CLAUDE, "anthropic"),
        (f"us.{CLAUDE}", "anthropic"),
        (f"us-gov.{CLAUDE}", "anthropic"),
        (f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.{CLAUDE}", "anthropic"),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon"),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", ""),
        ("generic", ""),
    ],
)
def test_the_vendor_is_read_from_the_id(model: str, made_by: str) -> None:
    assert vendor(model) == made_by
