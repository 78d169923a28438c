"""The AWS stand-ins through boto3: what is seeded can be read as the gateway reads it, and outages look real."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from infra.local.aws import REGION, LocalAws
from infra.local.outage import Outage
from infra.local.seed import HOSTED_KEYS, SeededAccount

NUMBERS = count()
OPERATIONS: dict[str, Callable[[Any, SeededAccount], Any]] = {
    "secretsmanager": lambda client, account: client.get_secret_value(
        SecretId=account.environment["HOSTED_KEYS_SECRET"]
    ),
    "dynamodb": lambda client, account: client.query(
        TableName=account.environment["WORKSPACE_KEYS_TABLE"],
        KeyConditionExpression="workspaceId = :w",
        ExpressionAttributeValues={":w": {"S": "ws"}},
    ),
    "kms": lambda client, account: client.describe_key(KeyId=account.environment["WORKSPACE_KEYS_KMS_KEY"]),
    "appconfigdata": lambda client, account: client.start_configuration_session(
        ApplicationIdentifier=account.name,
        EnvironmentIdentifier="local",
        ConfigurationProfileIdentifier="feature-flags",
    ),
}
SIGNED_AS = {"appconfigdata": "appconfig"}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture(scope="module")
def account(aws: LocalAws) -> Iterator[SeededAccount]:
    with SeededAccount(aws.url, aws.environment, name=f"aws-{next(NUMBERS)}") as account:
        yield account


@contextmanager
def patient_for(seconds: float, aws: LocalAws) -> Iterator[dict[str, Any]]:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=REGION)
    patience = Config(retries={"total_max_attempts": 1}, read_timeout=seconds)
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(closing(session.client(name, endpoint_url=aws.url, config=patience)))
            for name in OPERATIONS
        }


@pytest.fixture(scope="module")
def clients(aws: LocalAws) -> Iterator[dict[str, Any]]:
    with patient_for(30, aws) as clients:
        yield clients


@pytest.fixture(scope="module")
def impatient(aws: LocalAws) -> Iterator[dict[str, Any]]:
    """For those that never answer."""
    with patient_for(0.3, aws) as clients:
        yield clients


def test_the_hosted_keys_are_one_flat_secret(clients: dict[str, Any], account: SeededAccount) -> None:
    text = OPERATIONS["secretsmanager"](clients["secretsmanager"], account)["SecretString"]
    assert json.loads(text) == HOSTED_KEYS


@pytest.mark.parametrize("setting", ["IDEMPOTENCY_TABLE", "TOOL_LIMITS_TABLE"])
def test_a_table_of_what_passes_is_keyed_by_id_and_forgets_by_itself(
    clients: dict[str, Any], account: SeededAccount, setting: str
) -> None:
    table = account.environment[setting]
    described = clients["dynamodb"].describe_table(TableName=table)["Table"]
    assert described["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    forgets = clients["dynamodb"].describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert forgets == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiration"}


def test_a_workspace_key_decrypts_only_in_its_own_context(clients: dict[str, Any], account: SeededAccount) -> None:
    account.put_workspace_key("ws", "openai", "sk-of-the-workspace")
    item = OPERATIONS["dynamodb"](clients["dynamodb"], account)["Items"][0]
    assert item["sk"]["S"].startswith("openai#2026-01-01T00:00:00Z#")
    assert item["lastFour"] == {"S": "pace"}
    blob = item["ciphertext"]["B"]
    assert b"sk-of" not in blob
    context = {"workspaceId": "ws", "provider": "openai"}
    assert clients["kms"].decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"sk-of-the-workspace"
    with pytest.raises(ClientError):
        clients["kms"].decrypt(CiphertextBlob=blob, EncryptionContext={**context, "workspaceId": "another"})


def test_a_corrupt_workspace_key_does_not_decrypt(clients: dict[str, Any], account: SeededAccount) -> None:
    account.put_workspace_key("ws-corrupt", "openai", "sk-broken", corrupt=True)
    items = clients["dynamodb"].query(
        TableName=account.environment["WORKSPACE_KEYS_TABLE"],
        KeyConditionExpression="workspaceId = :w",
        ExpressionAttributeValues={":w": {"S": "ws-corrupt"}},
    )["Items"]
    with pytest.raises(ClientError):
        clients["kms"].decrypt(
            CiphertextBlob=items[0]["ciphertext"]["B"],
            EncryptionContext={"workspaceId": "ws-corrupt", "provider": "openai"},
        )


@pytest.mark.parametrize("service", OPERATIONS)
@pytest.mark.parametrize("outage", [Outage.UNREACHABLE, Outage.SILENT, Outage.FAILING, Outage.DENIED])
def test_an_outage_fails_its_service_and_mending_ends_it(
    aws: LocalAws,
    account: SeededAccount,
    clients: dict[str, Any],
    impatient: dict[str, Any],
    *,
    service: str,
    outage: Outage,
) -> None:
    answered = outage in (Outage.FAILING, Outage.DENIED)
    asking = impatient if outage is Outage.SILENT else clients
    aws.outages.declare(SIGNED_AS.get(service, service), outage)
    try:
        with pytest.raises(ClientError if answered else HTTPClientError):
            OPERATIONS[service](asking[service], account)
    finally:
        aws.outages.mend()
    assert OPERATIONS[service](clients[service], account)


@pytest.mark.parametrize("service", OPERATIONS)
def test_of_nonsense_boto3_makes_an_empty_answer(
    aws: LocalAws, account: SeededAccount, clients: dict[str, Any], service: str
) -> None:
    aws.outages.declare(SIGNED_AS.get(service, service), Outage.NONSENSE)
    try:
        assert set(OPERATIONS[service](clients[service], account)) == {"ResponseMetadata"}
    finally:
        aws.outages.mend()


def test_other_services_are_untouched_by_an_outage(
    aws: LocalAws, account: SeededAccount, clients: dict[str, Any]
) -> None:
    aws.outages.declare("kms", Outage.UNREACHABLE)
    try:
        assert OPERATIONS["secretsmanager"](clients["secretsmanager"], account)["SecretString"]
    finally:
        aws.outages.mend()


def test_a_held_request_gets_its_true_answer_when_the_service_is_mended(aws: LocalAws, account: SeededAccount) -> None:
    patient = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=REGION)
    answers: list[Any] = []
    aws.outages.declare("kms", Outage.SILENT)
    before = aws.outages.calls("kms")
    with closing(patient.client("kms", endpoint_url=aws.url)) as client:
        asking = threading.Thread(target=lambda: answers.append(OPERATIONS["kms"](client, account)))
        asking.start()
        aws.outages.wait_for_calls("kms", before + 1)
        assert answers == []
        aws.outages.mend("kms")
        asking.join()
    assert answers[0]["KeyMetadata"]["KeyId"] == account.environment["WORKSPACE_KEYS_KMS_KEY"]
