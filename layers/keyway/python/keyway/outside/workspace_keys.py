"""The keys that workspaces have stored: items of a DynamoDB table, each encrypted with KMS.

    workspaceId (partition key)   sk = provider#createdAt#id   ciphertext, label, lastFour, createdAt

The table is read anew for every request, so that a revoked key stops working at once. KMS is asked only for items
that have not been seen before: a decrypted key is reused as long as its item is unchanged, and forgotten with it.
KMS binds each ciphertext to its workspace and provider (the encryption context), so an item copied elsewhere cannot
be read there.

Several keys take turns, oldest first. One that is corrupt is passed over. When there are keys and none can be read,
that is an error: somebody else would be billed otherwise. Writing keys is the workspace-keys function's work.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keyway.errors import KeyStoreUnavailable
from keyway.outside.aws import Aws, AwsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_kms.client import KMSClient

_PAGES = 10
"""More pages than this, of up to 1 MB each, are no workspace's keys."""

_OF_THE_ITEM = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
"""KMS's errors that are about one ciphertext, and stay so as long as it does not change."""

_LONGEST = 6_144
"""Bytes of ciphertext that KMS accepts."""

log = logging.getLogger("keyway")


@dataclass(frozen=True, slots=True)
class Item:
    """A stored key: ``sort_key`` is ``provider#createdAt#id``."""

    sort_key: str
    ciphertext: bytes


@dataclass(slots=True)
class Remembered:
    """What is kept of one workspace's keys for one provider. A corrupt item's secret is ``None``."""

    turn: int = 0
    secrets: dict[Item, str | None] = field(default_factory=dict, repr=False)


class WorkspaceKeys:
    """Stored keys, read and decrypted.

    Args:
        table: The table's name; ``None`` when the operator has none, and so no workspace has keys.
        kms_key: The KMS key all items are encrypted with; ``None`` trusts the one each ciphertext names.
        patience: Seconds that one look-up may take.
        remembered: Workspaces (times providers) whose decrypted keys and turns are kept in memory.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        table: str | None,
        kms_key: str | None,
        patience: float = 5.0,
        remembered: int = 1_000,
    ) -> None:
        self._aws = aws
        self._table = table or ""
        self._kms_key = kms_key
        self._patience = patience
        self._most_remembered = remembered
        self._remembered: OrderedDict[tuple[str, str], Remembered] = OrderedDict()

    async def key(self, workspace_id: str, provider: str) -> str | None:
        """The secret whose turn it is, or ``None`` when ``workspace_id`` stored no key for ``provider``.

        Raises:
            KeyStoreUnavailable: The table or KMS cannot be reached, or none of the keys can be read.
        """
        if not self._table:
            return None
        try:
            async with asyncio.timeout(self._patience):
                items = await self._aws.call(
                    "dynamodb", lambda client: _query(client, self._table, workspace_id, provider)
                )
                if not items:
                    self._remembered.pop((workspace_id, provider), None)
                    return None
                remembered = self._recall(workspace_id, provider, items)
                return await self._first_readable(workspace_id, provider, items, remembered)
        except AwsError as error:
            raise self._unavailable(workspace_id, provider, str(error)) from None
        except TimeoutError:
            reason = f"no answer in {self._patience:g} seconds"
            raise self._unavailable(workspace_id, provider, reason) from None

    def _recall(self, workspace_id: str, provider: str, items: list[Item]) -> Remembered:
        """What is remembered of the items that are still there; the others' secrets are forgotten."""
        remembered = self._remembered.setdefault((workspace_id, provider), Remembered())
        self._remembered.move_to_end((workspace_id, provider))
        while len(self._remembered) > self._most_remembered:
            self._remembered.popitem(last=False)
        remembered.secrets = {item: remembered.secrets[item] for item in items if item in remembered.secrets}
        return remembered

    async def _first_readable(self, workspace_id: str, provider: str, items: list[Item], remembered: Remembered) -> str:
        start = remembered.turn % len(items)
        remembered.turn += 1
        failure: AwsError | None = None
        for item in items[start:] + items[:start]:
            # When KMS is out of reach, a key that was decrypted earlier may still serve.
            if item not in remembered.secrets and (failure is None or failure.answered):
                try:
                    remembered.secrets[item] = await self._decrypt(workspace_id, provider, item)
                except AwsError as error:
                    failure = error
            if (secret := remembered.secrets.get(item)) is not None:
                return secret
        if failure is not None:
            raise failure
        raise self._unavailable(workspace_id, provider, "none of the stored keys can be read")

    async def _decrypt(self, workspace_id: str, provider: str, item: Item) -> str | None:
        """The item's secret, or ``None`` when it is corrupt. Raises ``AwsError`` when KMS cannot tell."""
        if not 0 < len(item.ciphertext) <= _LONGEST:
            reason = "its ciphertext is missing or too long"
        else:
            context = {"workspaceId": workspace_id, "provider": provider}
            try:
                plaintext = await self._aws.call(
                    "kms", lambda client: _decrypt(client, item.ciphertext, context, self._kms_key)
                )
            except AwsError as error:
                if error.code not in _OF_THE_ITEM:
                    raise
                reason = str(error)
            else:
                if (secret := _as_key(plaintext)) is not None:
                    return secret
                reason = "what it holds is no key"
        log.error(
            "a stored key of workspace %s for %s is corrupt and was passed over: %s",
            workspace_id,
            provider,
            reason,
            extra={"workspace_id": workspace_id, "provider": provider, "sort_key": item.sort_key},
        )
        return None

    @staticmethod
    def _unavailable(workspace_id: str, provider: str, reason: str) -> KeyStoreUnavailable:
        log.error(
            "the keys of workspace %s for %s cannot be read: %s",
            workspace_id,
            provider,
            reason,
            extra={"workspace_id": workspace_id, "provider": provider, "reason": reason},
        )
        return KeyStoreUnavailable(
            f"The workspace's stored keys for {provider} cannot be read at the moment, so it is not known whose key"
            " should pay. Try again soon; if that does not help, store the key anew.",
            provider=provider,
        )


