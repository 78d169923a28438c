"""One call of a tool: with which arguments, on whose key, how often, at what price, and what is written down.

Each test is a whole exchange: a provider that calls a tool, the tool's answers, and the lines that come of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from infra.local.provider import Call, Say, Script, ScriptedProvider, Tokens
from keyway.answer import Answer, ToolRun
from keyway.chat import Caller, ChatRequest
from keyway.errors import InvalidRequest, KeyStoreUnavailable
from keyway.tools.executor import ToolFailure
from keyway.tools.limiter import Admitted, TurnedAway, Uncounted
from tests.exchange.harness import CALLERS_SECRET, Lines, Stores, call, captured, gateway
from tests.exchange.toolset import CATALOG, KEYS, OTHER_SEARCH_SECRET, SEARCH_SECRET, Toolset, fails, say

TURN = Tokens(input=1_000, output=100)
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
BUSY = fails("slow down", status=429)


@dataclass
class Played:
    """What came of one exchange."""

    answer: Answer
    lines: Lines
    sent: list[Any]
    toolset: Toolset

    @property
    def run(self) -> ToolRun:
        """The first call, as it was answered."""
        run = self.answer.tool_calls[0]
        assert isinstance(run, ToolRun)
        return run

    def of_tools_whole(self, metric: str) -> list[dict[str, Any]]:
        """The metric's lines that are not the model's."""
        return [line for line in self.lines.named(metric) if line.get("Tool") != "gpt-4.1"]

    def of_tools(self, metric: str) -> list[dict[str, Any]]:
        """The metric's lines that are not the model's: their dimensions, and the value."""
        dimensions = ("Provider", "Tool", "Key", "Reason", metric)
        return [{name: line[name] for name in dimensions if name in line} for line in self.of_tools_whole(metric)]


async def played(
    *calls: Call,
    tools: list[Any] | None = None,
    toolset: Toolset | None = None,
    stores: Stores | None = None,
    caller: Mapping[str, object] | None = None,
) -> Played:
    """An exchange in which the model makes ``calls`` in its first turn."""
    toolset = toolset or Toolset()
    request = ChatRequest.model_validate(
        {
            "provider": "openai",
            "model": "gpt-4.1",
            "messages": [{"role": "user", "content": "Hello"}],
            "tools": tools or [{"id": "search"}, {"id": "weather"}, {"id": "maps"}],
        }
    )
    stores = stores or Stores(platform={**Stores().platform, **KEYS})
    with captured() as lines:
        async with ScriptedProvider() as provider, gateway(provider, stores, toolset=toolset) as keyway:
            provider.reply(Script(Say("I look."), *calls, tokens=TURN))
            provider.script(Say("Done."), tokens=TURN)
            who = Caller.model_validate({"workspaceId": "w"} if caller is None else caller)
            answer = await (await keyway.open(request, who, call())).whole()
            provider.forget()
            sent = [received.body for received in provider.requests]
    return Played(answer, lines, sent, toolset)


SEARCH = Call("search", {"city": "Paris"})


async def test_a_hosted_key_goes_into_its_header_and_nowhere_else():
    result = await played(SEARCH)
    (job,) = result.toolset.tools.jobs
    assert job.key is not None
    assert (job.key.secret, job.key.header, job.key.prefix) == (SEARCH_SECRET, "authorization", "Bearer ")
    assert job.arguments == {"city": "Paris"}
    assert SEARCH_SECRET not in repr((result.answer, result.sent, result.lines.text, job))
    used = {"Provider": "search", "Tool": "search", "Key": "SEARCH_API_KEY_1", "Used": [1.0]}
    assert result.of_tools("Used") == [used]
    assert result.of_tools("CostCharged") == [{"Provider": "search", "Tool": "search", "CostCharged": [0.005]}]
    assert result.lines.charged == result.answer.cost.total


async def test_without_a_header_the_key_is_an_argument_that_nobody_is_shown():
    result = await played(Call("maps", {"city": "Paris", "apiKey": "of the model's own making"}))
    (job,) = result.toolset.tools.jobs
    assert job.arguments == {"city": "Paris", "apiKey": KEYS["MAPS_API_KEY_1"]}
    assert result.run.arguments == {"city": "Paris"}
    assert KEYS["MAPS_API_KEY_1"] not in repr((result.answer, result.sent, result.lines.text))


async def test_a_key_is_nothing_for_a_model_to_fill_in() -> None:
    catalog: dict[str, Any] = {**CATALOG}
    parameters = {"type": "object", "properties": {"apiKey": {"type": "string"}, "q": {}}, "required": ["apiKey", "q"]}
    catalog["maps"] = {**catalog["maps"], "parameters": parameters}
    result = await played(toolset=Toolset(catalog=catalog), tools=[{"id": "maps"}])
    (sent,) = [tool["parameters"] for tool in result.sent[0]["tools"]]
    assert sent == {"type": "object", "properties": {"q": {}}, "required": ["q"]}


@pytest.mark.parametrize(
    ("configured", "written", "run_with"),
    [
        ({"city": "Rome"}, {"city": "Paris"}, {"city": "Rome"}),
        ({"city": ""}, {"city": "Paris"}, {"city": "Paris"}),
        ({"city": None, "list": [], "object": {}}, {"city": "Paris"}, {"city": "Paris"}),
        ({"depth": 0, "quick": False}, {"depth": 3}, {"depth": 0, "quick": False}),
        (
            {"inputMapping": {"a": {"x": 1, "y": ""}, "b": 2}},
            {"inputMapping": {"a": {"y": 2}, "c": 3}},
            {"inputMapping": {"a": {"x": 1, "y": 2}, "b": 2, "c": 3}},
        ),
        ({"nested": {"x": 1}}, {"nested": {"y": 2}}, {"nested": {"x": 1}}),
    ],
)
async def test_configured_arguments_win(configured: object, written: dict[str, object], run_with: object):
    result = await played(Call("weather", written), tools=[{"id": "weather", "params": configured}])
    assert result.toolset.tools.jobs[0].arguments == run_with == result.run.arguments
    replayed = result.sent[1]["input"][2]
    assert replayed["type"] == "function_call"
    assert replayed["arguments"] == json_of(written), "the model is shown what it wrote itself"


def json_of(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


BYOK = {("w", "search"): "search-of-the-workspace"}


@pytest.mark.parametrize(
    ("stored", "brought", "secret"),
    [
        (BYOK, None, "search-of-the-workspace"),
        (BYOK, "search-of-the-caller", "search-of-the-workspace"),
        ({}, "search-of-the-caller", "search-of-the-caller"),
        ({}, "  ", SEARCH_SECRET),
        ({}, None, SEARCH_SECRET),
    ],
)
async def test_whose_key_a_tool_runs_on(stored: Mapping[tuple[str, str], str], brought: str | None, secret: str):
    """The workspace's own, then the caller's, then the platform's: as for models."""
    stores = Stores(platform={**Stores().platform, **KEYS}, workspace=stored)
    tools = [{"id": "search", **({"params": {"apiKey": brought}} if brought else {})}]
    result = await played(SEARCH, tools=tools, stores=stores)
    (job,) = result.toolset.tools.jobs
    assert job.key is not None
    assert job.key.secret == secret
    hosted = secret == SEARCH_SECRET
    assert len(result.of_tools("Used")) == len(result.of_tools("CostCharged")) == hosted
    assert result.run.cost == (Decimal("0.005") if hosted else None)
    assert result.answer.cost.tool_cost == (Decimal("0.005") if hosted else None)
    assert "apiKey" not in result.run.arguments


