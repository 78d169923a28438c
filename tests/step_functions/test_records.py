"""The table of tasks at its own seam: claims that expire, records that are damaged, AWS that comes anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import boto3
import pytest

from infra.local.aws import REGION, LocalAws
from infra.local.seed import SeededAccount
from keyway.errors import KeyStoreUnavailable, RateLimited
from keyway.outside.aws import Aws
from keyway.outside.idempotency import REMEMBERED, IdempotencyRecord, IdempotencyRecords

_serial = count(1)


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[LocalAws, SeededAccount]]:
    with LocalAws() as aws, SeededAccount(aws.url, aws.environment, name="keyway-records") as account:
        yield aws, account


@pytest.fixture
def aws(account: tuple[LocalAws, SeededAccount], session: boto3.session.Session) -> Iterator[Aws]:
    made = Aws(region=REGION, endpoints={"dynamodb": account[0].url}, session=session)
    yield made
    made.stop()


@pytest.fixture
def records(aws: Aws, account: tuple[LocalAws, SeededAccount]) -> IdempotencyRecords:
    return IdempotencyRecords(aws, table=account[1].environment["IDEMPOTENCY_TABLE"])


@pytest.fixture
def table(account: tuple[LocalAws, SeededAccount], session: boto3.session.Session) -> Iterator[Any]:
    """The table, emptied: what is in it was written by the test."""
    resource = session.resource("dynamodb", endpoint_url=account[0].url)
    table = resource.Table(account[1].environment["IDEMPOTENCY_TABLE"])
    for item in table.scan()["Items"]:
        table.delete_item(Key={"id": item["id"]})
    yield table
    resource.meta.client.close()


@pytest.fixture
def record(records: IdempotencyRecords) -> IdempotencyRecord:
    return task(records, f"task-{next(_serial)}")


def task(records: IdempotencyRecords, key: str, asked: object = "Hello?") -> IdempotencyRecord:
    return records.of(workspace_id=None, key=key, fingerprint={"asked": asked})


async def test_an_attempt_that_died_holds_its_task_until_its_time_is_over(record: IdempotencyRecord) -> None:
    assert await record.claim(lasts=600) is None
    with pytest.raises(RateLimited) as refused:
        await record.claim(lasts=600)
    assert refused.value.retry_after is not None
    assert 590 < refused.value.retry_after <= 600


async def test_a_task_whose_time_is_over_can_be_claimed_again(record: IdempotencyRecord, table: Any) -> None:
    assert await record.claim(lasts=600) is None
    (item,) = table.scan()["Items"]
    table.put_item(Item={**item, "in_progress_expiration": item["in_progress_expiration"] - 601_000})
    assert await record.claim(lasts=600) is None
    with pytest.raises(RateLimited):
        await record.claim(lasts=600)


async def test_of_many_attempts_at_once_exactly_one_runs(records: IdempotencyRecords) -> None:
    key = f"task-{next(_serial)}"
    claims = await asyncio.gather(*(task(records, key).claim(lasts=60) for _ in range(12)), return_exceptions=True)
    assert claims.count(None) == 1
    assert sum(isinstance(claim, RateLimited) for claim in claims) == 11


async def test_an_answered_task_is_remembered_for_a_day(record: IdempotencyRecord, table: Any) -> None:
    assert await record.claim(lasts=60) is None
    await record.keep({"content": "Привет 👋", "requestId": "request-1"}, within=5)
    assert await record.claim(lasts=60) == {"content": "Привет 👋", "requestId": "request-1"}
    (item,) = table.scan()["Items"]
    assert (item["id"].partition("#")[0], len(item["id"]), item["status"]) == ("task", 69, "COMPLETED")
    assert item["expiration"] > item["in_progress_expiration"] / 1000 + REMEMBERED - 70


async def test_the_largest_answer_that_is_not_put_into_s3_fits_into_an_item(
    record: IdempotencyRecord, table: Any
) -> None:
    # DynamoDB's limit is not enforced by moto, so the item is measured: its text is ASCII.
    answer = {"content": "".join(chr(0x400 + (number * 7919) % 0x300) for number in range(102_000))}
    await record.claim(lasts=60)
    await record.keep(answer, within=5)
    assert await record.claim(lasts=60) == answer
    (item,) = table.scan()["Items"]
    assert len(item["data"]) < 390_000


@pytest.mark.parametrize("data", ["not json", "{}", '{"zlib": "AAAA"}', '{"zlib": 5}'])
async def test_a_damaged_record_is_no_reason_to_pay_again(record: IdempotencyRecord, table: Any, data: str) -> None:
    await record.claim(lasts=60)
    await record.keep({"requestId": "request-1"}, within=5)
    (item,) = table.scan()["Items"]
    table.put_item(Item={**item, "data": data})
    with pytest.raises(KeyStoreUnavailable):
        await record.claim(lasts=60)


async def test_after_a_snapshot_the_table_is_reached_through_new_connections(
    aws: Aws, record: IdempotencyRecord
) -> None:
    await record.claim(lasts=60)
    await record.keep({"requestId": "request-1"}, within=5)
    aws.restored()
    assert await record.claim(lasts=60) == {"requestId": "request-1"}


async def test_a_table_that_is_not_there_is_told_as_such(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    record = task(IdempotencyRecords(aws, table="no-such-table"), "task")
    with pytest.raises(KeyStoreUnavailable):
        await record.claim(lasts=60)
    assert "ResourceNotFoundException" in caplog.text


async def test_an_attempt_without_time_left_does_not_wait_for_the_table(
    record: IdempotencyRecord, caplog: pytest.LogCaptureFixture
) -> None:
    await record.keep({"requestId": "request-1"}, within=0)
    assert "could not be remembered" in caplog.text
