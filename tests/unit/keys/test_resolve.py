"""The whole order of key resolution: which key pays, and which stores were asked to find it."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from pydantic import SecretStr

from keyway.capabilities import Model
from keyway.chat import Caller, ChatRequest
from keyway.errors import InvalidRequest, KeyRequired, KeyStoreUnavailable
from keyway.keys.credential import Credential
from keyway.keys.pool import KeyPool
from keyway.keys.resolve import Resolver
from keyway.keys.steps import FIT_FOR_ANY_ADDRESS
from tests.unit.keys.stores import DOWN, PROVIDERS, Listed, Stores

OWN = "caller-key"
STORED = "stored-key"
NUMBERED = {f"{stem}_API_KEY_{n}": f"{stem.lower()}-{n}" for stem in ("OPENAI", "MISTRAL") for n in (1, 2)}
POOL = NUMBERED | {"FIREWORKS_API_KEY_1": "fireworks-1", "OLLAMA_CLOUD_API_KEY_1": "ollama_cloud-1"}
SINGULAR = {"FIREWORKS_API_KEY": "fireworks-one", "OPENAI_API_KEY": "never"}
SERVERS = {"VLLM_API_KEY": "vllm-own", "AZURE_OPENAI_API_KEY": "azure-own"}

BYOK = Credential(STORED, "byok")
CALLER = Credential(OWN, "caller")
EMPTY = Credential("empty", "none")
BLANK = Credential(None, "none")
ROLE = Credential(None, "ambient")


def hosted(stem: str) -> Credential:
    return Credential(f"{stem.lower()}-1", "hosted", f"{stem}_API_KEY_1")


def legacy(secret: str) -> Credential:
    return Credential(secret, "legacy")


class Setting(NamedTuple):
    flag: bool = True
    hosted: bool = True
    workspace: bool = True
    chosen: bool = False


ON = Setting()
OFF = Setting(flag=False)
SELF_HOSTED = Setting(hosted=False)
ANONYMOUS = Setting(workspace=False)
CHOSEN = Setting(chosen=True)


class Row(NamedTuple):
    """A question, the credential or the error, and the stores asked, in order.

    ``keys``: c the caller sent one, b a blank one; s the workspace stored one, x its store is down.
    ``asked``: W the workspace's keys, F the flag, P the platform's keys.
    """

    setting: Setting
    provider: str
    keys: str
    document: object
    expected: Credential | type[Exception]
    asked: str
    model: str = "listed"
    minute: int = 0


SHORT = {"OPENAI_API_KEY_COUNT": "1", "OPENAI_API_KEY_2": "b"}

TABLE = {
    "the workspace's key is first": Row(ON, "openai", "sc", POOL, BYOK, "W"),
    "the caller's key is second": Row(ON, "openai", "c", POOL, CALLER, "WF"),
    "the pool is third": Row(ON, "openai", "", POOL, hosted("OPENAI"), "WFP"),
    "a blank key is no key": Row(ON, "openai", "b", POOL, hosted("OPENAI"), "WFP"),
    "the pool outside the rotation": Row(ON, "mistral", "", POOL, hosted("MISTRAL"), "WFP"),
    "the pool beside a singular key": Row(ON, "fireworks", "", POOL | SINGULAR, hosted("FIREWORKS"), "WFP"),
    "the pool alone": Row(ON, "ollama-cloud", "", POOL, hosted("OLLAMA_CLOUD"), "WFP"),
    "an unlisted model, pool": Row(ON, "openai", "", POOL, hosted("OPENAI"), "FWP", "unlisted"),
    "an unlisted model, workspace": Row(ON, "openai", "sc", POOL, BYOK, "FW", "unlisted"),
    "an empty pool, then the singular key": Row(ON, "fireworks", "", SINGULAR, legacy("fireworks-one"), "WFPP"),
    "an empty pool, then the rotation": Row(ON, "openai", "", SHORT, legacy("b"), "WFPP"),
    "an empty pool, then nothing": Row(ON, "openai", "", SINGULAR, KeyRequired, "WFPP"),
    "an empty pool and no platform key": Row(ON, "ollama-cloud", "", {}, KeyRequired, "WFP"),
    "off: the workspace's key is first": Row(OFF, "openai", "sc", POOL, BYOK, "W"),
    "off: the minute's key wins over the caller's": Row(OFF, "openai", "c", POOL, legacy("openai-1"), "WFP"),
    "off: an odd minute": Row(OFF, "openai", "", POOL, legacy("openai-2"), "WFP", minute=7),
    "off: the caller's key where none is numbered": Row(OFF, "openai", "c", SINGULAR, CALLER, "WFP"),
    "off: no key at all": Row(OFF, "openai", "", SINGULAR, KeyRequired, "WFP"),
    "off: an unlisted model, caller": Row(OFF, "openai", "sc", POOL, CALLER, "F", "unlisted"),
    "off: an unlisted model, none": Row(OFF, "openai", "s", POOL, KeyRequired, "F", "unlisted"),
    "off: mistral, workspace": Row(OFF, "mistral", "sc", POOL, BYOK, "W"),
    "off: mistral, caller": Row(OFF, "mistral", "c", POOL, CALLER, "WF"),
    "off: mistral has no rotation": Row(OFF, "mistral", "", POOL, KeyRequired, "WF"),
    "off: fireworks, workspace": Row(OFF, "fireworks", "sc", SINGULAR, BYOK, "W"),
    "off: fireworks, caller": Row(OFF, "fireworks", "c", SINGULAR, CALLER, "WF"),
    "off: fireworks, singular": Row(OFF, "fireworks", "", SINGULAR, legacy("fireworks-one"), "WFP"),
    "off: fireworks, a numbered key is none": Row(OFF, "fireworks", "", POOL, KeyRequired, "WFP"),
    "off: ollama-cloud, workspace": Row(OFF, "ollama-cloud", "sc", {}, BYOK, "W"),
    "off: ollama-cloud, caller": Row(OFF, "ollama-cloud", "c", POOL, CALLER, "WF"),
    "off: ollama-cloud, none": Row(OFF, "ollama-cloud", "", POOL, KeyRequired, "WF"),
    "not hosted: openai, caller": Row(SELF_HOSTED, "openai", "sc", POOL, CALLER, ""),
    "not hosted: openai, none": Row(SELF_HOSTED, "openai", "s", POOL, KeyRequired, ""),
    "not hosted: mistral, none": Row(SELF_HOSTED, "mistral", "s", POOL, KeyRequired, ""),
    "not hosted: fireworks, workspace": Row(SELF_HOSTED, "fireworks", "sc", {}, BYOK, "W"),
    "not hosted: fireworks, singular": Row(SELF_HOSTED, "fireworks", "", SINGULAR, legacy("fireworks-one"), "WP"),
    "no workspace: openai, caller": Row(ANONYMOUS, "openai", "sc", POOL, CALLER, ""),
    "no workspace: openai, none": Row(ANONYMOUS, "openai", "s", POOL, KeyRequired, ""),
    "no workspace: fireworks, none": Row(ANONYMOUS, "fireworks", "s", SINGULAR, KeyRequired, ""),
    "no workspace: ollama-cloud, none": Row(ANONYMOUS, "ollama-cloud", "", POOL, KeyRequired, ""),
    "no workspace: groq, caller": Row(ANONYMOUS, "groq", "c", {}, CALLER, ""),
    "no workspace: vllm, own": Row(ANONYMOUS, "vllm", "", SERVERS, legacy("vllm-own"), "P"),
    "no workspace: azure, blank": Row(ANONYMOUS, "azure-openai", "", SERVERS, BLANK, ""),
    "no workspace: ollama": Row(ANONYMOUS, "ollama", "", {}, EMPTY, ""),
    "no workspace: bedrock": Row(ANONYMOUS, "bedrock", "", {}, ROLE, ""),
    "no pool: groq, caller": Row(ON, "groq", "sc", {}, CALLER, ""),
    "no pool: groq, none": Row(ON, "groq", "s", {}, KeyRequired, ""),
    "no pool: vllm, caller": Row(ON, "vllm", "sc", SERVERS, CALLER, ""),
    "no pool: vllm, own": Row(ON, "vllm", "s", SERVERS, legacy("vllm-own"), "P"),
    "no pool: vllm, empty": Row(ON, "vllm", "b", {}, EMPTY, "P"),
    "no pool: azure, caller": Row(ON, "azure-openai", "sc", SERVERS, CALLER, ""),
    "no pool: azure, own": Row(ON, "azure-openai", "s", SERVERS, legacy("azure-own"), "P"),
    "no pool: azure, blank": Row(ON, "azure-openai", "", {}, BLANK, "P"),
    "no pool: ollama": Row(ON, "ollama", "sc", {}, EMPTY, ""),
    "no pool: bedrock": Row(ON, "bedrock", "sc", {}, ROLE, ""),
    "workspace keys down": Row(ON, "openai", "xc", POOL, KeyStoreUnavailable, "W"),
    "workspace keys down, flag off": Row(OFF, "fireworks", "xc", {}, KeyStoreUnavailable, "W"),
    "workspace keys down, flag read first": Row(ON, "openai", "xc", POOL, KeyStoreUnavailable, "FW", "unlisted"),
    "workspace keys down, not needed": Row(ON, "groq", "xc", {}, CALLER, ""),
    "platform keys down": Row(ON, "openai", "", DOWN, KeyStoreUnavailable, "WFP"),
    "platform keys down, not needed": Row(ON, "openai", "c", DOWN, CALLER, "WF"),
    "platform keys down, where they come first": Row(OFF, "openai", "c", DOWN, KeyStoreUnavailable, "WFP"),
    "platform keys down, vllm": Row(ON, "vllm", "", DOWN, KeyStoreUnavailable, "P"),
    "chosen address: vllm, caller": Row(CHOSEN, "vllm", "sc", SERVERS, CALLER, ""),
    "chosen address: vllm, none": Row(CHOSEN, "vllm", "s", SERVERS, EMPTY, ""),
    "chosen address: azure, none": Row(CHOSEN, "azure-openai", "s", SERVERS, BLANK, ""),
    "chosen address: openai, caller": Row(CHOSEN, "openai", "sc", POOL, CALLER, ""),
    "chosen address: openai, none": Row(CHOSEN, "openai", "s", POOL, KeyRequired, ""),
    "chosen address: fireworks, none": Row(CHOSEN, "fireworks", "s", SINGULAR, KeyRequired, ""),
    "chosen address: bedrock, none": Row(CHOSEN, "bedrock", "", {}, KeyRequired, ""),
}


def caller(**fields: object) -> Caller:
    return Caller.model_validate({"workspaceId": "ws-1", **fields})


def model(name: str, provider: str) -> Model:
    return Model(name, provider, name)


def chat(provider: str, model: str = "listed", **fields: object) -> ChatRequest:
    return ChatRequest.model_validate({"provider": provider, "model": model, "systemPrompt": "hello", **fields})


def resolver(stores: Stores, *, is_hosted: bool = True, pool: KeyPool | None = None) -> Resolver:
    return Resolver(
        catalog=Listed(),
        hosted=is_hosted,
        workspace_keys=stores,
        platform_keys=stores,
        flags=stores,
        pool=pool or KeyPool(0),
    )


@pytest.mark.parametrize("row", TABLE.values(), ids=list(TABLE))
async def test_the_order(row: Row):
    stores = Stores(
        stored=DOWN if "x" in row.keys else STORED if "s" in row.keys else None,
        document=row.document,
        flag=row.setting.flag,
    )
    sent = {"c": {"apiKey": SecretStr(OWN)}, "b": {"apiKey": SecretStr(" \t")}}
    who = caller(
        **next((sent[letter] for letter in row.keys if letter in sent), {}),
        workspaceId="ws-1" if row.setting.workspace else None,
    )
    search = resolver(stores, is_hosted=row.setting.hosted).resolve(
        chat(row.provider, row.model),
        who,
        PROVIDERS[row.provider],
        model(row.model, row.provider),
        minute=row.minute,
        caller_chose_address=row.setting.chosen,
    )
    if isinstance(row.expected, Credential):
        assert await search == row.expected
    else:
        with pytest.raises(row.expected):
            await search
    stores_by_letter = {"W": f"workspace ws-1 {row.provider}", "F": "flag hosted-key-llm", "P": "platform"}
    assert stores.asked == [stores_by_letter[letter] for letter in row.asked]


async def resolve(
    stores: Stores, request: ChatRequest, who: Caller, *, chosen: bool = False, minute: int = 0
) -> Credential:
    return await resolver(stores).resolve(
        request,
        who,
        PROVIDERS[request.provider],
        model(request.model, request.provider),
        minute=minute,
        caller_chose_address=chosen,
    )


WORKSPACE = caller()
ANYBODY = Caller()


async def test_an_error_says_which_provider_and_model_need_a_key_and_what_to_do():
    for provider, who, chosen, expected in [
        ("openai", WORKSPACE, False, "OpenAI listed. Send it as apiKey, or store one for the workspace."),
        ("openai", ANYBODY, False, "OpenAI listed. Send it as apiKey, or name the workspaceId whose key should pay."),
        ("groq", WORKSPACE, False, "Groq listed. Send it as apiKey."),
        ("openai", WORKSPACE, True, "to an address that the request chooses, no other key is sent."),
    ]:  # fmt: skip
        with pytest.raises(KeyRequired) as raised:
            await resolve(Stores(), chat(provider), who, chosen=chosen)
        assert raised.value.message.endswith(expected)
        assert raised.value.provider == provider


async def test_the_flag_may_look_at_who_asks_and_at_nothing_unknown():
    stores = Stores(flag=True, document=POOL)
    await resolve(stores, chat("openai"), caller(userId="u-1", orgId="o-1"))
    await resolve(stores, chat("openai"), WORKSPACE)
    assert stores.contexts == [
        {
            "provider": "openai",
            "is_admin": False,
            "user_id": "u-1",
            "org_id": "o-1",
            "workspace_id": "ws-1",
        },
        {"provider": "openai", "is_admin": False, "workspace_id": "ws-1"},
    ]


async def test_each_request_takes_the_pools_next_key():
    stores = Stores(flag=True, document=POOL)
    one = resolver(stores, pool=KeyPool(1))
    taken = [
        (
            await one.resolve(
                chat("openai"),
                WORKSPACE,
                PROVIDERS["openai"],
                model("listed", "openai"),
                minute=0,
                caller_chose_address=False,
            )
        ).key
        for _ in range(3)
    ]
    assert taken == ["OPENAI_API_KEY_2", "OPENAI_API_KEY_1", "OPENAI_API_KEY_2"]


@pytest.mark.parametrize(
    ("document", "minute", "expected"),
    [
        ({"OPENAI_API_KEY_1": "a", "OPENAI_API_KEY_2": "", "OPENAI_API_KEY_3": "c"}, 1, "c"),
        ({"OPENAI_API_KEY_1": "a", "OPENAI_API_KEY_2": " ", "OPENAI_API_KEY_3": "c"}, 2, "a"),
        ({"OPENAI_API_KEY_2": "b", "OPENAI_API_KEY_4": "d"}, 3, "b"),
        ({"OPENAI_API_KEY_1": "a", "OPENAI_API_KEY_2": "b", "OPENAI_API_KEY_3": "c"}, 59, "c"),
    ],
)
async def test_the_rotation_counts_the_first_three_numbers_that_hold_a_key(document, minute, expected):
    stores = Stores(document=document)
    assert await resolve(stores, chat("openai"), WORKSPACE, minute=minute) == legacy(expected)


async def test_both_aws_keys_of_a_request_are_the_callers_key():
    request = chat("bedrock", bedrockAccessKeyId="AKIA", bedrockSecretKey=SecretStr("aws-secret"))
    for chosen in (False, True):
        assert await resolve(Stores(), request, ANYBODY, chosen=chosen) == Credential("aws-secret", "caller")


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"bedrockAccessKeyId": "AKIA"}, "bedrockSecretKey"),
        ({"bedrockAccessKeyId": "AKIA", "bedrockSecretKey": SecretStr(" ")}, "bedrockSecretKey"),
        ({"bedrockSecretKey": SecretStr("aws-secret")}, "bedrockAccessKeyId"),
        ({"bedrockSecretKey": SecretStr("aws-secret"), "bedrockAccessKeyId": " "}, "bedrockAccessKeyId"),
    ],
)
async def test_half_a_pair_of_aws_keys_is_a_wrong_request(fields, missing):
    with pytest.raises(InvalidRequest, match=f"^{missing}: is missing") as raised:
        await resolve(Stores(), chat("bedrock", **fields), ANYBODY)
    assert "aws-secret" not in str(raised.value)


async def test_no_step_that_reads_a_store_may_serve_a_chosen_address():
    document = POOL | SINGULAR | SERVERS
    for provider in PROVIDERS:
        stores = Stores(stored=STORED, document=document, flag=True)
        try:
            credential = await resolve(stores, chat(provider), WORKSPACE, chosen=True)
        except KeyRequired:
            credential = BLANK
        assert credential.origin == "none"
        assert stores.asked == []
    assert {step.__name__ for step in FIT_FOR_ANY_ADDRESS} == {
        "callers_key",
        "callers_aws_keys",
        "placeholder",
        "no_key",
    }
