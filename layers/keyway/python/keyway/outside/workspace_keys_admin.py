"""Writes the keys that workspaces store: the other half of ``workspace_keys.py``, which says what an item holds.

A key is encrypted with KMS before it is stored, and cannot be decrypted or shown here: this half may only encrypt.
Rotating replaces the ciphertext of an item in one write, so there is no moment at which the workspace has no key. Ids
are random; ``createdAt`` decides in which order several keys take turns.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from keyway.errors import InvalidRequest, KeyStoreUnavailable
from keyway.outside.aws import Aws, AwsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_kms.client import KMSClient

T = TypeVar("T")

_GONE = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What may be shown of a stored key. Times are ISO 8601, in UTC."""

    id: str
    provider: str
    label: str
    last_four: str
    created_at: str
    rotated_at: str = ""

    def to_json(self) -> dict[str, object]:
        """The key as the workspace-keys function answers."""
        shown: dict[str, object] = {
            "id": self.id,
            "provider": self.provider,
            "label": self.label,
            "lastFour": self.last_four,
            "createdAt": self.created_at,
        }
        return {**shown, "rotatedAt": self.rotated_at} if self.rotated_at else shown


class WorkspaceKeysAdmin:
    """Puts, lists, rotates and deletes stored keys.

    Args:
        table, kms_key: Where keys are stored and what encrypts them.
        now: The time, in UTC.
    """

    def __init__(
        self, aws: Aws, *, table: str, kms_key: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._aws = aws
        self._table = table
        self._kms_key = kms_key
        self._now = now

    async def put(self, workspace_id: str, provider: str, api_key: str, label: str) -> StoredKey:
        """Stores a key beside those that are there already.

        Raises:
            KeyStoreUnavailable: The table or KMS cannot be reached; nothing was stored.
        """
        key = StoredKey(secrets.token_hex(8), provider, label, api_key[-4:], self._time())
        item: dict[str, AttributeValueTypeDef] = {
            "workspaceId": {"S": workspace_id},
            "sk": {"S": f"{provider}#{key.created_at}#{key.id}"},
            "ciphertext": {"B": await self._encrypt(workspace_id, provider, api_key)},
            "label": {"S": label},
            "lastFour": {"S": key.last_four},
            "createdAt": {"S": key.created_at},
        }
        await self._call(lambda client: client.put_item(TableName=self._table, Item=item))
        return key

    async def list(self, workspace_id: str, provider: str = "") -> list[StoredKey]:
        """The workspace's keys, by provider and age, without secrets. Raises ``KeyStoreUnavailable``."""
        items = await self._call(lambda client: _query(client, self._table, workspace_id, provider))
        return [_shown(item) for item in items]

    async def rotate(self, workspace_id: str, provider: str, key_id: str, api_key: str, label: str = "") -> StoredKey:
        """Puts ``api_key`` in the place of the key ``key_id``; a label is kept unless there is a new one.

        Raises:
            InvalidRequest: There is no such key.
            KeyStoreUnavailable: The table or KMS cannot be reached; the old key stays.
        """
        sort_key, old = await self._find(workspace_id, provider, key_id)
        new = StoredKey(key_id, provider, label or old.label, api_key[-4:], old.created_at, self._time())
        values: dict[str, AttributeValueTypeDef] = {
            ":ciphertext": {"B": await self._encrypt(workspace_id, provider, api_key)},
            ":label": {"S": new.label},
            ":lastFour": {"S": new.last_four},
            ":rotatedAt": {"S": new.rotated_at},
        }
        await self._change(
            workspace_id,
            provider,
            key_id,
            lambda client: client.update_item(
                TableName=self._table,
                Key={"workspaceId": {"S": workspace_id}, "sk": {"S": sort_key}},
                UpdateExpression=(
                    "SET ciphertext = :ciphertext, label = :label, lastFour = :lastFour, rotatedAt = :rotatedAt"
                ),
                ConditionExpression="attribute_exists(sk)",
                ExpressionAttributeValues=values,
            ),
        )
        return new

    async def delete(self, workspace_id: str, provider: str, key_id: str) -> StoredKey:
        """Removes the key ``key_id``; the gateway stops using it with its next request. Returns what it was.

        Raises:
            InvalidRequest: There is no such key.
            KeyStoreUnavailable: The table cannot be reached.
        """
        sort_key, key = await self._find(workspace_id, provider, key_id)
        await self._change(
            workspace_id,
            provider,
            key_id,
            lambda client: client.delete_item(
                TableName=self._table,
                Key={"workspaceId": {"S": workspace_id}, "sk": {"S": sort_key}},
                ConditionExpression="attribute_exists(sk)",
            ),
        )
        return key

    async def _find(self, workspace_id: str, provider: str, key_id: str) -> tuple[str, StoredKey]:
        for item in await self._call(lambda client: _query(client, self._table, workspace_id, provider)):
            if (key := _shown(item)).id == key_id:
                return item["sk"]["S"], key
        raise _no_such_key(workspace_id, provider, key_id)

    async def _change(
        self, workspace_id: str, provider: str, key_id: str, operation: Callable[[DynamoDBClient], object]
    ) -> None:
        try:
            await self._aws.call("dynamodb", operation)
        except AwsError as error:
            if error.code == _GONE:  # somebody else deleted it a moment ago
                raise _no_such_key(workspace_id, provider, key_id) from None
            raise _unavailable(error) from None

    async def _call(self, operation: Callable[[DynamoDBClient], T]) -> T:
        try:
            return await self._aws.call("dynamodb", operation)
        except AwsError as error:
            raise _unavailable(error) from None

    async def _encrypt(self, workspace_id: str, provider: str, api_key: str) -> bytes:
        context = {"workspaceId": workspace_id, "provider": provider}
        try:
            return await self._aws.call("kms", lambda client: _ciphertext(client, self._kms_key, api_key, context))
        except AwsError as error:
            raise _unavailable(error) from None

    def _time(self) -> str:
        return self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _ciphertext(client: KMSClient, kms_key: str, api_key: str, context: dict[str, str]) -> bytes:
    answer = client.encrypt(KeyId=kms_key, Plaintext=api_key.encode(), EncryptionContext=context)
    return answer["CiphertextBlob"]


def _query(
    client: DynamoDBClient, table: str, workspace_id: str, provider: str
) -> list[Mapping[str, AttributeValueTypeDef]]:
    condition = "workspaceId = :workspace"
    values: dict[str, AttributeValueTypeDef] = {":workspace": {"S": workspace_id}}
    if provider:
        condition += " AND begins_with(sk, :provider)"
        values[":provider"] = {"S": f"{provider}#"}
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
        ProjectionExpression="sk, label, lastFour, createdAt, rotatedAt",
        ConsistentRead=True,
    )
    return [item for page in pages for item in page["Items"]]


def _shown(item: Mapping[str, AttributeValueTypeDef]) -> StoredKey:
    provider, _, rest = item["sk"]["S"].partition("#")
    created_at, _, key_id = rest.rpartition("#")
    return StoredKey(
        id=key_id,
        provider=provider,
        label=item.get("label", {}).get("S", ""),
        last_four=item.get("lastFour", {}).get("S", ""),
        created_at=item.get("createdAt", {}).get("S", "") or created_at,
        rotated_at=item.get("rotatedAt", {}).get("S", ""),
    )


def _no_such_key(workspace_id: str, provider: str, key_id: str) -> InvalidRequest:
    error = InvalidRequest(f"id: workspace {workspace_id!r} has no key {key_id!r} for {provider}; list shows its keys")
    error.status = 404
    return error


def _unavailable(error: AwsError) -> KeyStoreUnavailable:
    return KeyStoreUnavailable(f"Workspaces' keys cannot be reached at the moment ({error}). Try again soon.")