async def test_tools_are_charged_whoever_pays_for_the_model():
    result = await played(SEARCH, caller={"workspaceId": "w", "apiKey": CALLERS_SECRET})
    assert result.answer.origin == "caller"
    assert result.answer.cost.total == result.answer.cost.tool_cost == Decimal("0.005") == result.lines.charged
    assert {line["Tool"] for line in result.lines.metrics} == {"search"}


async def test_the_line_of_a_tool_is_of_its_own_key_and_price_and_says_whose_request_it_was():
    result = await played(SEARCH, caller={"workspaceId": "w", "userId": "u", "apiKey": CALLERS_SECRET})
    (line,) = result.lines.named("CostCharged")
    told = {name: value for name, value in line.items() if name[0].islower()}
    assert told == {
        "requestId": "request-1",
        "workspaceId": "w",
        "userId": "u",
        "provider": "openai",
        "model": "gpt-4.1",
        "finishReason": "stop",
        "credentialOrigin": "hosted",
        "key": "SEARCH_API_KEY_1",
        "multiplier": "1",
        "priceVersion": line["priceVersion"],
        "tool": "search",
        "toolCallId": result.run.call.id,
    }
    dearer: Any = {**CATALOG}
    pricing = {"type": "per_request", "cost": "0.006"}
    dearer["search"] = {**dearer["search"], "hosting": {**dearer["search"]["hosting"], "pricing": pricing}}
    (other,) = (await played(SEARCH, toolset=Toolset(catalog=dearer))).of_tools_whole("CostCharged")
    assert other["priceVersion"] != line["priceVersion"], "another price is another version"


