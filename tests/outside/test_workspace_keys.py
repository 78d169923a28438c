"""Workspaces' stored keys: read afresh from DynamoDB each time, decrypted by KMS once, in turns, never in silence."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from keyway.errors import KeyStoreUnavailable
from keyway.outside.aws import Aws
from keyway.outside.workspace_keys import WorkspaceKeys
from tests.outside.conftest import QUICK, Operator
from tests.outside.servers import FAULTS, LEAK, Reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_kms.client import KMSClient

TABLE = "workspace-keys"
QUERY, DECRYPT = "Query", "Decrypt"


class Store:
    """The table and the KMS key as the admin function uses them."""

    def __init__(self, dynamodb: DynamoDBClient, kms: KMSClient) -> None:
        self.dynamodb = dynamodb
        self.kms = kms
        self.kms_key = self.kms.create_key()["KeyMetadata"]["KeyId"]
        self.dynamodb.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("workspaceId", "sk")],
            KeySchema=[
                {"AttributeName": "workspaceId", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    def encrypt(self, secret: str | bytes, workspace: str = "w-1", provider: str = "openai") -> bytes:
        return self.kms.encrypt(
            KeyId=self.kms_key,
            Plaintext=secret.encode() if isinstance(secret, str) else secret,
            EncryptionContext={"workspaceId": workspace, "provider": provider},
        )["CiphertextBlob"]

    def put(self, name: str, secret: str, workspace: str = "w-1", provider: str = "openai") -> None:
        """Stores ``secret`` under ``createdAt#id``, which is ``name``."""
        self.put_raw(name, self.encrypt(secret, workspace, provider), workspace, provider)

    def put_raw(self, name: str, ciphertext: bytes | None, workspace: str = "w-1", provider: str = "openai") -> None:
        item: dict[str, Any] = {"workspaceId": {"S": workspace}, "sk": {"S": f"{provider}#{name}"}}
        if ciphertext is not None:
            item["ciphertext"] = {"B": ciphertext}
        self.dynamodb.put_item(TableName=TABLE, Item=item)

    def delete(self, name: str, workspace: str = "w-1", provider: str = "openai") -> None:
        key = {"workspaceId": {"S": workspace}, "sk": {"S": f"{provider}#{name}"}}
        self.dynamodb.delete_item(TableName=TABLE, Key=key)

    def close(self) -> None:
        self.dynamodb.delete_table(TableName=TABLE)


@pytest.fixture
def store(operator: Operator) -> Iterator[Store]:
    made = Store(operator("dynamodb"), operator("kms"))
    yield made
    made.close()


@pytest.fixture
def keys(aws, store):
    return WorkspaceKeys(aws, table=TABLE, kms_key=store.kms_key)


@pytest.fixture
def one_key(store):
    store.put("1#a", "sk-one")


async def test_a_workspace_without_keys_has_none(keys, proxy):
    assert await keys.key("w-1", "openai") is None
    assert proxy.asked == [QUERY]


async def test_without_a_table_nobody_has_keys_and_nothing_is_read(aws, proxy):
    for unset in (None, ""):
        assert await WorkspaceKeys(aws, table=unset, kms_key=None).key("w-1", "openai") is None
    assert proxy.asked == []


async def test_a_stored_key_is_found_for_its_workspace_and_provider_only(keys, store):
    store.put("2026-01-01T00:00:00Z#a", "sk-one")
    assert await keys.key("w-1", "openai") == "sk-one"
    assert await keys.key("w-1", "open") is None
    assert await keys.key("w-1", "anthropic") is None
    assert await keys.key("w-2", "openai") is None


async def test_several_keys_take_turns_from_the_oldest_and_by_id_where_equally_old(keys, store):
    store.put("2026-01-02T00:00:00Z#a", "sk-3")
    store.put("2026-01-01T00:00:00Z#b", "sk-2")
    store.put("2026-01-01T00:00:00Z#a", "sk-1")
    store.put("2025-01-01T00:00:00Z#a", "sk-other", provider="mistral")
    assert [await keys.key("w-1", "openai") for _ in range(4)] == ["sk-1", "sk-2", "sk-3", "sk-1"]
    assert await keys.key("w-1", "mistral") == "sk-other"
    assert await keys.key("w-1", "openai") == "sk-2"


async def test_the_table_is_read_for_every_request_and_kms_once_for_each_item(keys, store, proxy):
    store.put("1#a", "sk-one")
    for _ in range(3):
        await keys.key("w-1", "openai")
    assert proxy.asked == [QUERY, DECRYPT, QUERY, QUERY]


