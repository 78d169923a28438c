"""The laws of the loop, over random graphs of tools: a model calls whatever it likes, and tools do what they like.

Whatever the two do, rounds are bounded, every call is answered, results keep the order of the calls, and every dollar
is charged or absorbed once. The provider is as strict as the vendors: a history with an unanswered call is refused.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from infra.local.provider import Break, Call, Cut, Refusal, Reply, Say, Script, ScriptedProvider, Tokens
from keyway.answer import Answer, ToolRun
from keyway.chat import Caller, ChatRequest
from keyway.errors import KeywayError
from keyway.events import ToolCall
from keyway.tools.executor import Job, ToolFailure
from keyway.tools.loop import MAX_ROUNDS
from tests.exchange.harness import CALLERS_SECRET, MODELS, Lines, Stores, call, captured, gateway
from tests.exchange.toolset import KEYS, Toolset

OFFERED = ("search", "maps", "weather", "ask_user")
NAMES = (*OFFERED, "nobody", "forbidden")
TURN = Tokens(input=1_000, output=100)

arguments = st.sampled_from([{"city": "Paris"}, {}, '{"city": "Par', "[1]"])
calls = st.builds(Call, st.sampled_from(NAMES), arguments)
ours = st.builds(Call, st.sampled_from([name for name in NAMES if name != "ask_user"]), arguments)
"""Calls after which the model is always asked again."""
_FAULTS: list[Any] = [
    None, None, None, None, Cut(), Break("server_error", "broken"), Refusal(400, "invalid_request_error", "no"),
]  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """A turn of the model that calls, and what goes wrong with it, if anything does."""

    calls: tuple[Call, ...]
    fault: Any


@dataclass(frozen=True)
class Graph:
    vendor: str
    streamed: bool
    turns: tuple[Turn, ...]
    outputs: tuple[Any, ...]
    own_key: bool
    leaves_after: int | None
    """Batches that the caller reads before they go away."""


turns = st.builds(Turn, st.lists(calls, min_size=1, max_size=4).map(tuple), st.sampled_from(_FAULTS))
rounds = st.builds(Turn, st.lists(ours, min_size=1, max_size=2).map(tuple), st.none())
outputs: st.SearchStrategy[Any] = st.sampled_from(
    [
        {"tiles": [1, 2]},
        {"tiles": [1, 2, 3]},
        {"tiles": []},
        "words",
        None,
        ToolFailure("no", status=500),
        ToolFailure("busy", status=429),
        RuntimeError("a bug"),
    ]
)


def graphs(turns: st.SearchStrategy[list[Turn]]) -> st.SearchStrategy[Graph]:
    return st.builds(
        Graph,
        vendor=st.sampled_from(sorted(MODELS)),
        streamed=st.booleans(),
        turns=turns.map(tuple),
        outputs=st.lists(outputs, min_size=1, max_size=6).map(tuple),
        own_key=st.booleans(),
        leaves_after=st.none() | st.none() | st.integers(0, 6),
    )


@dataclass
class Outcome:
    answer: Answer | None
    error: KeywayError | None
    bodies: list[Any]
    told: list[object]
    ran: list[tuple[Job, object]]
    """Every run of a tool, and what it gave."""


def _reply(turn: Turn) -> Reply:
    if isinstance(turn.fault, Refusal):
        return turn.fault
    return Script(Say("I look."), *turn.calls, *([turn.fault] if turn.fault else []), tokens=TURN)


async def play(graph: Graph) -> Outcome:
    toolset = Toolset()
    outcome = Outcome(None, None, [], [], [])

    def output(job: Job) -> object:
        given = graph.outputs[len(outcome.ran) % len(graph.outputs)]
        outcome.ran.append((job, given))
        return given

    toolset.tools.answers = dict.fromkeys(OFFERED, output)
    request = ChatRequest.model_validate(
        {
            "provider": graph.vendor,
            "model": MODELS[graph.vendor],
            "messages": [{"role": "user", "content": "Hello"}],
            "tools": [
                *({"id": name, "parameters": {"type": "object", "properties": {}}} for name in OFFERED),
                {"id": "forbidden", "usageControl": "none"},
            ],
            "stream": graph.streamed,
        }
    )
    caller: Mapping[str, object] = {"workspaceId": "w", **({"apiKey": CALLERS_SECRET} if graph.own_key else {})}
    stores = Stores(platform={**Stores().platform, **KEYS})
    async with ScriptedProvider(otherwise=lambda *_: Script(Say("Done."), tokens=TURN)) as provider:
        async with gateway(provider, stores, toolset=toolset) as keyway:
            for turn in graph.turns:
                provider.reply(_reply(turn))
            exchange = None
            try:
                exchange = await keyway.open(request, Caller.model_validate(caller), call())
                async for batch in exchange:
                    outcome.told += batch
                    if graph.leaves_after is not None and len(outcome.told) > graph.leaves_after:
                        break
            except KeywayError as error:
                outcome.error = error
            finally:
                if exchange is not None:
                    await exchange.aclose()
        outcome.bodies = [received.body for received in provider.requests]
    if outcome.told and isinstance(outcome.told[-1], Answer):
        outcome.answer = outcome.told[-1]
    return outcome


@settings(max_examples=300, deadline=None)
@given(graphs(st.lists(turns, max_size=5)))
def test_random_tools_keep_the_laws(graph: Graph):
    assert_lawful(graph)


@settings(max_examples=30, deadline=None, phases=[Phase.generate])  # so long a graph takes minutes to shrink
@given(graphs(st.lists(rounds, min_size=MAX_ROUNDS - 2, max_size=MAX_ROUNDS + 2)))
def test_they_keep_them_to_the_last_round(graph: Graph):
    assert_lawful(graph)


def assert_lawful(graph: Graph) -> None:
    with captured() as lines:
        outcome = asyncio.run(play(graph))
    assert_bounded(outcome)
    assert_answered_in_order(graph, outcome)
    assert_conserved(graph, outcome, lines)


def assert_bounded(outcome: Outcome) -> None:
    assert len(outcome.bodies) <= MAX_ROUNDS + 1 + 2, (
        "twenty rounds, one answer, and two tries of a request that failed"
    )
    if outcome.error is not None:
        assert outcome.error.type in (
            "ProviderRejected",
            "ProviderProtocolError",
            "ProviderUnavailable",
            "TooManyToolRounds",
        )
        assert "tool" not in str(outcome.error).lower() or outcome.error.type == "TooManyToolRounds", (
            "the provider found nothing to object to in the history"
        )


def assert_answered_in_order(graph: Graph, outcome: Outcome) -> None:
    """Each request after a round holds one result for each call, in the order of the calls."""
    for body in outcome.bodies[1:]:
        made, answered = _history(graph.vendor, body)
        assert made == answered
    if outcome.answer is not None:
        shown = [each.call.id if isinstance(each, ToolRun) else each.id for each in outcome.answer.tool_calls]
        assert shown == [event.id for event in outcome.told if isinstance(event, ToolCall)]
        said = [said.tool_call_id for said in outcome.answer.messages if said.role == "tool"]
        ran = [each.call.id for each in outcome.answer.tool_calls if isinstance(each, ToolRun)]
        assert said == ran


def _history(vendor: str, body: Any) -> tuple[list[str], list[str]]:
    """Ids of the calls, and of their results."""
    if vendor == "openai":
        items = body["input"]
        made = [item["call_id"] for item in items if item.get("type") == "function_call"]
        return made, [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    blocks = [block for message in body["messages"] for block in message["content"] if isinstance(block, dict)]
    made = [block["id"] for block in blocks if block["type"] == "tool_use"]
    return made, [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]


def assert_conserved(graph: Graph, outcome: Outcome, lines: Lines) -> None:
    """One settlement; what was charged is what the answer says; each run's price is charged or absorbed, once."""
    assert len(lines.exchanges) == 1
    tools = [line for line in lines.metrics if "toolCallId" in line]
    prices = [
        (job.tool, _price(job.tool, output))
        for job, output in outcome.ran
        if job.key is not None and job.key.secret in KEYS.values() and not isinstance(output, Exception)
    ]
    charged, absorbed = _amounts(tools, "CostCharged"), _amounts(tools, "CostAbsorbed")
    assert sorted(charged + absorbed) == sorted((tool, price) for tool, price in prices if price)
    assert not (charged and absorbed)
    assert sorted(line["Tool"] for line in tools if "Used" in line) == sorted(tool for tool, _ in prices)
    unknown = [line["Tool"] for line in lines.named("UnknownModelCost")]
    assert unknown == [tool for tool, price in prices if price is None]
    model = [line for line in lines.metrics if "toolCallId" not in line and line.get("Tool") == MODELS[graph.vendor]]
    assert not (graph.own_key and model)
    if outcome.answer is not None:
        assert lines.charged == outcome.answer.cost.total
        assert sum(amount for _, amount in charged) == (outcome.answer.cost.tool_cost or 0)
    if outcome.error is not None:
        assert not lines.charged, "an exchange that failed charges nothing, for its tools either"
    for line in lines.all:
        assert not any(secret in json.dumps(line) for secret in KEYS.values())


def _price(tool: str, output: Any) -> Decimal | None:
    """What a run on a hosted key costs; ``None`` when its output does not tell."""
    if tool == "search":
        return Decimal("0.005")
    return Decimal("0.0001") * len(output["tiles"]) if isinstance(output, dict) else None


def _amounts(lines: list[Any], metric: str) -> list[tuple[str, Decimal]]:
    return [(line["Tool"], Decimal(str(line[metric][0]))) for line in lines if metric in line]
