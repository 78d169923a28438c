"""Every provider, streamed and not, through the gateway: what is asked, played and has to come of it, cell by cell.

The rows are ``ways.py``, the columns ``features.py``, and the cells that a vendor does not offer ``not_offered.py``.
``python -m tests.matrix`` runs the matrix and prints it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

import pytest

from infra.local.provider import Script, words
from infra.local.provider.vendors import VENDORS
from keyway.billing.cost import model_cost
from keyway.catalog import Catalog
from keyway.chat import ChatRequest, Json
from keyway.destination import destination
from keyway.events import ToolCall, ToolCallStarted, TurnFinished
from tests.exchange.harness import SECRETS
from tests.matrix.features import FEATURES, TOKENS, Broken, Feature, Whole, usage
from tests.matrix.not_offered import MODES, NOT_OFFERED, REFUSED_HERE, Mode, source
from tests.matrix.stage import AWS_SECRET, CATALOG, KNOWN, Outcome, Stage, caller_with
from tests.matrix.ways import WAYS, Way

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION: Json = {"messages": [{"role": "user", "content": "What about Paris?"}]}
CELLS = [(way, feature, mode) for way in WAYS for mode in MODES for feature in FEATURES]
RUN = [cell for cell in CELLS if source(cell[0].id, cell[1].name, cell[2]) is None]
HOSTED = [way for way in WAYS if way.key == "hosted"]


def named(cells):
    return [pytest.param(*cell, id=f"{cell[0].id}|{cell[1].name}|{cell[2]}") for cell in cells]


by_way = pytest.mark.parametrize("way", [pytest.param(way, id=way.id) for way in WAYS])
by_mode = pytest.mark.parametrize("mode", MODES)


@pytest.mark.parametrize(("way", "feature", "mode"), named(RUN))
async def test_cell(on: Stage, way: Way, feature: Feature, mode: Mode):
    expected = feature.comes_to
    tries = expected.tries if isinstance(expected, Broken) else 1
    for _ in range(tries):
        on.provider.reply(feature.play(way))

    asked = {**QUESTION, **(way.thinks if feature.thinks else {}), **feature.asks}
    outcome = await on.ask(way, asked, streamed=mode == "stream")

    assert [received.provider for received in on.provider.requests] == [way.provider] * tries
    for received in on.provider.requests:
        assert received.key == KNOWN[way.key]
        assert feature.sent in json.dumps(received.body)
    if isinstance(expected, Whole):
        is_whole(outcome, expected, way)
    else:
        is_broken(outcome, expected, way, mode)
    assert not [secret for secret in (*SECRETS, AWS_SECRET) if secret in outcome.lines.text]


def is_whole(outcome: Outcome, expected: Whole, way: Way) -> None:
    assert outcome.error is None
    answer = outcome.answer
    assert answer is not None
    assert (outcome.text, outcome.thinking) == (answer.content, answer.thinking) == (expected.text, expected.thinking)
    calls = [event for event in outcome.events if isinstance(event, ToolCall)]
    assert tuple(calls) == answer.tool_calls
    assert tuple((call.name, call.arguments) for call in calls) == expected.calls
    assert not [call for call in calls if call.malformed is not None]
    started = [event for event in outcome.events if isinstance(event, ToolCallStarted)]
    assert [(event.id, event.name) for event in started] == [(call.id, call.name) for call in calls]
    assert len({call.id for call in calls}) == len(calls)
    assert [event for event in outcome.events if isinstance(event, TurnFinished)] == [outcome.events[-1]]
    assert (answer.finish_reason, answer.usage) == (expected.finish_reason, usage(way))
    assert (answer.origin, answer.key is None) == (_origin(way), way.key != "hosted")
    is_charged(outcome, way)


def is_charged(outcome: Outcome, way: Way) -> None:
    """The price of the model by the tokens told, once, and only where a platform key paid."""
    answer = outcome.answer
    assert answer is not None
    assert [line["ending"] for line in outcome.lines.exchanges] == ["completed"]
    if way.key != "hosted":
        assert outcome.lines.metrics == []
        assert answer.cost.total == 0
        return
    model = CATALOG.model(CATALOG.provider(way.provider), answer.model)
    price = CATALOG.price(model)
    assert price is not None
    assert answer.cost == model_cost(usage(way), price, multiplier=Decimal(1))
    assert answer.cost.total > 0
    assert [_metric(line) for line in outcome.lines.metrics] == ["Used", "CostCharged"]
    assert outcome.lines.charged == answer.cost.total
    for line in outcome.lines.metrics:
        assert (line["Provider"], line["Tool"]) == (way.provider, model.id)


def is_broken(outcome: Outcome, expected: Broken, way: Way, mode: Mode) -> None:
    assert outcome.error is not None
    assert (outcome.error.type, outcome.error.provider) == (expected.error, way.provider)
    assert outcome.answer is None
    if mode == "stream":
        assert outcome.text == expected.text
    [line] = outcome.lines.exchanges
    assert (line["ending"], line["error"], line["cost"]) == ("failed", expected.error, "0")
    metrics = [_metric(line) for line in outcome.lines.metrics]
    if way.key != "hosted":
        assert metrics == []
        return
    assert metrics.count("Failed") == 1
    assert ("Used" in metrics) == bool(outcome.events)
    assert "CostCharged" not in metrics
    [failed] = outcome.lines.named("Failed")
    assert failed["Reason"] == ("rate_limited" if expected.error == "RateLimited" else "other")


def _metric(line: Mapping[str, object]) -> str:
    [name] = {"Used", "CostCharged", "CostAbsorbed", "Failed"} & set(line)
    return name


def _origin(way: Way) -> str:
    return {"hosted": "hosted", "caller": "caller", "aws": "caller", "none": "none"}[way.key]


@by_mode
@pytest.mark.parametrize("way", [pytest.param(way, id=way.id) for way in HOSTED])
async def test_with_the_flag_off_the_order_of_old_decides_who_pays(on: Stage, way: Way, mode: Mode):
    if way.legacy is not None:
        on.provider.reply(Script(*words("Hello."), tokens=TOKENS))
    outcome = await on.ask(way, QUESTION, streamed=mode == "stream", flag=False)

    if way.legacy is None:
        assert outcome.error is not None
        assert outcome.error.type == "KeyRequired"
        assert not on.provider.requests
        return
    assert outcome.answer is not None
    assert outcome.answer.origin == way.legacy
    assert outcome.lines.metrics == []


@by_way
async def test_a_callers_wrong_key_is_the_callers_affair_and_is_never_shown(on: Stage, way: Way):
    wrong = "sk-wrong-00001111222233334444"
    fields = {"bedrockAccessKeyId": "AKIDWRONG"} if way.key == "aws" else {}
    if way.key == "none":
        pytest.skip('Ollama, "OpenAI compatibility": a key is required but ignored')
    outcome = await on.ask(way, {**QUESTION, **fields}, streamed=True, caller=caller_with(wrong))

    assert outcome.error is not None
    assert (outcome.error.type, outcome.error.status) == ("AuthFailed", 401)
    assert wrong not in outcome.error.message + outcome.lines.text
    assert AWS_SECRET not in outcome.error.message + outcome.lines.text


@pytest.mark.parametrize(("provider", "feature"), sorted(REFUSED_HERE))
async def test_what_is_not_offered_is_refused_before_it_is_sent(on: Stage, provider: str, feature: str):
    [way] = [way for way in WAYS if way.id == provider]
    [column] = [column for column in FEATURES if column.name == feature]
    outcome = await on.ask(way, {**QUESTION, **column.asks}, streamed=True)

    assert outcome.error is not None
    assert outcome.error.type == "InvalidRequest"
    assert not on.provider.requests


async def test_every_provider_of_the_catalog_has_a_row_in_each_of_its_protocols():
    offered = {
        (provider.id, wire)
        for provider in Catalog.load().providers()
        for wire in (provider.wire, *provider.other_wires)
    }
    assert len({provider for provider, _ in offered}) == 20
    assert {(way.provider, way.wire) for way in WAYS} == offered


async def test_every_provider_can_be_played():
    assert {way.provider for way in WAYS} <= set(VENDORS), "not yet scripted"


async def test_a_cell_is_run_or_not_offered_and_nothing_is_listed_in_vain():
    ways, features = {way.id for way in WAYS}, {feature.name for feature in FEATURES}
    assert len(ways) == len(WAYS)
    assert len(features) == len(FEATURES) == 11
    for (way, feature, mode), written in NOT_OFFERED.items():
        assert way in ways
        assert feature in features
        assert mode in (*MODES, None)
        assert written.strip()
        assert mode is None or (way, feature, None) not in NOT_OFFERED
    missing = sum(2 if mode is None else 1 for _, _, mode in NOT_OFFERED)
    assert (len(CELLS), len(RUN)) == (len(ways) * 2 * 11, len(ways) * 2 * 11 - missing)


@by_way
async def test_a_row_names_the_protocol_that_is_really_spoken(on: Stage, way: Way):
    """And the eight hosted providers are asked with a platform key."""
    provider = CATALOG.provider(way.provider)
    model = CATALOG.model(provider, way.model)
    base_urls = {way.provider: on.provider.base_urls[way.provider] + way.address}
    request = ChatRequest.model_validate({"provider": way.provider, "model": way.model, **way.asks, **QUESTION})
    assert destination(provider, model, CATALOG.spoken(provider, model), request, base_urls).wire == way.wire
    assert (way.key == "hosted") == (provider.hosting is not None)
