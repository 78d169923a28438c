"""Which tasks have been answered: one item of a DynamoDB table for each, so that no attempt is paid for twice.

    id = "task#" + SHA-256 of workspace and key   status   expiration   in_progress_expiration   data   validation

The items are those of Powertools' idempotency utility, and so are the conditions under which they are written. Its
decorators are for synchronous handlers; here its persistence layer is used through its own methods, in a thread.

An attempt that died without a word holds its task until its invocation's time is over. A table that cannot be
reached is an error before anything is paid. What an attempt does with its claim is ``doors/step_functions/tasks.py``.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from keyway.errors import InvalidRequest, KeyStoreUnavailable, RateLimited
from keyway.outside.aws import Aws, AwsError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
    from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
    from mypy_boto3_dynamodb.client import DynamoDBClient

T = TypeVar("T")
Data: TypeAlias = dict[str, Any]

log = logging.getLogger(__name__)

REMEMBERED = 24 * 60 * 60
"""Seconds for which an answered task is remembered."""


@dataclass(frozen=True, slots=True)
class _Answered:
    answer: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    until: float


class _Another:
    """The key stands for another request."""


_Found: TypeAlias = _Answered | _UnderWay | _Another | None


class IdempotencyRecords:
    """The records of all tasks.

    Args:
        aws: AWS's clients.
        table: The table's name; ``None`` when the operator has none, and then every claim is refused.
        patience: Seconds that one look-up may take.
    """

    def __init__(self, aws: Aws, *, table: str | None, patience: float = 5.0) -> None:
        self._aws = aws
        self._table = table
        self._patience = patience
        self._layer: DynamoDBPersistenceLayer | None = None

    def of(self, *, workspace_id: str | None, key: str, fingerprint: Mapping[str, object]) -> IdempotencyRecord:
        """The record of the task that ``workspace_id`` calls ``key``. Reads nothing yet."""
        return IdempotencyRecord(self, {"workspaceId": workspace_id, "key": key, "fingerprint": dict(fingerprint)})

    async def use(self, operation: Callable[[DynamoDBPersistenceLayer], T], *, within: float) -> T:
        """What ``operation`` returns, given Powertools' layer in a thread.

        Raises:
            AwsError: The table cannot be used, or did not answer in time.
            InvalidRequest: There is no table.
        """
        if self._table is None:
            raise InvalidRequest(
                "idempotencyKey: this Keyway cannot promise to charge a task once, because its operator has not set"
                " IDEMPOTENCY_TABLE. Leave the key out to have every attempt charged."
            )
        table, patience = self._table, min(self._patience, within)
        try:
            async with asyncio.timeout(patience):
                return await self._aws.call("dynamodb", lambda client: operation(self._layer_on(client, table)))
        except TimeoutError:
            raise AwsError("dynamodb", f"no answer in {patience:.1f} seconds", answered=False) from None

    def _layer_on(self, client: DynamoDBClient, table: str) -> DynamoDBPersistenceLayer:
        layer = self._layer
        if layer is None or layer.client is not client:  # clients are made anew after a snapshot
            from aws_lambda_powertools.utilities.idempotency import (  # noqa: PLC0415 - slow to import
                DynamoDBPersistenceLayer,
                IdempotencyConfig,
            )

            layer = DynamoDBPersistenceLayer(table, boto3_client=client)
            layer.configure(
                IdempotencyConfig(
                    event_key_jmespath="[workspaceId, key]",
                    payload_validation_jmespath="fingerprint",
                    expires_after_seconds=REMEMBERED,
                    hash_function="sha256",
                ),
                key_prefix="task",
            )
            self._layer = layer
        return layer


class IdempotencyRecord:
    """The record of one task."""

    def __init__(self, records: IdempotencyRecords, data: Data) -> None:
        self._records = records
        self._data = data

    async def claim(self, *, lasts: float) -> Mapping[str, object] | None:
        """The answer of an earlier attempt; or ``None``, and the task is this attempt's for ``lasts`` seconds.

        Raises:
            InvalidRequest: The key was used for another request, or nothing is remembered here at all.
            RateLimited: Another attempt is under way; ``retry_after`` is when it ends at the latest.
            KeyStoreUnavailable: The table cannot be reached, so it is not known whether the task was charged.
        """
        try:
            found = await self._records.use(lambda layer: _claim(layer, self._data, lasts), within=lasts)
        except AwsError as error:
            log.error(  # noqa: TRY400 - a stack trace may not stand in a log
                "a task was refused, because the table of tasks cannot be used: %s", error, extra={"reason": str(error)}
            )
            raise KeyStoreUnavailable(
                "It cannot be looked up at the moment whether this task has been charged before, so it was not run."
                " Try again soon."
            ) from None
        match found:
            case _Answered(answer):
                first = answer.get("requestId")
                log.info("a task was answered as before, and not charged again", extra={"firstRequestId": first})
                return answer
            case _UnderWay(until):
                raise RateLimited(
                    "idempotencyKey: another attempt of this task is under way, so this one was not run. The other one"
                    f" ends by {datetime.fromtimestamp(ceil(until), UTC):%Y-%m-%dT%H:%M:%SZ}. Try again later.",
                    retry_after=max(1.0, until - time.time()),
                )
            case _Another():
                raise InvalidRequest(
                    "idempotencyKey: was used before, for another request. A task needs a key of its own; where a state"
                    " runs more than once in an execution, add the item's index or the time the state was entered."
                )
            case None:
                return None

    async def keep(self, answer: Mapping[str, object], *, within: float) -> None:
        """The task was answered with ``answer``. What fails is logged: the answer is the caller's all the same."""
        try:
            await self._records.use(lambda layer: layer.save_success(self._data, _packed(answer)), within=within)
        except AwsError as error:
            log.error(  # noqa: TRY400
                "a task was answered, and that could not be remembered; another attempt would be charged again: %s",
                error,
                extra={"requestId": answer.get("requestId"), "reason": str(error)},
            )

    async def release(self, *, within: float) -> None:
        """The attempt failed, so that the next one may begin anew. When that fails, its claim expires."""
        try:
            await self._records.use(
                lambda layer: layer.delete_record(self._data, RuntimeError("the attempt failed")), within=within
            )
        except AwsError as error:
            log.warning(
                "a task failed and could not be released; other attempts are refused until its time is over: %s",
                error,
                extra={"reason": str(error)},
            )


