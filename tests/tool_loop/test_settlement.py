"""The streamed tool path is settled like any other, on every wire and at every provider: the table, and its laws.

``python -m tests.tool_loop`` prints the table. For each provider that has tools, streamed and not, every dollar of the
model and of a paid tool is charged once, or absorbed once, and what was charged is what the answer says it cost.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.local.provider import Script, words
from keyway.answer import ToolRun
from keyway.billing.cost import turns_cost
from keyway.events import Usage
from tests.exchange.toolset import Toolset, say
from tests.matrix.not_offered import MODES, Mode
from tests.matrix.stage import CATALOG, Outcome, Stage
from tests.matrix.ways import WAYS, Way
from tests.tool_loop.stories import STORIES, TURN, Story, not_offered

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLOSING = frozenset(
    {
        "azure-openai", "xai", "groq", "ollama", "ollama-cloud", "openrouter", "fireworks", "together", "baseten",
        "litellm",
    }
)  # fmt: skip
"""Providers that take no schema beside tools, so that it is asked for in a turn of its own. xAI's follows the first
round in any case; the others' comes when the model would stop."""

TRACED_AS = {
    "azure-openai": "azure_openai",
    "azure-anthropic": "anthropic",
    "vertex": "google",
    "bedrock": "aws.bedrock",
}
"""What segments call a provider, where that is not its id."""

CELLS = [
    pytest.param(way, story, mode, id=f"{way.id}|{story.name}|{mode}")
    for way in WAYS
    for story in STORIES
    for mode in MODES
    if not_offered(way.id, story.name, mode) is None
]


@pytest.mark.parametrize(("way", "story", "mode"), CELLS)
async def test_cell(on: Stage, way: Way, story: Story, mode: Mode):
    toolset = Toolset()
    toolset.tools.answers = {"search": say({"found": "rain"})}
    replies = story.turns(way)
    closes = story.schema and way.id in CLOSING and way.id != "xai"
    if closes:
        replies.insert(-1, Script(*words("I have found rain."), tokens=TURN))
    for reply in replies:
        on.provider.reply(reply)
    asks = {
        "messages": [{"role": "user", "content": "What about Paris?"}],
        "tools": [{"id": "search"}],
        **story.asks,
    }

    outcome = await on.ask(way, asks, streamed=mode == "stream", toolset=toolset)

    assert (outcome.error and outcome.error.type) == story.error
    turns = story.ledger.turns + closes
    assert_tools(outcome, story)
    assert_model(outcome, way, turns if story.error is None else None)
    assert len(outcome.lines.exchanges) == 1, "one exchange, one settlement, one line"
    if story.error is None:
        assert outcome.answer is not None
        assert outcome.answer.content == story.content
        assert outcome.answer.finish_reason == story.finish_reason
        assert outcome.lines.charged == outcome.answer.cost.total, "conservation, to the last digit"
        models = [each.provider for each in outcome.answer.timing.segments if each.type == "model"]
        assert models == [TRACED_AS.get(way.provider, way.provider)] * turns


def assert_tools(outcome: Outcome, story: Story) -> None:
    """Each dollar that was spent on tools is charged or absorbed, once, whoever's key paid for the model."""
    for metric, expected in (("CostCharged", story.ledger.charged), ("CostAbsorbed", story.ledger.absorbed)):
        lines = [line for line in outcome.lines.named(metric) if line["Tool"] == "search"]
        assert sum(Decimal(str(line[metric][0])) for line in lines) == expected.get("search", 0)
        assert len({line["toolCallId"] for line in lines}) == len(lines)
    if outcome.answer is not None:
        assert outcome.answer.cost.tool_cost == story.ledger.charged["search"]
        runs = [run for run in outcome.answer.tool_calls if isinstance(run, ToolRun)]
        assert [run.cost for run in runs] == [Decimal("0.005")] * len(runs)


def assert_model(outcome: Outcome, way: Way, turns: int | None) -> None:
    """The model's own tokens: all turns together, with the price list's words. ``None``: it failed."""
    model = [line for line in outcome.lines.metrics if line["Tool"] != "search"]
    if way.key != "hosted":
        assert model == []
        return
    names = sorted(name for line in model for name in ("Used", "CostCharged", "CostAbsorbed", "Failed") if name in line)
    if turns is None:
        assert names == ["CostAbsorbed", "Failed", "Used"]
        return
    assert names == ["CostCharged", "Used"]
    price = CATALOG.price(CATALOG.model(CATALOG.provider(way.provider), way.model))
    assert price is not None
    owed = turns_cost([Usage(TURN.input, TURN.output)] * turns, price).total
    assert Decimal(str(next(line for line in model if "CostCharged" in line)["CostCharged"][0])) == owed


async def test_every_provider_that_has_tools_is_in_the_table():
    assert len({cell.values[0].id for cell in CELLS}) == 21
    assert {way.id for way in WAYS} >= CLOSING
