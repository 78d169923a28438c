"""Answers too large for Step Functions: in S3 whole, or returned whole when they cannot be there. Never withheld."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest

from infra.local.caller import Caller, Reply
from infra.local.outage import Outage
from infra.local.provider import Call, Say, ScriptedProvider
from infra.local.system import LocalSystem
from tests.local.asking import assert_charged_once, question

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 204_800
TEXT = "a large answer " * 20_000


async def invoked(caller: Caller, event: Mapping[str, object]) -> tuple[Reply, Mapping[str, Any]]:
    reply = await caller.invoke(event)
    assert "x-amz-function-error" not in reply.headers, reply.body
    assert reply.json is not None
    return reply, reply.json


async def size_without_text(caller: Caller, provider: ScriptedProvider) -> int:
    provider.script(Say("."))
    return len((await invoked(caller, question("openai")))[0].body) - 1


async def test_the_limit_is_of_the_whole_answer_in_bytes(caller: Caller, provider: ScriptedProvider) -> None:
    rest = await size_without_text(caller, provider)
    room = (LIMIT - rest) // 2  # of letters that take two bytes
    for letters, large in ((room - 20, False), (room + 20, True)):
        provider.script(Say("é" * letters))
        reply, answer = await invoked(caller, question("openai"))
        assert ("answer" in answer) is large
        assert len(reply.body) < (4_096 if large else LIMIT)


async def test_the_reference_has_what_a_workflow_chooses_by_and_none_of_the_large_parts(
    system: LocalSystem, caller: Caller, provider: ScriptedProvider, operator: Any
) -> None:
    calls = [Call("look_up", {"text": "x" * 150_000}, id=f"call-{number}") for number in range(2)]
    tool = {"id": "look_up", "parameters": {"type": "object", "properties": {"text": {"type": "string"}}}}
    provider.script(*calls)
    _, answer = await invoked(caller, question("openai", tools=[tool]))
    place = answer["answer"]
    assert place["bucket"] == system.account.environment["ANSWERS_BUCKET"]
    assert place["key"] == f"answers/{answer['requestId']}.json"
    assert answer["finishReason"] == "tool_calls"
    assert set(answer) == {
        "answer", "model", "finishReason", "tokens", "timing", "cost", "credential", "requestId"
    }  # fmt: skip
    assert_charged_once(answer, await system.lines.about(answer["requestId"]))
    stored = operator("s3").get_object(Bucket=place["bucket"], Key=place["key"])
    content = stored["Body"].read()
    assert (stored["ContentType"], stored["ServerSideEncryption"]) == ("application/json", "AES256")
    assert hashlib.sha256(content).hexdigest() == place["sha256"]
    whole = json.loads(content)
    assert [call["id"] for call in whole["toolCalls"]] == ["call-0", "call-1"]
    assert {name: whole[name] for name in answer if name not in ("answer", "timing")} == {
        name: answer[name] for name in answer if name not in ("answer", "timing")
    }


@pytest.mark.parametrize("outage", Outage)
async def test_without_s3_the_answer_is_returned_whole_and_still_remembered(
    system: LocalSystem, caller: Caller, provider: ScriptedProvider, outage: Outage
) -> None:
    event = question("openai", idempotencyKey=f"without S3: {outage.name}")
    provider.script(Say(TEXT))
    system.aws.outages.declare("s3", outage)
    try:
        _, answer = await invoked(caller, event)
    finally:
        system.aws.outages.mend()
    assert answer["content"] == TEXT
    assert_charged_once(answer, await system.lines.about(answer["requestId"]))
    said = await system.lines.said("could not be stored", requestId=answer["requestId"])
    assert said["level"] == "ERROR"
    assert (await invoked(caller, event))[1] == answer
    assert len(provider.requests) == 1


async def test_the_function_url_returns_answers_of_any_size(caller: Caller, provider: ScriptedProvider) -> None:
    provider.script(Say(TEXT))
    reply = await caller.post(question("openai"))
    assert reply.json is not None
    assert reply.json["content"] == TEXT


async def test_without_a_bucket_the_answer_is_returned_whole_and_the_log_says_why() -> None:
    async with (
        LocalSystem(settings={"ANSWERS_BUCKET": ""}) as system,
        Caller(system.url, system.function.invoke_url) as caller,
    ):
        system.provider.script(Say(TEXT))
        _, answer = await invoked(caller, question("openai"))
        assert answer["content"] == TEXT
        await system.lines.said("ANSWERS_BUCKET is not set", requestId=answer["requestId"])