def _claim(layer: DynamoDBPersistenceLayer, data: Data, lasts: float) -> _Found:
    """Runs in a thread, from which only AWS's errors come back as they are; the others are told as values."""
    from aws_lambda_powertools.utilities.idempotency.exceptions import (  # noqa: PLC0415
        IdempotencyItemAlreadyExistsError,
        IdempotencyItemNotFoundError,
        IdempotencyValidationError,
    )

    try:
        layer.save_inprogress(data, remaining_time_in_millis=max(0, int(lasts * 1000)))
    except IdempotencyValidationError:
        return _Another()
    except IdempotencyItemAlreadyExistsError as error:
        try:
            return _found(error.old_data_record or layer.get_record(data))
        except IdempotencyValidationError:
            return _Another()
        except IdempotencyItemNotFoundError:
            return _UnderWay(time.time())  # released between two breaths: the next attempt will have it
    try:
        layer.get_record(data)
    except IdempotencyItemNotFoundError:
        # Whatever answered the write, it was not DynamoDB. A claim that is not there protects nobody.
        raise AwsError("dynamodb:PutItem", "an answer that cannot be right") from None
    return None


def _found(record: DataRecord | None) -> _Found:
    assert record is not None
    if record.status == "COMPLETED":
        return _Answered(_unpacked(record.response_json_as_dict() or {}))
    expires = record.in_progress_expiry_timestamp
    return _UnderWay(time.time() if expires is None else float(expires) / 1000)


def _packed(answer: Mapping[str, object]) -> Data:
    """An answer as it fits into an item, of which DynamoDB takes 400 KB: as text it may be three times its size."""
    return {"zlib": base64.b64encode(zlib.compress(json.dumps(answer).encode())).decode()}


def _unpacked(stored: Data) -> Mapping[str, object]:
    answer = json.loads(zlib.decompress(base64.b64decode(stored["zlib"])))
    if not isinstance(answer, dict):
        raise TypeError("a remembered answer is no object")
    return answer
