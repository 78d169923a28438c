"""Whose key pays, seen from outside: the key the vendor gets, the cost in the answer, the metrics that are written."""

from __future__ import annotations

import pytest

from infra.local.caller import Caller, RefusedError
from infra.local.provider import Say, ScriptedProvider, Tokens
from infra.local.seed import HOSTED_KEYS
from infra.local.system import CALLERS_KEY, OWN_KEYS, LocalSystem
from tests.local.asking import assert_charged_once, both_vendors, question, streamed, total

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKENS = Tokens(input=1000, output=100)
OPTED_OUT = "ws-opted-out"
"""The seeded flags are off for this workspace."""


@both_vendors
async def test_the_platform_pays_with_a_named_key_from_the_pool(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    provider.script(Say("Hi"), tokens=TOKENS)
    answer = (await streamed(caller, question(vendor))).last
    assert HOSTED_KEYS[answer["credential"]["key"]] == provider.requests[0].key
    assert_charged_once(answer, await system.lines.about(answer["requestId"]))


@both_vendors
async def test_a_workspaces_own_key_wins_and_costs_nothing(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    provider.script(Say("Hi"), tokens=TOKENS)
    asked = question(vendor, workspaceId="ws-with-keys", apiKey=CALLERS_KEY)
    answer = (await streamed(caller, asked)).last
    assert provider.requests[0].key == OWN_KEYS["ws-with-keys", vendor]
    assert answer["credential"] == {"origin": "byok"}
    assert total(answer) == 0
    assert (await system.lines.about(answer["requestId"])).metrics == ()


@both_vendors
async def test_a_callers_key_comes_before_the_pool_and_costs_nothing(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    provider.script(Say("Hi"), tokens=TOKENS)
    answer = (await streamed(caller, question(vendor, apiKey=CALLERS_KEY))).last
    assert provider.requests[0].key == CALLERS_KEY
    assert answer["credential"] == {"origin": "caller"}
    assert total(answer) == 0
    assert (await system.lines.about(answer["requestId"])).metrics == ()


async def test_without_a_workspace_the_platform_does_not_pay(provider: ScriptedProvider, caller: Caller) -> None:
    with pytest.raises(RefusedError) as refused:
        await streamed(caller, question("openai", workspaceId=None))
    assert refused.value.reply.status == 401
    assert provider.requests == []
    provider.script(Say("Hi"))
    answer = (await streamed(caller, question("openai", workspaceId=None, apiKey=CALLERS_KEY))).last
    assert answer["credential"] == {"origin": "caller"}


@both_vendors
async def test_with_the_flag_off_a_platform_key_pays_in_the_order_of_old_without_metrics(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    provider.script(Say("Hi"), tokens=TOKENS)
    answer = (await streamed(caller, question(vendor, workspaceId=OPTED_OUT))).last
    assert answer["credential"]["origin"] == "legacy"
    assert total(answer) > 0
    assert (await system.lines.about(answer["requestId"])).metrics == ()


async def test_with_the_flag_on_a_model_without_a_price_is_refused_before_anybody_pays(
    provider: ScriptedProvider, caller: Caller
) -> None:
    with pytest.raises(RefusedError) as refused:
        await streamed(caller, question("openai", model="gpt-of-next-year"))
    reply = refused.value.reply
    assert reply.status == 400
    assert reply.json is not None
    assert reply.json["error"]["type"] == "UnpricedModel"  # type: ignore[index]
    assert provider.requests == []


async def test_a_model_without_a_price_may_run_on_the_callers_own_key(
    provider: ScriptedProvider, caller: Caller
) -> None:
    provider.script(Say("Hi"))
    answer = (await streamed(caller, question("openai", model="gpt-of-next-year", apiKey=CALLERS_KEY))).last
    assert answer["content"] == "Hi"


async def test_a_stored_key_that_is_corrupt_is_skipped(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller
) -> None:
    own = OWN_KEYS["ws-with-keys", "openai"]
    system.account.put_workspace_key("ws-half", "openai", "sk-never-seen", created="2026-01-01T00:00:00Z", corrupt=True)
    system.account.put_workspace_key("ws-half", "openai", own, created="2026-01-02T00:00:00Z")
    for _ in range(3):
        provider.script(Say("Hi"))
        assert (await streamed(caller, question("openai", workspaceId="ws-half"))).last["credential"][
            "origin"
        ] == "byok"
    assert {received.key for received in provider.requests} == {own}


async def test_a_deleted_key_stops_working_with_the_next_request(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller
) -> None:
    own = OWN_KEYS["ws-with-keys", "openai"]
    stored = system.account.put_workspace_key("ws-leaving", "openai", own)
    origins = []
    for _ in range(2):
        provider.script(Say("Hi"))
        answer = (await streamed(caller, question("openai", workspaceId="ws-leaving"))).last
        origins.append(answer["credential"]["origin"])
        system.account.delete_workspace_key("ws-leaving", stored)
    assert origins == ["byok", "hosted"]


async def test_keys_that_are_all_unreadable_are_an_error_and_not_the_platforms_bill(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller
) -> None:
    system.account.put_workspace_key("ws-broken", "openai", "sk-never-seen", corrupt=True)
    with pytest.raises(RefusedError) as refused:
        await streamed(caller, question("openai", workspaceId="ws-broken"))
    assert refused.value.reply.status == 503
    assert b"KeyStoreUnavailable" in refused.value.reply.body
    assert provider.requests == []


async def test_what_only_a_server_may_say_is_dropped_when_a_client_says_it(
    provider: ScriptedProvider, caller: Caller
) -> None:
    provider.script(Say("Hi"), tokens=TOKENS)
    answer = (await streamed(caller, question("openai", hostedKey="OPENAI_API_KEY_9", isBYOK=True))).last
    assert answer["credential"]["origin"] == "hosted"
    assert total(answer) > 0