async def test_the_table_is_read_consistently(keys, proxy):
    seen = []
    proxy.alter = lambda operation, body: seen.append((operation, body.get("ConsistentRead")))
    await keys.key("w-1", "openai")
    assert seen == [(QUERY, True)]


async def test_a_revoked_key_stops_working_at_once(keys, store, proxy):
    store.put("1#a", "sk-one")
    store.put("2#b", "sk-two")
    assert await keys.key("w-1", "openai") == "sk-one"
    store.delete("1#a")
    assert [await keys.key("w-1", "openai") for _ in range(2)] == ["sk-two", "sk-two"]
    store.delete("2#b")
    assert await keys.key("w-1", "openai") is None
    store.put("1#a", "sk-new")
    assert await keys.key("w-1", "openai") == "sk-new"
    assert proxy.asked.count(DECRYPT) == 3


async def test_a_key_that_was_replaced_is_decrypted_anew(keys, store, proxy):
    store.put("1#a", "sk-one")
    await keys.key("w-1", "openai")
    store.put("1#a", "sk-two")
    assert await keys.key("w-1", "openai") == "sk-two"
    assert proxy.asked.count(DECRYPT) == 2


async def test_white_space_around_a_key_is_no_part_of_it(keys, store):
    store.put("1#a", " sk-one\n")
    assert await keys.key("w-1", "openai") == "sk-one"


async def test_what_is_remembered_does_not_print(keys, store):
    store.put("1#a", LEAK)
    assert await keys.key("w-1", "openai") == LEAK
    assert LEAK not in repr(vars(keys))


async def test_many_pages_are_one_answer(keys, store, proxy):
    for number in range(1, 6):
        store.put(f"{number}#a", f"sk-{number}")
    proxy.alter = lambda operation, body: body.update(Limit=1) if operation == QUERY else None
    assert [await keys.key("w-1", "openai") for _ in range(6)] == [f"sk-{n}" for n in (1, 2, 3, 4, 5, 1)]


def of_another_kms_key(store: Store) -> bytes:
    return store.kms.encrypt(
        KeyId=store.kms.create_key()["KeyMetadata"]["KeyId"],
        Plaintext=LEAK.encode(),
        EncryptionContext={"workspaceId": "w-1", "provider": "openai"},
    )["CiphertextBlob"]


CORRUPT: dict[str, Callable[[Store], bytes | None]] = {
    "garbage": lambda _store: b"garbage",
    "no ciphertext": lambda _store: None,
    "far too long": lambda _store: b"x" * 7_000,
    "cut short": lambda store: store.encrypt(LEAK)[:-1],
    "of another workspace": lambda store: store.encrypt(LEAK, workspace="w-2"),
    "of another provider": lambda store: store.encrypt(LEAK, provider="mistral"),
    "of another KMS key": of_another_kms_key,
    "blank": lambda store: store.encrypt(" \n"),
    "no text": lambda store: store.encrypt(b"\xff\xfe"),
    "several lines": lambda store: store.encrypt(f"{LEAK}\nx: y"),
    "not for a header": lambda store: store.encrypt("sk-ключ"),
}


@pytest.mark.parametrize("kind", CORRUPT)
async def test_a_corrupt_key_is_passed_over(keys, store, kind):
    store.put_raw("1#bad", CORRUPT[kind](store))
    store.put("2#good", "sk-good")
    assert [await keys.key("w-1", "openai") for _ in range(3)] == ["sk-good"] * 3


@pytest.mark.parametrize("kind", CORRUPT)
async def test_when_none_of_the_keys_can_be_read_that_is_an_error(keys, store, kind):
    store.put_raw("1#bad", CORRUPT[kind](store))
    store.put_raw("2#bad", CORRUPT[kind](store))
    for _ in range(2):
        with pytest.raises(KeyStoreUnavailable) as raised:
            await keys.key("w-1", "openai")
        assert "stored keys for openai cannot be read" in str(raised.value)
        assert LEAK not in str(raised.value)


async def test_a_corrupt_key_is_logged_once_by_name_and_kms_is_not_asked_again(keys, store, proxy, said, caplog):
    store.put_raw("1#bad", b"garbage")
    store.put("2#good", "sk-good")
    for _ in range(4):
        await keys.key("w-1", "openai")
    (line,) = said()
    assert line.startswith("a stored key of workspace w-1 for openai is corrupt and was passed over: ")
    assert line.endswith("kms:Decrypt failed with InvalidCiphertextException")
    assert [record.sort_key for record in caplog.records if record.name == "keyway"] == ["openai#1#bad"]
    assert proxy.asked.count(DECRYPT) == 2