async def test_the_flag_for_models_is_not_for_tools():
    stores = replace(Stores(platform={**Stores().platform, **KEYS}), flag=False)
    result = await played(SEARCH, stores=stores, caller={"workspaceId": "w", "apiKey": CALLERS_SECRET})
    assert result.run.status == "success"
    assert len(result.of_tools("Used")) == 1


@pytest.mark.parametrize(
    ("stores", "caller", "hint"),
    [
        (Stores(platform=KEYS), {"apiKey": CALLERS_SECRET}, "name the workspaceId"),
        (Stores(), {"workspaceId": "w"}, "store one for the workspace"),
    ],
)
async def test_without_a_key_the_model_is_told_so_and_nothing_is_run(stores: Stores, caller: Any, hint: str):
    result = await played(SEARCH, stores=stores, caller=caller)
    assert result.toolset.tools.jobs == []
    assert result.run.status == "error"
    error: Any = result.run.result
    assert error["status"] == 503
    assert hint in error["message"]
    assert not [line for line in result.lines.metrics if line["Tool"] == "search"]


async def test_keys_that_cannot_be_read_are_billed_to_nobody():
    class Down(Stores):
        async def key(self, _workspace_id: str, provider: str) -> str | None:
            if provider == "search":
                raise KeyStoreUnavailable("The keys cannot be read.")
            return None

    result = await played(SEARCH, stores=Down(platform={**Stores().platform, **KEYS}))
    assert result.toolset.tools.jobs == []
    assert result.run.result == {"error": True, "message": "The keys cannot be read.", "tool": "search", "status": 503}
    assert not [line for line in result.lines.metrics if line["Tool"] == "search"]


async def test_a_busy_service_is_tried_three_times_more_and_then_with_another_key():
    toolset = Toolset()
    toolset.tools.answers["search"] = [BUSY, BUSY, BUSY, BUSY, say("at last")]
    result = await played(SEARCH, toolset=toolset)
    assert toolset.pauses == [1.0, 2.0, 4.0]
    secrets = [job.key.secret for job in toolset.tools.jobs if job.key]
    assert secrets == [SEARCH_SECRET] * 4 + [OTHER_SEARCH_SECRET]
    again = {"Tool": "search", "Key": "SEARCH_API_KEY_1", "UpstreamRateLimited": [1.0]}
    assert result.of_tools("UpstreamRateLimited") == [again] * 3
    assert [line["Key"] for line in result.of_tools("Used")] == ["SEARCH_API_KEY_2"], "the label moves to the last key"
    assert not result.of_tools("Failed")
    assert result.run.result == "at last"
    assert result.run.cost == Decimal("0.005"), "once"


async def test_a_service_that_stays_busy_is_given_up():
    toolset = Toolset()
    toolset.tools.answers["search"] = BUSY
    result = await played(SEARCH, toolset=toolset)
    assert len(toolset.tools.jobs) == 5
    throttled = {"Provider": "search", "Tool": "search", "Reason": "upstream_retries_exhausted", "Throttled": [1.0]}
    assert result.of_tools("Throttled") == [throttled]
    failed = {"Provider": "search", "Tool": "search", "Key": "SEARCH_API_KEY_2", "Reason": "rate_limited"}
    assert result.of_tools("Failed") == [{**failed, "Failed": [1.0]}]
    assert not result.of_tools("Used")
    assert result.run.result == {"error": True, "message": "slow down", "tool": "search", "status": 429}
    assert result.answer.content == "Done."
    assert result.answer.cost.tool_cost is None


