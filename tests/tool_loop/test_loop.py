"""What follows a turn, decided without any I/O: rounds, hand-backs, forced tools, the closing request."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.provider import Call, Say, Script, ScriptedProvider, Tokens
from keyway.answer import ToolRun
from keyway.chat import ChatRequest
from keyway.doors.native.answer import answer_json
from keyway.doors.native.request import read_request
from keyway.events import FinishReason, ToolCall
from keyway.tools.executor import ToolFailure
from keyway.tools.loop import Close, Done, RunCalls, ToolLoop
from keyway.tools.outcome import Outcome, failed, succeeded
from tests.exchange.harness import Stores, call, captured, gateway
from tests.exchange.toolset import KEYS, Toolset
from tests.matrix.stage import Stage
from tests.matrix.ways import WAYS

TURN = Tokens(input=1_000, output=100)
OURS = ("search", "weather")


def loop(*tools: str, forced: tuple[str, ...] = (), **more: Any) -> ToolLoop:
    offered = [{"id": tool, "usageControl": "force" if tool in forced else "auto"} for tool in tools]
    request = ChatRequest.model_validate(
        {
            "provider": "openai",
            "model": "gpt-4.1",
            "messages": [{"role": "user", "content": "Hello"}],
            "tools": offered,
            **more,
        }
    )
    return ToolLoop(*Toolset().toolbox().equip(request))


def calls(*names: str) -> list[ToolCall]:
    return [ToolCall(f"call-{number}", name, {"city": "Paris"}) for number, name in enumerate(names)]


def done(made: list[ToolCall]) -> list[Outcome]:
    return [succeeded(call, call.arguments, "yes", None, started=0, ended=1) for call in made]


def forced_in(request: ChatRequest) -> list[str]:
    return [tool.id for tool in request.tools if tool.usage_control == "force"]


def test_calls_of_ours_are_run_and_others_handed_back():
    step = loop(*OURS, "ask_user").after(calls("search", "ask_user", "weather"), "tool_calls", schema_waits=False)
    assert isinstance(step, RunCalls)
    assert [(planned.call.name, planned.tool is not None) for planned in step.planned] == [
        ("search", True),
        ("weather", True),
    ]
    assert [call.name for call in step.handed_back] == ["ask_user"]


def test_without_a_tool_of_ours_everything_is_handed_back_as_it_is():
    """Unknown calls too: whoever runs the tools also answers for them."""
    assert loop("ask_user").after(calls("ask_user", "nobody"), "tool_calls", schema_waits=False) == Done()
    assert loop(*OURS, "ask_user").after(calls("ask_user"), "tool_calls", schema_waits=False) == Done()


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "error"])
def test_only_a_turn_that_ends_with_its_calls_is_acted_upon(reason: FinishReason):
    assert loop(*OURS).after(calls("search"), reason, schema_waits=False) == Done()


@pytest.mark.parametrize(("reason", "step"), [("stop", Close()), ("length", Done()), ("content_filter", Done())])
def test_a_schema_that_waits_is_asked_for_once_the_model_would_stop(reason: FinishReason, step: object):
    assert loop("ask_user").after([], reason, schema_waits=True) == step


def test_a_closing_request_offers_nothing_and_ends_the_exchange():
    closing = loop(*OURS, forced=("search",))
    closing.close()
    assert closing.request.offered_tools == ()
    assert closing.after(calls("search"), "tool_calls", schema_waits=False) == Done()
    assert not closing.may_go_on(schema_waits=False)


def test_forced_tools_are_asked_for_one_after_the_other_in_the_requests_order():
    sequence = loop("weather", "search", "maps", forced=("search", "maps"))
    assert sequence.request.forced_tool is not None
    assert sequence.request.forced_tool.id == "search"

    def round_of(*names: str) -> None:
        made = calls(*names)
        sequence.answered("", {}, made, done(made))

    round_of("weather")  # not the one that was asked for: it is asked for again
    assert forced_in(sequence.request) == ["search", "maps"]
    round_of("search")
    assert forced_in(sequence.request) == ["maps"]
    assert sequence.request.forced_tool.id == "maps"
    round_of("maps", "search")
    assert forced_in(sequence.request) == []


def test_the_next_request_holds_the_turn_and_its_results_in_order():
    going = loop(*OURS)
    made = calls("search", "functions.search")
    outcomes = [
        *done(made[:1]),
        failed(made[1], {}, ToolFailure("There is no such tool."), started=0, ended=1),
    ]
    going.answered("I look.", {"some_wire": [1]}, made, outcomes)
    _, said, first, second = going.request.messages
    assert (said.role, said.content, said.provider_extras) == ("assistant", "I look.", {"some_wire": [1]})
    assert [(call.id, call.name) for call in said.tool_calls] == [("call-0", "search"), ("call-1", "functions_search")]
    assert [(said.role, said.tool_call_id, said.content) for said in (first, second)] == [
        ("tool", "call-0", '"yes"'),
        ("tool", "call-1", '{"error":true,"message":"There is no such tool.","tool":"functions.search"}'),
    ]


@pytest.mark.parametrize("streamed", [True, False], ids=["stream", "document"])
async def test_a_mixed_round_is_run_and_handed_back_so_that_the_caller_can_go_on(streamed: bool):
    """What ``messages`` holds is put behind the request's own, with the caller's results, and the model goes on."""
    body: dict[str, Any] = {
        "provider": "openai",
        "model": "gpt-4.1",
        "workspaceId": "w",
        "messages": [{"role": "user", "content": "Hello"}],
        "tools": [{"id": "search"}, {"id": "ask_user"}],
        "stream": streamed,
    }
    stores = Stores(platform={**Stores().platform, **KEYS})
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, stores, toolset=Toolset()) as keyway:
            provider.reply(
                Script(Say("One."), Call("ask_user", {"what": "?"}), Call("search", {"city": "Paris"}), tokens=TURN)
            )
            provider.script(Say("Two."), tokens=TURN)
            first = await (await keyway.open(*read_request(body), call())).whole()
            shown: Any = answer_json(first)
            asked, searched = first.tool_calls
            assert isinstance(asked, ToolCall)
            assert isinstance(searched, ToolRun)
            assert (first.content, first.finish_reason) == ("One.", "tool_calls")
            assert "result" not in shown["toolCalls"][0]
            assert shown["toolCalls"][1]["success"] is True
            result = {"role": "tool", "toolCallId": asked.id, "content": "because"}
            body["messages"] = [*body["messages"], *shown["messages"], result]
            second = await (await keyway.open(*read_request(body), call())).whole()
            last: Any = provider.requests[1].body
    assert second.content == "Two."
    assert [item.get("type", item.get("role")) for item in last["input"]] == [
        "user",
        "assistant",
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]
    assert lines.charged == first.cost.total + second.cost.total


@pytest.mark.parametrize("toolset", [None, Toolset()], ids=["no tools here", "tools here"])
async def test_a_turn_that_is_only_handed_back_can_be_gone_on_from(toolset: Toolset | None):
    body: dict[str, Any] = {
        "provider": "openai",
        "model": "gpt-4.1",
        "workspaceId": "w",
        "messages": [{"role": "user", "content": "Hello"}],
        "tools": [{"id": "search"}, {"id": "ask_user"}] if toolset else [{"id": "ask_user"}],
    }
    async with ScriptedProvider() as provider, gateway(provider, toolset=toolset) as keyway:
        provider.reply(Script(Say("One."), Call("ask_user", {"what": "?"}), tokens=TURN))
        first: Any = answer_json(await (await keyway.open(*read_request(body), call())).whole())
        (said,) = first["messages"]
        assert (said["role"], said["content"], len(said["toolCalls"])) == ("assistant", "One.", 1)
        result = {"role": "tool", "toolCallId": said["toolCalls"][0]["id"], "content": "because"}
        body["messages"] = [*body["messages"], said, result]
        provider.script(Say("Two."), tokens=TURN)
        second = await (await keyway.open(*read_request(body), call())).whole()
    assert (second.content, second.messages) == ("Two.", ())


async def test_the_last_turn_is_told_though_it_looks_like_the_one_before():
    """A host that always says the same id, and an answer that is cut short in the same call."""
    made = Call("search", {"city": "Paris"}, id="0")
    stores = Stores(platform={**Stores().platform, **KEYS})
    async with ScriptedProvider() as provider, gateway(provider, stores, toolset=Toolset()) as keyway:
        provider.reply(Script(made, tokens=TURN))
        provider.reply(Script(made, ending="length", tokens=TURN))
        body = {"provider": "anthropic", "model": "claude-sonnet-4-5", "workspaceId": "w", "tools": [{"id": "search"}]}
        asked = read_request({**body, "messages": [{"role": "user", "content": "Hello"}]})
        answer = await (await keyway.open(*asked, call())).whole()
    assert answer.finish_reason == "length"
    assert [said.role for said in answer.messages] == ["assistant", "tool", "assistant"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_plain_request_is_not_told_of_turns(on: Stage):
    """Nothing changes for those who use no tools: their text is final from its first piece."""
    on.provider.script(Say("Hi"), tokens=TURN)
    outcome = await on.ask(WAYS[0], {"messages": [{"role": "user", "content": "Hello"}]}, streamed=True)
    assert [type(event).__name__ for event in outcome.events] == ["TextDelta", "TurnFinished"]
    assert outcome.answer is not None
    assert outcome.answer.messages == ()


@pytest.mark.asyncio(loop_scope="module")
async def test_the_catalog_describes_what_a_request_only_names(on: Stage):
    on.provider.script(Say("Hi"), tokens=TURN)
    asks = {"messages": [{"role": "user", "content": "Hello"}], "tools": [{"id": "search", "description": "Mine."}]}
    outcome = await on.ask(WAYS[0], asks, streamed=False, toolset=Toolset())
    assert outcome.answer is not None
    body: Any = on.provider.requests[0].body
    (sent,) = body["tools"]
    assert sent["description"] == "Mine."
    assert sent["parameters"]["required"] == ["city"]
