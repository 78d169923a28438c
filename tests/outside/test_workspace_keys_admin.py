"""Storing workspaces' keys: what is written is what the gateway reads, and nothing secret is ever shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from keyway.errors import InvalidRequest, KeyStoreUnavailable
from keyway.outside.workspace_keys import WorkspaceKeys
from keyway.outside.workspace_keys_admin import WorkspaceKeysAdmin
from tests.outside.servers import FAULTS, LEAK

TABLE = "workspace-keys-admin"


class Time:
    """Noon, and a second later with each look at it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def kms_key(operator) -> Iterator[str]:
    operator("dynamodb").create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("workspaceId", "sk")],
        KeySchema=[{"AttributeName": "workspaceId", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield operator("kms").create_key()["KeyMetadata"]["KeyId"]
    operator("dynamodb").delete_table(TableName=TABLE)


@pytest.fixture
def admin(aws, kms_key):
    return WorkspaceKeysAdmin(aws, table=TABLE, kms_key=kms_key, now=Time())


@pytest.fixture
def gateway(aws, kms_key):
    """The side that reads."""
    return WorkspaceKeys(aws, table=TABLE, kms_key=kms_key)


async def test_a_stored_key_is_what_the_gateway_finds(admin, gateway):
    key = await admin.put("ws-1", "openai", "sk-one-1234", "main")
    assert await gateway.key("ws-1", "openai") == "sk-one-1234"
    assert (key.provider, key.label, key.last_four) == ("openai", "main", "1234")
    assert key.created_at == "2026-01-01T12:00:01.000000Z"


async def test_an_item_has_the_attributes_that_other_tools_rely_on(admin, operator):
    key = await admin.put("ws-1", "openai", LEAK, "main")
    (item,) = operator("dynamodb").scan(TableName=TABLE)["Items"]
    assert item.keys() == {"workspaceId", "sk", "ciphertext", "label", "lastFour", "createdAt"}
    assert item["sk"]["S"] == f"openai#{key.created_at}#{key.id}"
    assert LEAK.encode() not in item["ciphertext"]["B"]


async def test_keys_take_turns_in_the_order_they_were_stored(admin, gateway):
    for number in range(3):
        await admin.put("ws-1", "openai", f"sk-number-{number}", "")
    assert [await gateway.key("ws-1", "openai") for _ in range(4)] == [f"sk-number-{n}" for n in (0, 1, 2, 0)]


async def test_a_list_shows_everything_but_secrets(admin):
    first = await admin.put("ws-1", "openai", LEAK, "main")
    second = await admin.put("ws-1", "anthropic", LEAK, "")
    await admin.put("ws-2", "openai", LEAK, "")
    assert await admin.list("ws-1") == [second, first]
    assert await admin.list("ws-1", "openai") == [first]
    assert await admin.list("ws-1", "open") == []
    assert LEAK not in str([key.to_json() for key in await admin.list("ws-1")])


async def test_a_list_never_asks_for_ciphertexts(admin, proxy):
    seen = []
    proxy.alter = lambda _operation, body: seen.append(body.get("ProjectionExpression"))
    await admin.list("ws-1")
    assert seen == ["sk, label, lastFour, createdAt, rotatedAt"]


async def test_a_rotated_key_keeps_its_id_its_turn_and_its_label(admin, gateway):
    key = await admin.put("ws-1", "openai", "sk-old-1111", "main")
    await admin.put("ws-1", "openai", "sk-other-3333", "")
    assert await gateway.key("ws-1", "openai") == "sk-old-1111"
    rotated = await admin.rotate("ws-1", "openai", key.id, "sk-new-2222")
    assert (rotated.id, rotated.label, rotated.last_four, rotated.created_at) == (
        key.id,
        "main",
        "2222",
        key.created_at,
    )
    assert rotated.rotated_at > key.created_at
    assert [await gateway.key("ws-1", "openai") for _ in range(2)] == ["sk-other-3333", "sk-new-2222"]
    assert rotated in await admin.list("ws-1", "openai")


async def test_a_deleted_key_is_gone_with_the_next_request(admin, gateway):
    key = await admin.put("ws-1", "openai", "sk-one-1234", "")
    assert await gateway.key("ws-1", "openai") == "sk-one-1234"
    assert await admin.delete("ws-1", "openai", key.id) == key
    assert await gateway.key("ws-1", "openai") is None


@pytest.mark.parametrize("elsewhere", [("ws-2", "openai"), ("ws-1", "anthropic")])
async def test_a_key_of_somebody_else_is_not_found(admin, elsewhere):
    key = await admin.put("ws-1", "openai", LEAK, "")
    with pytest.raises(InvalidRequest, match=f"has no key '{key.id}'") as raised:
        await admin.rotate(*elsewhere, key.id, LEAK)
    assert raised.value.status == 404
    with pytest.raises(InvalidRequest, match="list shows its keys"):
        await admin.delete(*elsewhere, key.id)


@pytest.mark.parametrize("operation", ["UpdateItem", "DeleteItem"])
async def test_a_key_that_vanishes_meanwhile_does_not_come_back(admin, operator, proxy, operation):
    key = await admin.put("ws-1", "openai", "sk-one-1234", "")

    def vanish(asked, _body):
        if asked == operation:
            sort_key = {"S": f"openai#{key.created_at}#{key.id}"}
            operator("dynamodb").delete_item(TableName=TABLE, Key={"workspaceId": {"S": "ws-1"}, "sk": sort_key})

    proxy.alter = vanish
    change = {
        "UpdateItem": lambda: admin.rotate("ws-1", "openai", key.id, "sk-new-2222"),
        "DeleteItem": lambda: admin.delete("ws-1", "openai", key.id),
    }[operation]
    with pytest.raises(InvalidRequest, match="has no key"):
        await change()
    assert operator("dynamodb").scan(TableName=TABLE)["Items"] == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_kms_nothing_is_stored_and_no_secret_is_told(admin, proxy, operator, fault):
    proxy.faults = {"Encrypt": fault}
    with pytest.raises(KeyStoreUnavailable) as raised:
        await admin.put("ws-1", "openai", LEAK, "")
    assert LEAK not in str(raised.value)
    assert operator("dynamodb").scan(TableName=TABLE)["Items"] == []


@pytest.mark.parametrize("operation", ["PutItem", "Query"])
async def test_a_table_out_of_reach_is_an_error(admin, proxy, operation):
    proxy.faults = {operation: "hung up"}
    with pytest.raises(KeyStoreUnavailable, match="cannot be reached at the moment"):
        await (admin.list("ws-1") if operation == "Query" else admin.put("ws-1", "openai", LEAK, ""))