@pytest.mark.parametrize(
    ("failure", "tries", "reason"),
    [
        (ToolFailure("answered with status 403", words="quota used up", status=403), 5, "rate_limited"),
        (ToolFailure("come back", status=503), 5, "rate_limited"),
        (ToolFailure("who are you?", status=401), 1, "auth"),
        (ToolFailure("rate_limits answered with status 401: who are you?", status=401, words="who?"), 1, "auth"),
        (ToolFailure("no such place", status=404), 1, "other"),
        (ToolFailure("broken", status=500), 1, "other"),
        (ToolFailure("said no, 401 of them"), 1, "other"),
        (ToolFailure("had not finished", timed_out=True), 1, "timeout"),
        (ToolFailure("The connection to rate_limits broke."), 1, "other"),
    ],
)
async def test_what_failed_on_a_hosted_key_is_classified(failure: ToolFailure, tries: int, reason: str):
    toolset = Toolset()
    toolset.tools.answers["search"] = lambda _job: failure
    result = await played(SEARCH, toolset=toolset)
    assert len(toolset.tools.jobs) == tries
    assert [line["Reason"] for line in result.of_tools("Failed")] == [reason]
    assert result.run.status == "error"


@pytest.mark.parametrize("stored", [BYOK, {}], ids=["workspace", "none"])
async def test_a_key_of_somebody_elses_is_tried_once_and_written_down_nowhere(stored: Any):
    toolset = Toolset()
    toolset.tools.answers["search"] = BUSY
    tools = [{"id": "search", "params": {"apiKey": "search-of-the-caller"}}]
    stores = Stores(platform={**Stores().platform, **KEYS}, workspace=stored)
    result = await played(SEARCH, toolset=toolset, tools=tools, stores=stores)
    assert len(toolset.tools.jobs) == 1
    assert not [line for line in result.lines.metrics if line["Tool"] == "search"]


async def test_a_price_by_the_answer():
    toolset = Toolset()
    toolset.tools.answers["maps"] = say({"tiles": [1, 2, 3], "__debug": "of the service"})
    result = await played(Call("maps", {"city": "Paris"}), toolset=toolset)
    assert result.run.cost == Decimal("0.0003")
    assert result.run.result == {"tiles": [1, 2, 3], "cost": {"total": 0.0003}}
    assert [line["CostCharged"] for line in result.of_tools("CostCharged")] == [[0.0003]]
    (limited,) = toolset.limiter.asked
    assert (limited.payee, limited.workspace_id) == ("maps", "w")
    assert toolset.limiter.used == [{"tiles": Decimal(3)}]


async def test_a_price_that_cannot_be_worked_out_is_unknown_and_not_zero():
    toolset = Toolset()
    toolset.tools.answers["maps"] = say({"pieces": 3})
    result = await played(Call("maps", {"city": "Paris"}), toolset=toolset)
    assert result.run.status == "success"
    assert result.run.cost is None
    assert result.run.result == {"pieces": 3}
    assert result.of_tools("UnknownModelCost") == [{"Tool": "maps", "UnknownModelCost": [1.0]}]
    assert len(result.of_tools("Used")) == 1
    assert not result.of_tools("CostCharged")
    (said,) = [line for line in result.lines.all if line.get("level") == "ERROR"]
    assert said["tool"] == "maps"
    assert result.lines.named("LimitUncounted"), "what was used up is not known either"


async def test_who_has_stood_in_line_is_let_through_and_the_wait_is_written_down():
    toolset = Toolset()
    toolset.limiter.admission = Admitted(waited=12.5, reason="queue_position")
    result = await played(Call("maps", {"city": "Paris"}), toolset=toolset)
    assert result.run.status == "success"
    (line,) = result.lines.named("QueueWaitDuration")
    assert (line["Provider"], line["Reason"], line["QueueWaitDuration"]) == ("maps", "queue_position", [12500.0])
    unit = line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"]
    assert unit == "Milliseconds"


@pytest.mark.parametrize("waited", [0.0, 30.0])
async def test_who_calls_too_often_is_told_when_to_come_back(waited: float):
    toolset = Toolset()
    toolset.limiter.admission = TurnedAway(retry_after=41.5, reason="actor_requests", waited=waited)
    result = await played(Call("maps", {"city": "Paris"}), toolset=toolset)
    error: Any = result.run.result
    assert (error["status"], error["retryAfter"]) == (429, 41.5)
    assert toolset.tools.jobs == []
    throttled = {"Provider": "maps", "Tool": "maps", "Reason": "billing_actor_limit", "Throttled": [1.0]}
    assert result.of_tools("Throttled") == [throttled]
    assert len(result.lines.named("QueueWaitExceeded")) == bool(waited)
    assert not result.of_tools("Failed"), "no key was used"
    assert not result.of_tools("Used")