@pytest.mark.parametrize(("fault", "operation"), list(product(FAULTS, (QUERY, DECRYPT))))
@pytest.mark.usefixtures("one_key")
async def test_a_store_that_fails_is_an_error_and_works_again_afterwards(keys, proxy, said, fault, operation):
    proxy.faults = {operation: fault}
    with pytest.raises(KeyStoreUnavailable) as raised:
        await keys.key("w-1", "openai")
    assert (raised.value.status, raised.value.retryable) == (503, True)
    assert LEAK not in str(raised.value)
    assert "of workspace w-1 for openai cannot be read: " in said()[-1]
    proxy.faults = {}
    assert await keys.key("w-1", "openai") == "sk-one"


async def test_both_stores_down_is_an_error(keys, store, proxy):
    store.put("1#a", "sk-one")
    proxy.fault = "hung up"
    with pytest.raises(KeyStoreUnavailable):
        await keys.key("w-1", "openai")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_key_that_was_decrypted_before_serves_while_kms_is_down(keys, store, proxy, fault):
    store.put("2#b", "sk-two")
    assert await keys.key("w-1", "openai") == "sk-two"
    store.put("1#a", "sk-one")
    proxy.faults = {DECRYPT: fault}
    assert [await keys.key("w-1", "openai") for _ in range(2)] == ["sk-two", "sk-two"]


async def test_a_kms_out_of_reach_is_asked_once_not_once_for_each_key(keys, store, proxy):
    for number in range(5):
        store.put(f"{number}#a", "sk-one")
    proxy.faults = {DECRYPT: "hung up"}
    with pytest.raises(KeyStoreUnavailable):
        await keys.key("w-1", "openai")
    assert proxy.asked == [QUERY, DECRYPT]


@pytest.mark.parametrize("operation", [QUERY, DECRYPT])
async def test_a_slow_store_is_waited_for_no_longer_than_the_limit(aws, store, proxy, operation):
    store.put("1#a", "sk-one")
    keys = WorkspaceKeys(aws, table=TABLE, kms_key=None, patience=0.3)
    proxy.faults = {operation: "slow"}
    began = time.monotonic()
    with pytest.raises(KeyStoreUnavailable):
        await keys.key("w-1", "openai")
    assert time.monotonic() - began < 10


async def test_one_slow_look_up_holds_up_no_other(keys, store, proxy):
    store.put("1#a", "sk-one")
    store.put("1#a", "sk-two", provider="mistral")
    await keys.key("w-1", "mistral")
    proxy.faults = {DECRYPT: "slow"}
    waiting = asyncio.create_task(keys.key("w-1", "openai"))
    assert await keys.key("w-1", "mistral") == "sk-two"
    assert not waiting.done()
    proxy.permit()
    assert await waiting == "sk-one"


async def test_a_table_that_never_ends_is_an_error(keys, proxy):
    page = {"Items": [], "LastEvaluatedKey": {"workspaceId": {"S": "w-1"}, "sk": {"S": "openai#1#a"}}}
    proxy.faults = {QUERY: Reply(200, json.dumps(page).encode())}
    with pytest.raises(KeyStoreUnavailable):
        await keys.key("w-1", "openai")


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"sk": {"N": "1"}, "ciphertext": {"S": LEAK}},
        {"sk": {"S": "openai#1#a"}, "ciphertext": {"B": base64.b64encode(LEAK.encode()).decode()}},
    ],
)
async def test_an_item_of_another_shape_is_corrupt(keys, proxy, item):
    proxy.faults = {QUERY: Reply(200, json.dumps({"Items": [item]}).encode())}
    with pytest.raises(KeyStoreUnavailable):
        await keys.key("w-1", "openai")


async def test_no_more_workspaces_are_remembered_than_the_limit(aws, store, proxy):
    keys = WorkspaceKeys(aws, table=TABLE, kms_key=None, remembered=1)
    for workspace in ("w-1", "w-2"):
        store.put("1#a", f"sk-{workspace}", workspace=workspace)
    for workspace in ("w-1", "w-1", "w-2", "w-1"):
        assert await keys.key(workspace, "openai") == f"sk-{workspace}"
    assert proxy.asked.count(DECRYPT) == 3


async def test_a_port_that_nobody_listens_on_is_an_outage(nobody):
    aws = Aws(endpoints={"dynamodb": nobody}, **QUICK)
    with pytest.raises(KeyStoreUnavailable):
        await WorkspaceKeys(aws, table=TABLE, kms_key=None).key("w-1", "openai")
    aws.stop()
