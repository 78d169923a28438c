"""The main job through real sockets: a request in, bytes out as they come, and what is written down at the end."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from infra.local.caller import Caller
from infra.local.provider import Call, Gate, Ping, Refuse, Say, ScriptedProvider, Start, Think, Tokens, Wait
from infra.local.provider.script import Ending
from infra.local.system import LocalSystem
from tests.local.asking import MODELS, assert_charged_once, both_vendors, question, streamed, total

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKENS = Tokens(input=1000, output=100, cache_read=400, reasoning=20)
COSTS = {
    # 600 at 2.00, 400 at 0.50, 100 at 8.00 a million; 600 at 3.00, 400 at 0.30, 100 at 15.00.
    "openai": Decimal("0.0022"),
    "anthropic": Decimal("0.00342"),
}


@both_vendors
async def test_the_first_byte_leaves_before_the_providers_second_chunk_is_sent(
    provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    gate = Gate()
    provider.script(Say("first"), Wait(gate), Say(" second"))
    texts: list[object] = []
    async for event in caller.stream(question(vendor)):
        if event.name == "text_delta":
            if not texts:
                await gate.reached()
                gate.open()  # only now, with the first text in our hands, may the provider go on
            texts.append(event.data["text"])
    assert texts == ["first", " second"]


@both_vendors
async def test_a_provider_that_accepts_and_then_thinks_in_silence_has_already_opened_the_stream(
    system: LocalSystem, provider: ScriptedProvider, vendor: str
) -> None:
    gate = Gate()
    provider.script(Start(), Wait(gate), Say("at last"))
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        http.stream("POST", f"{system.url}/v1/execute", json=question(vendor, stream=True)) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        chunks = response.aiter_raw()
        assert await anext(chunks) == b": open\n\n"
        gate.open()
        assert b"at last" in b"".join([chunk async for chunk in chunks])


@both_vendors
async def test_a_stream_ends_with_one_answer_that_is_settled_to_the_cent(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    provider.script(Think("Hm."), Say("Hel"), Ping(), Say("lo"), tokens=TOKENS)
    stream = await streamed(caller, question(vendor))
    assert stream.names == ["thinking_delta", "text_delta", "text_delta", "turn_end", "done"]
    answer = stream.last
    assert (answer["content"], answer["thinking"], answer["finishReason"]) == ("Hello", "Hm.", "stop")
    assert answer["model"] == MODELS[vendor]
    assert answer["tokens"] == {
        "input": 1000, "output": 100, "total": 1100, "cacheRead": 400, "cacheWrite": 0, "reasoning": 20,
    }  # fmt: skip
    assert total(answer) == COSTS[vendor]
    written = await system.lines.about(answer["requestId"])
    assert_charged_once(answer, written)
    assert {metric.namespace for metric in written.metrics} == {"Keyway/HostedKey"}
    for metric in written.metrics:
        assert metric.dimensions["Environment"] == "local"
        assert metric.dimensions["Provider"] == vendor
        assert metric.dimensions["Tool"] == MODELS[vendor]
        assert metric.properties["requestId"] == answer["requestId"]
    assert await provider.requests[0].ended() == "answered"


@both_vendors
async def test_an_answer_in_one_piece_says_and_costs_the_same(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    provider.script(Think("Hm."), Say("Hel"), Say("lo"), tokens=TOKENS)
    reply = await caller.post(question(vendor))
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json is not None
    assert (reply.json["content"], reply.json["thinking"]) == ("Hello", "Hm.")
    assert total(reply.json) == COSTS[vendor]
    assert_charged_once(reply.json, await system.lines.about(str(reply.json["requestId"])))


@both_vendors
async def test_a_bare_event_gets_the_same_answer_as_plain_json(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    provider.script(Say("Hello"), tokens=TOKENS)
    reply = await caller.invoke(question(vendor, stream=True, somethingOfTheStatesLanguage=1))
    assert reply.json is not None
    assert reply.body.startswith(b"{")
    assert reply.json["content"] == "Hello"
    assert total(reply.json) == COSTS[vendor]
    assert_charged_once(reply.json, await system.lines.about(str(reply.json["requestId"])))


@both_vendors
async def test_tool_calls_are_handed_back_unexecuted(provider: ScriptedProvider, caller: Caller, vendor: str) -> None:
    provider.script(Say("Let me look."), Call("weather", {"city": "Zürich"}, id="call_1"), Call("clock", id="call_2"))
    tools = [
        {"id": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
        {"id": "clock"},
    ]
    stream = await streamed(caller, question(vendor, tools=tools))
    assert stream.names == ["text_delta", "tool_call_start", "tool_call_start", "turn_end", "done"]
    assert stream.last["finishReason"] == "tool_calls"
    assert stream.last["toolCalls"] == [
        {"id": "call_1", "name": "weather", "arguments": {"city": "Zürich"}},
        {"id": "call_2", "name": "clock", "arguments": {}},
    ]


@both_vendors
async def test_a_conversation_with_tool_results_is_one_the_vendor_accepts(
    provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    provider.script(Call("weather", {"city": "Bern"}))
    tools = [{"id": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]
    asked = question(vendor, tools=tools, systemPrompt="Be brief.")
    call = (await streamed(caller, asked)).last["toolCalls"][0]
    provider.script(Say("Sunny."))
    messages = [
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "toolCalls": [{name: call[name] for name in ("id", "name", "arguments")}]},
        {"role": "tool", "toolCallId": call["id"], "content": '{"sky": "blue"}'},
    ]
    assert (await streamed(caller, {**asked, "messages": messages})).last["content"] == "Sunny."


@both_vendors
async def test_what_is_asked_for_reaches_the_vendor_in_its_own_words(
    provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    provider.script(Say('{"name": "Oslo"}'))
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    asked = question(
        vendor,
        systemPrompt="Answer in JSON.",
        context="Earlier: nothing.",
        temperature=0.25,
        maxTokens=321,
        responseFormat={"name": "city", "schema": schema},
    )
    answer = (await streamed(caller, asked)).last
    assert answer["content"] == '{"name": "Oslo"}'
    sent = provider.requests[0].body
    assert sent["temperature"] == 0.25
    assert sent["max_output_tokens" if vendor == "openai" else "max_tokens"] == 321
    assert "Oslo" not in str(sent)
    assert "name" in str(sent["text" if vendor == "openai" else "output_config"])


@both_vendors
async def test_pictures_and_documents_travel_inline(provider: ScriptedProvider, caller: Caller, vendor: str) -> None:
    provider.script(Say("A dot."))
    picture = {"name": "dot.png", "mimeType": "image/png", "data": "iVBORw0KGgo="}
    page = {"name": "page.pdf", "mimeType": "application/pdf", "data": "JVBERi0xLjQ="}
    message = {"role": "user", "content": "What is this?", "files": [picture, page]}
    assert (await streamed(caller, question(vendor, messages=[message]))).last["content"] == "A dot."
    sent = str(provider.requests[0].body)
    assert "iVBORw0KGgo=" in sent
    assert "JVBERi0xLjQ=" in sent


@both_vendors
@pytest.mark.parametrize("ending", ["length", "content_filter"])
async def test_an_answer_that_stops_early_says_why_and_is_paid_for(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str, ending: Ending
) -> None:
    provider.script(Say("Once upon"), ending=ending, tokens=TOKENS)
    answer = (await streamed(caller, question(vendor))).last
    assert (answer["content"], answer["finishReason"]) == ("Once upon", ending)
    assert_charged_once(answer, await system.lines.about(answer["requestId"]))


@both_vendors
async def test_a_refusal_is_filtered_content(provider: ScriptedProvider, caller: Caller, vendor: str) -> None:
    provider.script(Refuse("I'd rather "), Refuse("not."))
    answer = (await streamed(caller, question(vendor))).last
    assert answer["finishReason"] == "content_filter"


@both_vendors
async def test_text_of_any_script_arrives_whole(provider: ScriptedProvider, caller: Caller, vendor: str) -> None:
    pieces = ["Grüezi ", "日本語 ", "👩‍🔬", "\u2028", ' "quoted" \\ back\n', "end"]
    provider.script(*map(Say, pieces))
    stream = await streamed(caller, question(vendor))
    assert stream.texts == pieces
    assert stream.last["content"] == "".join(pieces)


async def test_a_reasoning_model_is_asked_to_reason_and_not_for_a_temperature(
    provider: ScriptedProvider, caller: Caller
) -> None:
    provider.script(Think("Hm."), Say("Yes."))
    asked = question("openai", model="gpt-5.4", temperature=0.3, reasoningEffort="low", verbosity="low")
    assert (await streamed(caller, asked)).last["thinking"] == "Hm."
    sent = provider.requests[0].body
    assert "temperature" not in sent
    assert isinstance(sent["reasoning"], dict)
    assert sent["reasoning"]["effort"] == "low"


async def test_a_thinking_model_is_asked_to_think(provider: ScriptedProvider, caller: Caller) -> None:
    provider.script(Think("Hm."), Say("Yes."))
    asked = question("anthropic", model="claude-haiku-4-5", thinkingLevel="low", temperature=0.3)
    assert (await streamed(caller, asked)).last["thinking"] == "Hm."
    sent = provider.requests[0].body
    assert isinstance(sent["thinking"], dict)
    assert sent["thinking"]["type"] == "enabled"


@both_vendors
async def test_hosted_keys_take_turns(provider: ScriptedProvider, caller: Caller, vendor: str) -> None:
    used = []
    for _ in range(4):
        provider.script(Say("Hi"))
        used.append((await streamed(caller, question(vendor))).last["credential"]["key"])
    assert used[0] != used[1]
    assert used[:2] == used[2:]


async def test_the_server_says_it_is_there(system: LocalSystem) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{system.url}/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


async def test_a_path_that_is_not_there_is_a_404_that_says_what_is(system: LocalSystem) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{system.url}/v1/nothing")
    assert answer.status_code == 404
    assert "/v1/execute" in answer.json()["error"]["message"]
