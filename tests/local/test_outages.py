"""AWS services that fail, one at a time and together: what still works, what is refused clearly, what recovers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from infra.local.aws import LocalAws
from infra.local.caller import Caller, RefusedError, Reply
from infra.local.outage import Outage
from infra.local.provider import Say, ScriptedProvider
from infra.local.seed import SeededAccount
from infra.local.system import CALLERS_KEY, LocalSystem
from tests.local.asking import question, streamed

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICES = ("appconfig", "secretsmanager", "dynamodb", "kms")
OWN = {"workspaceId": "ws-with-keys"}
BROUGHT = {"workspaceId": None, "apiKey": CALLERS_KEY}


async def origin(caller: Caller, provider: ScriptedProvider, **asked: object) -> str:
    """Whose key paid for one more request."""
    provider.script(Say("Hi"))
    answer = (await streamed(caller, question("openai", **asked))).last
    return str(answer["credential"]["origin"])


async def refusal(caller: Caller, **asked: object) -> Reply:
    """The refusal of one more request."""
    with pytest.raises(RefusedError) as refused:
        await streamed(caller, question("openai", **asked))
    return refused.value.reply


def assert_store_is_unavailable(reply: Reply) -> None:
    assert reply.status == 503
    assert reply.json is not None
    error = reply.json["error"]
    assert isinstance(error, dict)
    assert (error["type"], error["retryable"]) == ("KeyStoreUnavailable", True)
    assert "Traceback" not in error["message"]


@asynccontextmanager
async def system_with(
    prepare: Callable[[LocalAws, SeededAccount], None], **settings: str
) -> AsyncIterator[tuple[LocalSystem, Caller]]:
    """A system whose function starts into a world that ``prepare`` has changed."""
    async with (
        LocalSystem(prepare=prepare, settings=settings) as system,
        Caller(system.url, system.function.invoke_url) as caller,
    ):
        yield system, caller


@pytest.mark.parametrize(
    ("outage", "fallback", "expected"),
    [
        (Outage.UNREACHABLE, "true", "hosted"),
        (Outage.UNREACHABLE, "false", "legacy"),
        (Outage.SILENT, "true", "hosted"),
        (Outage.NONSENSE, "true", "hosted"),
    ],
)
async def test_without_appconfig_the_fallback_setting_decides(outage: Outage, fallback: str, expected: str) -> None:
    def broken(aws: LocalAws, _: SeededAccount) -> None:
        aws.outages.declare("appconfig", outage)

    async with system_with(broken, HOSTED_KEY_LLM=fallback) as (system, caller):
        assert await origin(caller, system.provider) == expected


@pytest.mark.parametrize("document", [b"not json", b'{"hosted-key-llm": {"default": "perhaps"}}'])
async def test_a_flags_document_that_is_not_one_counts_as_none(document: bytes) -> None:
    def broken(_: LocalAws, account: SeededAccount) -> None:
        account.put_flags(document)

    async with system_with(broken, HOSTED_KEY_LLM="true") as (system, caller):
        await system.ready()
        assert await origin(caller, system.provider) == "hosted"


async def test_a_flag_that_the_document_does_not_hold_is_off_whatever_the_fallback_says() -> None:
    def without(_: LocalAws, account: SeededAccount) -> None:
        account.put_flags({"another-flag": {"default": True}})

    async with system_with(without, HOSTED_KEY_LLM="true") as (system, caller):
        await system.ready()
        assert await origin(caller, system.provider) == "legacy"


@pytest.mark.parametrize("outage", [Outage.UNREACHABLE, Outage.NONSENSE])
async def test_without_the_hosted_keys_only_the_platform_cannot_pay_and_it_recovers(outage: Outage) -> None:
    def broken(aws: LocalAws, _: SeededAccount) -> None:
        aws.outages.declare("secretsmanager", outage)

    async with system_with(broken) as (system, caller):
        await system.ready()
        assert_store_is_unavailable(await refusal(caller))
        assert system.provider.requests == []
        assert await origin(caller, system.provider, **OWN) == "byok"
        assert await origin(caller, system.provider, **BROUGHT) == "caller"
        system.aws.outages.mend()
        assert await origin(caller, system.provider) == "hosted"


@pytest.mark.parametrize("text", ["not json", '{"OPENAI_API_KEY_1": 5}'])
async def test_a_secret_that_holds_no_keys_is_told_as_such_and_not_shown(text: str) -> None:
    def broken(_: LocalAws, account: SeededAccount) -> None:
        account.put_hosted_keys_text(text)

    async with system_with(broken) as (system, caller):
        await system.ready()
        assert_store_is_unavailable(await refusal(caller))
        assert await origin(caller, system.provider, **OWN) == "byok"


async def test_what_was_read_once_outlives_an_outage(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller
) -> None:
    assert await origin(caller, provider) == "hosted"
    for service in ("appconfig", "secretsmanager"):
        system.aws.outages.declare(service, Outage.UNREACHABLE)
    try:
        assert await origin(caller, provider) == "hosted"
    finally:
        system.aws.outages.mend()


@pytest.mark.parametrize("outage", Outage)
async def test_without_the_table_nobody_is_billed_in_place_of_the_workspace(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, outage: Outage
) -> None:
    system.aws.outages.declare("dynamodb", outage)
    try:
        assert_store_is_unavailable(await refusal(caller))
        assert_store_is_unavailable(await refusal(caller, apiKey=CALLERS_KEY))
        assert provider.requests == []
        assert await origin(caller, provider, **BROUGHT) == "caller"
    finally:
        system.aws.outages.mend()
    assert await origin(caller, provider) == "hosted"


@pytest.mark.parametrize("outage", [Outage.DENIED, Outage.NONSENSE])
async def test_without_kms_a_workspace_with_keys_waits_and_one_without_does_not(outage: Outage) -> None:
    def broken(aws: LocalAws, _: SeededAccount) -> None:
        aws.outages.declare("kms", outage)

    async with system_with(broken) as (system, caller):
        await system.ready()
        assert_store_is_unavailable(await refusal(caller, **OWN))
        assert system.provider.requests == []
        assert await origin(caller, system.provider) == "hosted"
        system.aws.outages.mend()
        assert await origin(caller, system.provider, **OWN) == "byok"


@pytest.mark.parametrize("outage", [Outage.UNREACHABLE, Outage.SILENT])
async def test_with_everything_down_a_brought_key_still_works_and_everything_recovers(outage: Outage) -> None:
    def broken(aws: LocalAws, _: SeededAccount) -> None:
        for service in SERVICES:
            aws.outages.declare(service, outage)

    async with system_with(broken, HOSTED_KEY_LLM="true") as (system, caller):
        assert await origin(caller, system.provider, **BROUGHT) == "caller"
        assert_store_is_unavailable(await refusal(caller))
        assert_store_is_unavailable(await refusal(caller, **OWN))
        assert len(system.provider.requests) == 1
        system.aws.outages.mend()
        assert await origin(caller, system.provider) == "hosted"
        assert await origin(caller, system.provider, **OWN) == "byok"


async def test_a_slow_table_delays_a_request_and_nothing_else(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller
) -> None:
    system.aws.outages.declare("dynamodb", Outage.SILENT)
    try:
        assert await origin(caller, provider, **BROUGHT) == "caller"
    finally:
        system.aws.outages.mend()
