"""AppConfig's data plane as boto3 meets it: tokens, unchanged answers, names and ids, errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.feature_flags import FeatureFlags
from aws_lambda_powertools.utilities.feature_flags.base import StoreProvider
from botocore.exceptions import ClientError
from mypy_boto3_appconfigdata import AppConfigDataClient
from mypy_boto3_appconfigdata.type_defs import (
    GetLatestConfigurationResponseTypeDef,
    StartConfigurationSessionRequestTypeDef,
)

from infra.local.aws import REGION, LocalAws
from infra.local.seed import FLAGS, SeededAccount

NUMBERS = count()


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def aws(clock: Clock) -> Iterator[LocalAws]:
    with LocalAws(clock=clock) as aws:
        yield aws


@pytest.fixture(scope="module")
def account(aws: LocalAws) -> Iterator[SeededAccount]:
    with SeededAccount(aws.url, aws.environment, name=f"appconfig-{next(NUMBERS)}") as account:
        yield account


@pytest.fixture(scope="module")
def client(aws: LocalAws) -> Iterator[AppConfigDataClient]:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=REGION)
    with closing(session.client("appconfigdata", endpoint_url=aws.url)) as client:
        yield client


def start(client: AppConfigDataClient, account: SeededAccount, minimum: int | None = None) -> str:
    session: StartConfigurationSessionRequestTypeDef = {
        "ApplicationIdentifier": account.environment["APPCONFIG_APPLICATION"],
        "EnvironmentIdentifier": account.environment["APPCONFIG_ENVIRONMENT"],
        "ConfigurationProfileIdentifier": "feature-flags",
    }
    if minimum is not None:
        session["RequiredMinimumPollIntervalInSeconds"] = minimum
    return client.start_configuration_session(**session)["InitialConfigurationToken"]


def poll(client: AppConfigDataClient, token: str) -> tuple[bytes, GetLatestConfigurationResponseTypeDef]:
    """One poll, its body read to the end: an unread one would keep its connection."""
    answer = client.get_latest_configuration(ConfigurationToken=token)
    return answer["Configuration"].read(), answer


def said(error: ClientError) -> dict[str, Any]:
    """The whole answer of a refusal, with the fields that AppConfig adds to the usual ones."""
    return dict(error.response)


def problem(error: ClientError) -> object:
    return said(error)["Details"]["InvalidParameters"]["ConfigurationToken"]["Problem"]


def test_the_first_poll_brings_the_newest_version_with_its_type_and_the_next_token(
    client: AppConfigDataClient, account: SeededAccount
) -> None:
    account.put_flags({"newest": {"default": False}})
    body, answer = poll(client, start(client, account))
    assert body == b'{"newest": {"default": false}}'
    assert answer["ContentType"] == "application/json"
    assert answer["NextPollIntervalInSeconds"] == 60
    assert answer["NextPollConfigurationToken"]


def test_an_unchanged_configuration_is_an_empty_body_and_a_new_version_is_sent_once(
    client: AppConfigDataClient, account: SeededAccount
) -> None:
    tokens = [start(client, account)]

    def body() -> bytes:
        text, answer = poll(client, tokens.pop())
        tokens.append(answer["NextPollConfigurationToken"])
        return text

    assert [body() != b"", body(), body()] == [True, b"", b""]
    account.put_flags(b"{}")
    assert [body(), body()] == [b"{}", b""]


def test_two_sessions_are_told_of_changes_independently(client: AppConfigDataClient, account: SeededAccount) -> None:
    for _ in range(2):
        assert poll(client, start(client, account))[0] != b""


def test_a_token_is_good_for_one_call(client: AppConfigDataClient, account: SeededAccount) -> None:
    token = start(client, account)
    poll(client, token)
    with pytest.raises(client.exceptions.BadRequestException) as refused:
        poll(client, token)
    assert said(refused.value)["Reason"] == "InvalidParameters"
    assert problem(refused.value) == "Corrupted"


def test_a_token_expires_after_a_day(client: AppConfigDataClient, account: SeededAccount, clock: Clock) -> None:
    token = start(client, account)
    clock.now += 24 * 3600 + 1
    with pytest.raises(client.exceptions.BadRequestException) as refused:
        poll(client, token)
    assert problem(refused.value) == "Expired"


def test_polling_early_is_refused_only_where_the_session_set_a_minimum(
    client: AppConfigDataClient, account: SeededAccount, clock: Clock
) -> None:
    def poll_twice(minimum: int | None) -> str:
        _, first = poll(client, start(client, account, minimum))
        clock.now += 14
        token = first["NextPollConfigurationToken"]
        poll(client, token)
        return token

    poll_twice(None)
    with pytest.raises(client.exceptions.BadRequestException) as refused:
        poll_twice(15)
    assert problem(refused.value) == "PollIntervalNotSatisfied"


def test_a_token_refused_for_being_early_is_good_later(
    client: AppConfigDataClient, account: SeededAccount, clock: Clock
) -> None:
    _, first = poll(client, start(client, account, 15))
    assert first["NextPollIntervalInSeconds"] == 15
    token = first["NextPollConfigurationToken"]
    with pytest.raises(client.exceptions.BadRequestException):
        poll(client, token)
    clock.now += 15
    assert poll(client, token)[0] == b""


@pytest.mark.parametrize("wrong", ["Application", "Environment", "ConfigurationProfile"])
def test_an_unknown_name_is_a_resource_that_is_not_found(
    client: AppConfigDataClient, account: SeededAccount, wrong: str
) -> None:
    names: StartConfigurationSessionRequestTypeDef = {
        "ApplicationIdentifier": account.environment["APPCONFIG_APPLICATION"],
        "EnvironmentIdentifier": "local",
        "ConfigurationProfileIdentifier": "feature-flags",
    }
    names[f"{wrong}Identifier"] = "no-such-thing"  # type: ignore[literal-required]  # one of the three above
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="no-such-thing") as missing:
        client.start_configuration_session(**names)
    assert said(missing.value)["ResourceType"] == wrong


def test_ids_are_as_good_as_names(aws: LocalAws, client: AppConfigDataClient, account: SeededAccount) -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=REGION)
    with closing(session.client("appconfig", endpoint_url=aws.url)) as appconfig:
        environment = appconfig.create_environment(ApplicationId=account.application_id, Name="another")["Id"]
    token = client.start_configuration_session(
        ApplicationIdentifier=account.application_id,
        EnvironmentIdentifier=environment,
        ConfigurationProfileIdentifier=account.profile_id,
    )["InitialConfigurationToken"]
    assert poll(client, token)[0]


class Document(StoreProvider):
    def get_configuration(self) -> dict[str, object]:
        return FLAGS

    @property
    def get_raw_configuration(self) -> dict[str, object]:
        return FLAGS


def test_the_seeded_flags_satisfy_powertools_and_opt_a_workspace_out() -> None:
    flags = FeatureFlags(store=Document())
    assert flags.evaluate(name="hosted-key-llm", context={"workspace_id": "ws"}, default=False) is True
    assert flags.evaluate(name="hosted-key-llm", context={"workspace_id": "ws-opted-out"}, default=True) is False
