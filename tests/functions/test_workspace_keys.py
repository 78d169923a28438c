"""The workspace-keys function as it is invoked, with AWS and a provider on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from infra.local.aws import LocalAws
from infra.local.provider import Refusal, ScriptedProvider
from infra.local.seed import SeededAccount
from infra.local.tools import catalog
from keyway.catalog import Catalog
from keyway.errors import AuthFailed, InvalidRequest, ModelUnavailable, ProviderUnavailable
from keyway.settings import SettingError
from stream_runtime import Context
from workspace_keys.app import Function, cheapest_model

GOOD, BAD = "sk-good-key-of-a-workspace", "sk-revoked-key-of-a-workspace"
PUT = {"action": "put", "workspaceId": "ws-1", "provider": "openai", "label": "main"}

NO_RETRY = {"x-should-retry": "false"}

Invoke = Callable[..., Any]


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, str]]:
    with LocalAws() as aws, SeededAccount(aws.url, aws.environment, name="keyway-workspace-keys-function") as seeded:
        yield {**aws.environment, **seeded.environment}


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(keys={"openai": {GOOD}}) as scripted:
        yield scripted


@pytest.fixture
async def invoke(account, provider, monkeypatch) -> AsyncIterator[Invoke]:
    given = ("WORKSPACE_KEYS_TABLE", "WORKSPACE_KEYS_KMS_KEY")
    for name, value in account.items():
        if name.startswith("AWS_") or name in given:
            monkeypatch.setenv(name, value)
    base_urls = ", ".join(f'"{name}": "{url}"' for name, url in provider.base_urls.items())
    monkeypatch.setenv("PROVIDER_BASE_URLS", f"{{{base_urls}}}")
    monkeypatch.setenv("TOOL_CATALOG", json.dumps(catalog("http://127.0.0.1:1")))
    monkeypatch.setenv("TOOL_LIMITS_TABLE", account["TOOL_LIMITS_TABLE"])
    function = Function()
    await function.start()

    async def invoked(**event: object) -> Any:
        context = Context(request_id="r-1", deadline_ms=int((time.time() + 30) * 1000))
        return await function(event, context)

    yield invoked
    await function.stop()


async def test_a_key_is_put_listed_rotated_and_deleted(invoke):
    stored = (await invoke(**PUT, apiKey=GOOD))["key"]
    assert (stored["provider"], stored["label"], stored["lastFour"], stored["checked"]) == (
        "openai",
        "main",
        "pace",
        False,
    )
    (listed,) = (await invoke(action="list", workspaceId="ws-1"))["keys"]
    assert listed["id"] == stored["id"]
    place = {"workspaceId": "ws-1", "provider": "openai", "id": stored["id"]}
    rotated = (await invoke(action="rotate", **place, apiKey="sk-another-key-1234"))["key"]
    assert (rotated["id"], rotated["lastFour"]) == (stored["id"], "1234")
    assert (await invoke(action="delete", **place))["deleted"]["id"] == stored["id"]
    assert await invoke(action="list", workspaceId="ws-1") == {"keys": []}


async def test_without_check_no_provider_is_called(invoke, provider):
    await invoke(**{**PUT, "workspaceId": "ws-unchecked"}, apiKey=BAD)
    assert provider.requests == []


async def test_a_key_that_the_provider_takes_is_stored(invoke, provider):
    stored = await invoke(**{**PUT, "workspaceId": "ws-checked"}, apiKey=GOOD, check=True)
    assert stored["key"]["checked"] is True
    (asked,) = provider.requests
    assert (asked.key, asked.body["max_output_tokens"]) == (GOOD, 16)


async def test_a_key_that_the_provider_refuses_is_not_stored(invoke):
    with pytest.raises(AuthFailed, match="OpenAI refuses this key, so it was not stored") as raised:
        await invoke(**{**PUT, "workspaceId": "ws-refused"}, apiKey=BAD, check=True)
    assert BAD not in str(raised.value)
    assert await invoke(action="list", workspaceId="ws-refused") == {"keys": []}


async def test_a_key_whose_quota_is_used_up_is_still_the_workspaces_key(invoke, provider):
    provider.reply(Refusal(429, "insufficient_quota", "You exceeded your current quota.", headers=NO_RETRY))
    stored = await invoke(**{**PUT, "workspaceId": "ws-busy"}, apiKey=GOOD, check=True)
    assert stored["key"]["checked"] is True


async def test_when_the_provider_cannot_tell_nothing_is_stored(invoke, provider):
    provider.reply(Refusal(500, "server_error", "The server had an error.", headers=NO_RETRY))
    with pytest.raises(ProviderUnavailable, match="could not be asked about this key"):
        await invoke(**{**PUT, "workspaceId": "ws-unknown"}, apiKey=GOOD, check=True)
    assert await invoke(action="list", workspaceId="ws-unknown") == {"keys": []}


async def test_a_provider_nobody_knows_is_refused(invoke):
    with pytest.raises(ModelUnavailable, match="'opnai' is unknown"):
        await invoke(**{**PUT, "provider": "opnai"}, apiKey=GOOD)


async def test_without_its_settings_it_does_not_start(monkeypatch):
    monkeypatch.delenv("WORKSPACE_KEYS_TABLE", raising=False)
    with pytest.raises(SettingError, match="WORKSPACE_KEYS_TABLE and WORKSPACE_KEYS_KMS_KEY"):
        await Function().start()


def test_every_hosted_provider_has_a_model_to_check_a_key_with():
    catalog = Catalog.load()
    for provider in catalog.providers():
        if provider.hosting is not None:
            try:
                assert catalog.price(catalog.model(provider, cheapest_model(catalog, provider)))
            except InvalidRequest as error:
                assert provider.name in str(error)  # noqa: PT017 - it lists no models of its own


async def test_a_key_for_the_operators_tools_is_stored_under_their_name(invoke):
    stored = await invoke(action="put", workspaceId="ws-tools", provider="search", apiKey="search-key-of-a-workspace")
    assert stored["key"]["provider"] == "search"
    listed = await invoke(action="list", workspaceId="ws-tools")
    assert [key["id"] for key in listed["keys"]] == [stored["key"]["id"]]
    with pytest.raises(InvalidRequest, match=r"^check: the key of search is for tools"):
        await invoke(
            action="put", workspaceId="ws-tools", provider="search", apiKey="search-key-of-a-workspace", check=True
        )
    with pytest.raises(ModelUnavailable, match="unknown"):
        await invoke(action="put", workspaceId="ws-tools", provider="nobody", apiKey="search-key-of-a-workspace")


async def test_a_key_outlives_its_tool_in_the_catalog(invoke, monkeypatch):
    stored = await invoke(action="put", workspaceId="ws-gone", provider="search", apiKey="search-key-of-a-workspace")
    monkeypatch.delenv("TOOL_CATALOG")
    without = Function()
    await without.start()
    context = Context(request_id="r-1", deadline_ms=int((time.time() + 30) * 1000))
    place = {"workspaceId": "ws-gone", "provider": "search"}
    listed = await without({"action": "list", **place}, context)
    assert [key["id"] for key in listed["keys"]] == [stored["key"]["id"]]
    deleted = await without({"action": "delete", **place, "id": stored["key"]["id"]}, context)
    assert deleted["deleted"]["id"] == stored["key"]["id"]
    with pytest.raises(ModelUnavailable, match="unknown"):
        await without({"action": "put", **place, "apiKey": "search-key-of-a-workspace"}, context)
    await without.stop()
