"""Reasoning that a provider wants back goes back with the turn that called tools, on every wire that has some."""

from __future__ import annotations

import json

import pytest

from infra.local.provider import Call, Say, Script, Think, words
from tests.exchange.toolset import Toolset
from tests.matrix.not_offered import MODES, Mode, source
from tests.matrix.stage import Stage
from tests.matrix.ways import WAYS, Way
from tests.tool_loop.stories import TURN

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPAQUE = [way for way in WAYS if way.opaque and source(way.id, "tool call", "stream") is None]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", OPAQUE, ids=[way.id for way in OPAQUE])
async def test_it_goes_back_in_every_round(on: Stage, way: Way, mode: Mode):
    for city in ("Paris", "Rome"):
        on.provider.reply(Script(Think("Hm."), Say("I look."), Call("search", {"city": city}), tokens=TURN))
    on.provider.reply(Script(*words("It rains."), tokens=TURN))
    asks = {"messages": [{"role": "user", "content": "Well?"}], "tools": [{"id": "search"}], **way.thinks}
    outcome = await on.ask(way, asks, streamed=mode == "stream", toolset=Toolset())
    assert outcome.error is None
    assert outcome.answer is not None
    assert outcome.answer.content == "It rains."
    first, second, third = (json.dumps(received.body) for received in on.provider.requests)
    for name in way.opaque:
        marked = f'"{name}": '  # as a member: a request may also ask for it by name
        assert (first.count(marked), second.count(marked), third.count(marked)) == (0, 1, 2)
    assert [bool(said.extras) for said in outcome.answer.messages if said.role == "assistant"][:2] == [True, True]