async def test_limits_that_cannot_be_read_let_everybody_through_and_say_so():
    toolset = Toolset()
    toolset.limiter.admission = Uncounted()
    toolset.tools.answers["maps"] = say({"tiles": []})
    result = await played(Call("maps", {"city": "Paris"}), toolset=toolset)
    assert result.run.status == "success"
    (line,) = result.lines.named("LimitUncounted")
    assert (line["Provider"], "Tool" in line) == ("maps", False)


async def test_every_call_is_answered_whatever_is_wrong_with_it():
    calls = (Call("nobody", {}), Call("weather", "{]"), Call("forbidden", {}), Call("search", {"city": "Paris"}))
    tools = [{"id": "search"}, {"id": "weather"}, {"id": "forbidden", "usageControl": "none"}]
    result = await played(*calls, tools=tools)
    statuses = [run.status for run in result.answer.tool_calls if isinstance(run, ToolRun)]
    assert statuses == ["error", "error", "error", "success"]
    outputs = [item["output"] for item in result.sent[1]["input"] if item.get("type") == "function_call_output"]
    assert len(outputs) == 4
    assert "There is no tool 'nobody'. The tools are: search, weather." in outputs[0]
    assert "not a JSON object" in outputs[1]
    assert "There is no tool 'forbidden'" in outputs[2]
    assert [job.tool for job in result.toolset.tools.jobs] == ["search"]


async def test_a_bug_in_what_runs_a_tool_costs_the_call_and_not_the_exchange():
    toolset = Toolset()
    toolset.tools.answers["search"] = lambda _job: RuntimeError(f"secret {SEARCH_SECRET}")
    result = await played(SEARCH, toolset=toolset)
    assert result.run.status == "error"
    assert result.answer.content == "Done."
    assert [line["Reason"] for line in result.of_tools("Failed")] == ["other"]
    (said,) = [line for line in result.lines.all if line.get("level") == "ERROR"]
    assert (said["error"], said["requestId"]) == ("RuntimeError", "request-1")
    assert len(result.lines.exchanges) == 1
    assert SEARCH_SECRET not in result.lines.text


async def test_a_tool_of_the_requests_own_is_run_without_any_key():
    executor = {"type": "http", "method": "GET", "url": "https://api.example/{city}"}
    tool = {"id": "mine", "executor": executor, "params": {"apiKey": "is just an argument here"}}
    result = await played(Call("mine", {"city": "Paris"}), tools=[tool])
    (job,) = result.toolset.tools.jobs
    assert (job.trusted, job.key, job.place) == (False, None, "tools[0].executor")
    assert job.arguments == {"city": "Paris", "apiKey": "is just an argument here"}
    assert not [line for line in result.lines.metrics if line["Tool"] == "mine"]


@pytest.mark.parametrize(
    ("executor", "run_here"),
    [({"type": "lambda", "function": f"{ARN}allowed"}, True), ({"type": "lambda", "function": f"{ARN}other"}, False)],
)
async def test_only_functions_on_the_operators_list_are_invoked(executor: object, run_here: bool):
    result = await played(Call("mine", {"city": "Paris"}), tools=[{"id": "mine", "executor": executor}])
    assert len(result.toolset.tools.jobs) == run_here
    assert result.answer.finish_reason == ("stop" if run_here else "tool_calls")
    assert isinstance(result.answer.tool_calls[0], ToolRun) == run_here


@pytest.mark.parametrize(
    ("tool", "place"),
    [
        ({"id": "search", "executor": {"type": "http", "url": "https://evil.example/"}}, "tools[0].executor"),
        ({"id": "mine", "executor": {"type": "http", "url": "http://plain.example/"}}, "tools[0].executor.url"),
        ({"id": "mine", "executor": {"type": "http", "url": "https://{host}/"}}, "tools[0].executor.url"),
    ],
)
async def test_an_executor_that_cannot_be_is_refused_before_anything_is_sent(tool: object, place: str):
    with pytest.raises(InvalidRequest, match=place.replace("[", r"\[")):
        await played(SEARCH, tools=[tool])