def _query(client: DynamoDBClient, table: str, workspace_id: str, provider: str) -> list[Item]:
    """The items of one workspace and provider, oldest first: the sort key begins with the time of creation."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="workspaceId = :workspace AND begins_with(sk, :provider)",
        ExpressionAttributeValues={":workspace": {"S": workspace_id}, ":provider": {"S": f"{provider}#"}},
        ProjectionExpression="sk, ciphertext",
        ConsistentRead=True,
    )
    items: list[Item] = []
    for number, page in enumerate(pages):
        if "Items" not in page or number == _PAGES:
            raise AwsError("dynamodb:Query", "an answer that cannot be right")
        items += [_item(stored) for stored in page["Items"]]
    return items


def _item(stored: Mapping[str, AttributeValueTypeDef]) -> Item:
    ciphertext = stored.get("ciphertext", {}).get("B")
    return Item(stored.get("sk", {}).get("S", ""), ciphertext if isinstance(ciphertext, bytes) else b"")


def _decrypt(client: KMSClient, ciphertext: bytes, context: dict[str, str], kms_key: str | None) -> bytes:
    if kms_key is None:
        answer = client.decrypt(CiphertextBlob=ciphertext, EncryptionContext=context)
    else:
        answer = client.decrypt(CiphertextBlob=ciphertext, EncryptionContext=context, KeyId=kms_key)
    if not answer.get("Plaintext"):  # KMS encrypts nothing empty, so this is no answer about the item
        raise AwsError("kms:Decrypt", "no plaintext in the answer")
    return answer["Plaintext"]


def _as_key(plaintext: bytes) -> str | None:
    """The text of a key; ``None`` when it could not stand in an HTTP header."""
    try:
        text = plaintext.decode("ascii").strip()
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() else None
