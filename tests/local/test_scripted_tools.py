"""How a scripted model uses tools by itself in every protocol, and how strict it is about what became of its calls."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from infra.local.provider import Call, Say, ScriptedProvider
from infra.local.tools import ASK_USER, CLOCK_FUNCTION, catalog
from keyway.chat import Tool
from keyway.events import Event, TextDelta, ToolCall
from keyway.tools.catalog import ToolCatalog
from keyway.wire.registry import wire

KEY = "good-key-0123456789"
BEARER = {"authorization": f"Bearer {KEY}"}
SCHEMA = {
    "type": "object",
    "properties": {
        "query": {"type": "string"},
        "kind": {"type": "string", "enum": ["news", "all"]},
        "pages": {"type": ["null", "integer"]},
        "fresh": {"type": "boolean"},
        "sites": {"type": "array", "items": {"type": "string"}},
    },
}
USE = "Use web_search to find out what a gateway is."
Turn = tuple[str, Any]


@dataclass(frozen=True)
class Spoken:
    """How one protocol is spoken: ``turn`` writes what was said, called (ids) or answered (texts by id)."""

    wire: str
    vendor: str
    path: str
    body: Callable[[list[Any], list[Any]], dict[str, Any]]
    turn: Callable[[str, Any], list[Any]]
    tool: Callable[[str], dict[str, Any]]
    headers: Mapping[str, str] = field(default_factory=lambda: BEARER)


def responses_turn(kind: str, said: Any) -> list[Any]:
    match kind:
        case "user":
            return [{"role": "user", "content": said}]
        case "calls":
            return [
                {"type": "function_call", "call_id": each, "name": "web_search", "arguments": "{}"} for each in said
            ]
        case _:
            return [{"type": "function_call_output", "call_id": each, "output": text} for each, text in said.items()]


def chat_turn(kind: str, said: Any) -> list[Any]:
    match kind:
        case "user":
            return [{"role": "user", "content": said}]
        case "calls":
            function = {"name": "web_search", "arguments": "{}"}
            calls = [{"id": each, "type": "function", "function": function} for each in said]
            return [{"role": "assistant", "content": None, "tool_calls": calls}]
        case _:
            return [{"role": "tool", "tool_call_id": each, "content": text} for each, text in said.items()]


def anthropic_turn(kind: str, said: Any) -> list[Any]:
    match kind:
        case "user":
            return [{"role": "user", "content": said}]
        case "calls":
            uses = [{"type": "tool_use", "id": each, "name": "web_search", "input": {}} for each in said]
            return [{"role": "assistant", "content": uses}]
        case _:
            results = [{"type": "tool_result", "tool_use_id": each, "content": text} for each, text in said.items()]
            return [{"role": "user", "content": results}]


def gemini_turn(kind: str, said: Any) -> list[Any]:
    match kind:
        case "user":
            return [{"role": "user", "parts": [{"text": said}]}]
        case "calls":
            return [{"role": "model", "parts": [{"functionCall": {"name": "web_search", "args": {}}} for _ in said]}]
        case _:
            told = [{"name": "web_search", "response": {"output": text}} for text in said.values()]
            return [{"role": "user", "parts": [{"functionResponse": each} for each in told]}]


def bedrock_turn(kind: str, said: Any) -> list[Any]:
    match kind:
        case "user":
            return [{"role": "user", "content": [{"text": said}]}]
        case "calls":
            uses = [{"toolUse": {"toolUseId": each, "name": "web_search", "input": {}}} for each in said]
            return [{"role": "assistant", "content": uses}]
        case _:
            told = [{"toolUseId": each, "content": [{"text": text}]} for each, text in said.items()]
            return [{"role": "user", "content": [{"toolResult": each} for each in told]}]


def chat(vendor: str, path: str) -> Spoken:
    return Spoken(
        "openai_chat",
        vendor,
        path,
        lambda turns, tools: {"model": "m", "messages": turns, "tools": tools},
        chat_turn,
        lambda name: {"type": "function", "function": {"name": name, "parameters": SCHEMA}},
    )


SPOKEN = {
    "openai_chat": chat("openai", "/chat/completions"),
    "mistral": chat("mistral", "/v1/chat/completions"),
    "openai_responses": Spoken(
        "openai_responses",
        "openai",
        "/responses",
        lambda turns, tools: {"model": "m", "input": turns, "tools": tools},
        responses_turn,
        lambda name: {"type": "function", "name": name, "parameters": SCHEMA, "strict": False},
    ),
    "anthropic_messages": Spoken(
        "anthropic_messages",
        "anthropic",
        "/v1/messages",
        lambda turns, tools: {"model": "m", "max_tokens": 100, "messages": turns, "tools": tools},
        anthropic_turn,
        lambda name: {"name": name, "input_schema": SCHEMA},
        {"x-api-key": KEY, "anthropic-version": "2023-06-01"},
    ),
    "gemini_generate": Spoken(
        "gemini_generate",
        "google",
        "/models/gemini-2.5-flash:generateContent",
        lambda turns, tools: {"contents": turns, "tools": [{"functionDeclarations": tools}]},
        gemini_turn,
        lambda name: {"name": name, "parametersJsonSchema": SCHEMA},
        {"x-goog-api-key": KEY},
    ),
    "bedrock_converse": Spoken(
        "bedrock_converse",
        "bedrock",
        "/model/m/converse",
        lambda turns, tools: {"messages": turns, "toolConfig": {"tools": tools}},
        bedrock_turn,
        lambda name: {"toolSpec": {"name": name, "inputSchema": {"json": SCHEMA}}},
    ),
}
every_protocol = pytest.mark.parametrize("spoken", SPOKEN.values(), ids=SPOKEN)


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def asked(provider: ScriptedProvider, spoken: Spoken, *turns: Turn, tools: tuple[str, ...] = ("web_search",)):
    """A request with a history and tools, as the protocol writes it."""
    written = [item for kind, said in turns for item in spoken.turn(kind, said)]
    body = spoken.body(written, [spoken.tool(name) for name in tools])
    url = provider.base_urls[spoken.vendor] + spoken.path
    return httpx.Request("POST", url, headers=spoken.headers, json=body)


def events(spoken: Spoken, answer: httpx.Response) -> list[Event]:
    speaker = wire(spoken.wire)
    decoder = speaker.decoder(speaker.dialect({}), provider=spoken.vendor, structured=False)
    return [*decoder.feed(answer.content), *decoder.end()]


@every_protocol
async def test_a_tool_that_the_user_names_is_called_with_arguments_made_from_its_schema(
    provider: ScriptedProvider, client: httpx.AsyncClient, spoken: Spoken
) -> None:
    tools = ("web_search", "clock", "web", "search")
    answer = await client.send(asked(provider, spoken, ("user", f"{USE} And use clock."), tools=tools))
    called = [event for event in events(spoken, answer) if isinstance(event, ToolCall)]
    arguments = {"query": f"{USE} And use clock.", "kind": "news", "pages": 1, "fresh": True}
    assert [(call.name, call.arguments) for call in called] == [("web_search", arguments), ("clock", arguments)]


@every_protocol
async def test_it_tells_what_the_tools_said_and_calls_nothing_again(
    provider: ScriptedProvider, client: httpx.AsyncClient, spoken: Spoken
) -> None:
    history: list[Turn] = [("user", USE), ("calls", ["call00001", "call00002"])]
    results = ("results", {"call00001": "A gateway is a gate.", "call00002": "x" * 500})
    told = events(spoken, await client.send(asked(provider, spoken, *history, results)))
    texts = [event.text for event in told if isinstance(event, TextDelta)]
    assert "A gateway is a gate." in "".join(texts)
    assert 50 < "".join(texts).count("x") < 200
    assert not [event for event in told if isinstance(event, ToolCall)]


@every_protocol
async def test_tools_that_nobody_names_are_not_called(
    provider: ScriptedProvider, client: httpx.AsyncClient, spoken: Spoken
) -> None:
    for text in ("What is a gateway?", "Is web_searching a word?"):
        told = events(spoken, await client.send(asked(provider, spoken, ("user", text))))
        assert not [event for event in told if isinstance(event, ToolCall)]
        assert f"You asked: “{text}”" in "".join(event.text for event in told if isinstance(event, TextDelta))


@every_protocol
async def test_several_turns_are_scripted_in_their_order_and_found_by_what_the_user_asked(
    provider: ScriptedProvider, client: httpx.AsyncClient, spoken: Spoken
) -> None:
    provider.script(Call("web_search", id="call00001"), asked="gateway")
    provider.script(Say("Scripted."), asked="gateway")
    first = events(spoken, await client.send(asked(provider, spoken, ("user", USE))))
    assert [event.name for event in first if isinstance(event, ToolCall)] == ["web_search"]
    history: list[Turn] = [("user", USE), ("calls", ["call00001"]), ("results", {"call00001": "x"})]
    second = events(spoken, await client.send(asked(provider, spoken, *history)))
    assert [event.text for event in second if isinstance(event, TextDelta)] == ["Scripted."]


HISTORIES: Mapping[str, tuple[int, list[Turn]]] = {
    "answered": (200, [("calls", ["call00001", "call00002"]), ("results", {"call00001": "x", "call00002": "y"})]),
    "not answered": (400, [("calls", ["call00001"])]),
    "answered in part": (400, [("calls", ["call00001", "call00002"]), ("results", {"call00001": "x"})]),
    "not answered before the user spoke": (400, [("calls", ["call00001"]), ("user", "Go on.")]),
    "answered without a call": (400, [("results", {"call00001": "x"})]),
}


@every_protocol
@pytest.mark.parametrize(("status", "turns"), HISTORIES.values(), ids=HISTORIES)
async def test_every_call_has_to_be_answered(
    provider: ScriptedProvider, client: httpx.AsyncClient, spoken: Spoken, status: int, turns: list[Turn]
) -> None:
    answer = await client.send(asked(provider, spoken, ("user", USE), *turns))
    assert answer.status_code == status, answer.text


async def test_claude_wants_each_id_once_and_one_result_for_it(
    provider: ScriptedProvider, client: httpx.AsyncClient
) -> None:
    claude = SPOKEN["anthropic_messages"]
    once: list[Turn] = [("user", USE), ("calls", ["toolu_1"]), ("results", {"toolu_1": "x"})]
    again = await client.send(asked(provider, claude, *once, *once[1:]))
    assert "`tool_use` ids must be unique" in again.text
    twice = asked(provider, claude, *once)
    body = json.loads(twice.content)
    body["messages"][-1]["content"] *= 2
    answer = await client.post(twice.url, headers=claude.headers, json=body)
    assert "Found multiple `tool_result` blocks with id: toolu_1" in answer.text


async def test_openai_wants_a_thought_back_with_what_came_of_it(
    provider: ScriptedProvider, client: httpx.AsyncClient
) -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    url = f"{provider.base_urls['openai']}/responses"
    called = responses_turn("calls", ["c"])
    for rest, status in (([*called, *responses_turn("results", {"c": "x"})], 200), ([], 400)):
        items = [*responses_turn("user", "Hello?"), thought, *rest]
        answer = await client.post(url, headers=BEARER, json={"model": "gpt-5", "input": items})
        assert answer.status_code == status
    assert "without its required following item" in answer.text


def test_the_tools_are_a_catalog_that_the_gateway_reads() -> None:
    read = ToolCatalog.read(json.dumps(catalog("http://127.0.0.1:9")))
    assert set(read.tools) == {"web_search", "world_clock"}
    assert (read.limited, read.functions) == (("web_search",), (CLOCK_FUNCTION,))
    assert read.byok_providers == {"search"}
    assert Tool.model_validate(ASK_USER).executor is None
