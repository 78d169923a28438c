"""Tasks with an idempotency key, attempted again in every way: charged once, or told clearly why not now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest

from infra.local.caller import Caller
from infra.local.outage import Outage
from infra.local.provider import Break, Gate, Refusal, Say, ScriptedProvider, Start, Wait
from infra.local.system import CALLERS_KEY, LocalSystem
from tests.local.asking import assert_charged_once, assert_failed_once, both_vendors, for_good, question

pytestmark = pytest.mark.asyncio(loop_scope="module")

_serial = count(1)


@pytest.fixture(scope="module")
def options() -> Mapping[str, Any]:
    return {"environments": 2}


@pytest.fixture
def key() -> str:
    return f"execution-{next(_serial)}/Ask"


async def answer(caller: Caller, event: Mapping[str, object]) -> Mapping[str, Any]:
    reply = await caller.invoke(event)
    assert "x-amz-function-error" not in reply.headers, reply.body
    assert reply.json is not None
    return reply.json


async def failure(caller: Caller, event: Mapping[str, object]) -> Mapping[str, Any]:
    reply = await caller.invoke(event)
    assert "x-amz-function-error" in reply.headers, reply.body
    assert reply.json is not None
    assert reply.json["stackTrace"] == []
    return reply.json


@both_vendors
async def test_another_attempt_gets_the_first_answer_and_costs_nothing(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, key: str, vendor: str
) -> None:
    event = question(vendor, idempotencyKey=key)
    provider.script(Say("Once."))
    first = await answer(caller, event)
    assert await answer(caller, event) == first
    assert len(provider.requests) == 1
    assert_charged_once(first, await system.lines.about(first["requestId"]))
    await system.lines.said("not charged again", firstRequestId=first["requestId"])


async def test_without_a_key_every_attempt_is_charged_and_the_table_is_not_asked(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller
) -> None:
    event = question("openai", workspaceId=None, apiKey=CALLERS_KEY)
    before = system.aws.outages.calls("dynamodb")
    provider.script(Say("Once."))
    provider.script(Say("Twice."))
    assert [(await answer(caller, event))["content"] for _ in range(2)] == ["Once.", "Twice."]
    assert (await answer(caller, {**event, "idempotencyKey": None}))["content"]
    assert system.aws.outages.calls("dynamodb") == before


async def test_a_failed_attempt_charges_nothing_and_lets_the_next_one_try(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, key: str
) -> None:
    event = question("openai", idempotencyKey=key)
    provider.reply(for_good(Refusal(429, "rate_limit_error", "Slow down.")))
    failed = await failure(caller, event)
    assert failed["errorType"] == "RateLimited"
    assert_failed_once(await system.lines.about(failed["requestId"]), "rate_limited")
    provider.script(Say("Now."))
    answered = await answer(caller, event)
    assert_charged_once(answered, await system.lines.about(answered["requestId"]))
    assert await answer(caller, event) == answered
    assert len(provider.requests) == 2


async def test_while_one_attempt_is_under_way_another_is_told_to_come_back(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, key: str
) -> None:
    event = question("openai", idempotencyKey=key)
    gate = Gate()
    provider.script(Wait(gate), Say("Once."))
    first = asyncio.create_task(caller.invoke(event))
    await gate.reached()
    refused = await failure(caller, event)
    assert refused["errorType"] == "RateLimited"
    assert "under way" in refused["errorMessage"]
    written = await system.lines.about(refused["requestId"])
    assert (written.log["ending"], written.metrics) == ("refused", ())
    gate.open()
    answered = (await first).json
    assert await answer(caller, event) == answered
    assert len(provider.requests) == 1


async def test_a_key_stands_for_one_request(provider: ScriptedProvider, caller: Caller, key: str) -> None:
    provider.script(Say("Once."))
    event = question("openai", idempotencyKey=key)
    await answer(caller, event)
    for other in (question("openai", "Something else?", idempotencyKey=key), {**event, "userId": "somebody-else"}):
        refused = await failure(caller, other)
        assert refused["errorType"] == "InvalidRequest"
        assert "idempotencyKey" in refused["errorMessage"]
    assert len(provider.requests) == 1


async def test_workspaces_never_share_a_task(provider: ScriptedProvider, caller: Caller, key: str) -> None:
    for workspace in ("ws-one", "ws-another"):
        provider.script(Say(f"For {workspace}."))
        event = question("openai", idempotencyKey=key, workspaceId=workspace)
        assert (await answer(caller, event))["content"] == f"For {workspace}."


async def test_what_the_state_machine_adds_does_not_make_it_another_request(
    provider: ScriptedProvider, caller: Caller, key: str
) -> None:
    provider.script(Say("Once."))
    event = question("openai", idempotencyKey=key)
    first = await answer(caller, {**event, "attempt": 1})
    assert await answer(caller, {**event, "attempt": 2}) == first


async def test_a_brought_key_may_be_replaced_between_attempts_and_leaves_no_trace(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, key: str, operator: Any
) -> None:
    provider.script(Say("Once."))
    event = question("openai", idempotencyKey=key, workspaceId=None, apiKey=CALLERS_KEY)
    first = await answer(caller, event)
    assert await answer(caller, {**event, "apiKey": "sk-another"}) == first
    items = operator("dynamodb").scan(TableName=system.account.environment["IDEMPOTENCY_TABLE"])["Items"]
    assert items
    assert key not in str(items)
    assert CALLERS_KEY not in str(items)


@pytest.mark.parametrize("wrong", ["", 5, ["a"], "x" * 1_025])
async def test_a_key_that_is_none_is_refused_by_name(caller: Caller, provider: ScriptedProvider, wrong: object) -> None:
    refused = await failure(caller, question("openai", idempotencyKey=wrong))
    assert refused["errorType"] == "InvalidRequest"
    assert refused["errorMessage"].startswith("idempotencyKey: must be")
    assert provider.requests == []


async def test_the_function_url_does_not_know_the_key(caller: Caller, provider: ScriptedProvider, key: str) -> None:
    reply = await caller.post(question("openai", idempotencyKey=key))
    assert reply.status == 400
    assert b"idempotencyKey: is not a known field" in reply.body
    assert provider.requests == []


@pytest.mark.parametrize("outage", Outage)
async def test_without_the_table_a_task_is_not_run_at_all(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, key: str, outage: Outage
) -> None:
    event = question("openai", idempotencyKey=key, workspaceId=None, apiKey=CALLERS_KEY)
    system.aws.outages.declare("dynamodb", outage)
    try:
        refused = await failure(caller, event)
    finally:
        system.aws.outages.mend()
    assert refused["errorType"] == "KeyStoreUnavailable"
    assert provider.requests == []
    written = await system.lines.about(refused["requestId"])
    assert (written.log["ending"], written.log["error"]) == ("refused", "KeyStoreUnavailable")


async def test_an_answer_that_cannot_be_remembered_is_returned_and_the_log_says_so(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, key: str
) -> None:
    gate = Gate()
    provider.script(Wait(gate), Say("Paid for."))
    under_way = asyncio.create_task(answer(caller, question("openai", idempotencyKey=key)))
    await gate.reached()
    system.aws.outages.declare("dynamodb", Outage.UNREACHABLE)
    try:
        gate.open()
        answered = await under_way
    finally:
        system.aws.outages.mend()
    assert answered["content"] == "Paid for."
    said = await system.lines.said("could not be remembered", requestId=answered["requestId"])
    assert said["level"] == "ERROR"


async def test_a_failure_that_cannot_be_released_stays_the_failure_it_was_and_holds_the_task(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, key: str
) -> None:
    gate = Gate()
    event = question("openai", idempotencyKey=key)
    provider.script(Start(), Wait(gate), Break("server_error", "The model broke."))
    under_way = asyncio.create_task(failure(caller, event))
    await gate.reached()
    system.aws.outages.declare("dynamodb", Outage.UNREACHABLE)
    try:
        gate.open()
        failed = await under_way
    finally:
        system.aws.outages.mend()
    assert failed["errorType"] == "ProviderUnavailable"
    await system.lines.said("could not be released")
    assert (await failure(caller, event))["errorType"] == "RateLimited"
    assert len(provider.requests) == 1


async def test_an_operator_without_a_table_makes_no_promise() -> None:
    async with (
        LocalSystem(settings={"IDEMPOTENCY_TABLE": ""}) as system,
        Caller(system.url, system.function.invoke_url) as caller,
    ):
        refused = await failure(caller, question("openai", idempotencyKey="a"))
        assert refused["errorType"] == "InvalidRequest"
        assert "IDEMPOTENCY_TABLE" in refused["errorMessage"]
        assert system.provider.requests == []
        await answer(caller, question("openai"))
