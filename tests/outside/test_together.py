"""Key resolution over the real stores, with any of them failing, alone and together."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from keyway.capabilities import Model
from keyway.catalog import Hosting, Provider
from keyway.chat import Caller, ChatRequest
from keyway.errors import KeyStoreUnavailable
from keyway.keys.credential import Credential
from keyway.keys.pool import KeyPool
from keyway.keys.resolve import FLAG, Resolver
from keyway.outside.flags import Flags
from keyway.outside.secrets import HostedKeys
from keyway.outside.workspace_keys import WorkspaceKeys
from tests.outside.servers import LEAK

OPENAI = Provider(
    id="openai",
    name="OpenAI",
    wire="openai_responses",
    base_url=None,
    auth=(),
    headers={},
    dialect={},
    legacy="rotation",
    fallback=Model("*", "openai", "*"),
    hosting=Hosting("OPENAI_API_KEY", "openai", covers_catalog=True),
)
MODEL = Model("gpt-4o", "openai", "gpt-4o")
SECRET, TABLE = "keyway/together", "together"


class Everything:
    """A catalog in which the platform pays for every model."""

    def is_hosted_model(self, _provider: Provider, _model: Model) -> bool:
        return True


@pytest.fixture
def platform(operator):
    """A platform with two hosted keys and a table in which nobody has stored one."""
    operator("secretsmanager").create_secret(
        Name=SECRET, SecretString=f'{{"OPENAI_API_KEY_1": "{LEAK}-1", "OPENAI_API_KEY_2": "{LEAK}-2"}}'
    )
    operator("dynamodb").create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("workspaceId", "sk")],
        KeySchema=[{"AttributeName": "workspaceId", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield
    operator("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    operator("dynamodb").delete_table(TableName=TABLE)


class Stores(NamedTuple):
    hosted: HostedKeys
    flags: Flags
    resolver: Resolver


@pytest.fixture
async def stores(aws, clock, platform):  # noqa: ARG001  the platform has to be there
    hosted = HostedKeys(aws, SECRET, clocks=clock)
    flags = Flags(aws, application="a", environment="e", fallback={FLAG: False}, clocks=clock)
    resolver = Resolver(
        catalog=Everything(),
        hosted=True,
        workspace_keys=WorkspaceKeys(aws, table=TABLE, kms_key=None),
        platform_keys=hosted,
        flags=flags,
        pool=KeyPool(0),
    )
    yield Stores(hosted, flags, resolver)
    await hosted.stop()
    await flags.stop()


async def resolve(stores: Stores, key: str | None = None) -> Credential:
    return await stores.resolver.resolve(
        ChatRequest.model_validate({"provider": "openai", "model": "gpt-4o", "systemPrompt": "hello"}),
        Caller.model_validate({"workspaceId": "w-1", "apiKey": SecretStr(key) if key else None}),
        OPENAI,
        MODEL,
        minute=0,
        caller_chose_address=False,
    )


async def test_the_pool_pays_and_what_starts_at_init_is_read_once(stores, appconfig, proxy):
    appconfig.deploy({FLAG: {"default": True}})
    stores.hosted.start()
    stores.flags.start()
    assert [(await resolve(stores)).key for _ in range(3)] == [
        "OPENAI_API_KEY_1",
        "OPENAI_API_KEY_2",
        "OPENAI_API_KEY_1",
    ]
    assert sorted(proxy.asked) == ["GetSecretValue", "Query", "Query", "Query"]
    assert appconfig.asked == ["configurationsessions", "configuration"]


STORES = ("flags", "secret", "table")
OUTAGES = [set(down) for size in range(4) for down in combinations(STORES, size)]


@pytest.mark.parametrize("down", OUTAGES, ids=lambda down: " and ".join(sorted(down)) or "none")
async def test_each_store_that_is_down_at_first_does_what_it_promises(stores, appconfig, proxy, down):
    appconfig.deploy({FLAG: {"default": True}})
    appconfig.fault = "broken" if "flags" in down else None
    proxy.faults = {"GetSecretValue": "denied"} if "secret" in down else {}
    proxy.faults |= {"Query": "hung up"} if "table" in down else {}
    if down & {"table", "secret"}:
        with pytest.raises(KeyStoreUnavailable) as raised:
            await resolve(stores)
        assert LEAK not in str(raised.value)
    else:  # without flags the setting answers: off, so the minute's key pays
        assert (await resolve(stores)).origin == ("legacy" if "flags" in down else "hosted")
    if "table" in down:  # whether the workspace's key should have paid is not known
        with pytest.raises(KeyStoreUnavailable):
            await resolve(stores, key="sk-callers-own")
    elif "flags" not in down:
        assert await resolve(stores, key="sk-callers-own") == Credential("sk-callers-own", "caller")


async def test_an_outage_of_everything_but_the_table_is_not_noticed_once_all_was_read(stores, appconfig, proxy, clock):
    appconfig.deploy({FLAG: {"default": True}})
    await resolve(stores)
    appconfig.fault = "throttled"
    proxy.faults = {"GetSecretValue": "hung up"}
    for _ in range(4):
        clock.advance(600)
        assert (await resolve(stores)).origin == "hosted"
