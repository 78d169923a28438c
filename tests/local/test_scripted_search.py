"""The scripted search API: keys, planned answers, gates, and what it remembers; over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from infra.local.provider import Gate
from infra.local.search import ScriptedSearch

KEY = "good-key-0123456789"
BEARER = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
async def search() -> AsyncIterator[ScriptedSearch]:
    async with ScriptedSearch(keys={KEY}) as search:
        yield search


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def test_search_makes_results_up_and_remembers_what_it_was_asked(
    search: ScriptedSearch, client: httpx.AsyncClient
) -> None:
    found = await client.get(f"{search.url}/v1/search", params={"query": "a gateway?"}, headers=BEARER)
    posted = await client.post(f"{search.url}/v1/search", json={"query": "another"}, headers=BEARER)
    assert [set(result) for result in found.json()["results"]] == [{"title", "url", "snippet"}] * 3
    assert found.json()["usage"] == {"searches": 1, "results": 3}
    assert "another" in posted.json()["results"][0]["title"]
    first, second = search.requests
    assert (first.method, first.path, first.query, first.body) == ("GET", "/v1/search", {"query": "a gateway?"}, None)
    assert (second.method, second.body, second.key, second.status) == ("POST", {"query": "another"}, KEY, 200)
    assert await second.ended() == "answered"


async def test_search_refuses_unknown_keys_and_keeps_what_is_planned_for_good_ones(
    search: ScriptedSearch, client: httpx.AsyncClient
) -> None:
    search.reply(200, {"planned": True})
    for headers in ({}, {"authorization": "Bearer wrong-key-0123456789"}):
        refused = await client.get(f"{search.url}/v1/search?query=x", headers=headers)
        assert (refused.status_code, refused.json()["error"]["type"]) == (401, "invalid_api_key")
        assert "wrong-key-0123456789" not in refused.text
    assert (await client.get(f"{search.url}/elsewhere", headers=BEARER)).json() == {"planned": True}
    assert (await client.get(f"{search.url}/elsewhere", headers=BEARER)).status_code == 404
    assert (await client.get(f"{search.url}/v1/search", headers=BEARER)).status_code == 400


async def test_search_answers_as_planned_in_order_and_by_what_is_asked(
    search: ScriptedSearch, client: httpx.AsyncClient
) -> None:
    search.reply(503, asked="second")
    search.reply(429, headers={"retry-after": "7"})
    search.reply(200, b"<html>")
    search.reply(200, lambda request: {"key": request.key})
    answers = [
        await client.get(f"{search.url}/v1/search?query={query}", headers=BEARER)
        for query in ("first", "second", "third", "fourth")
    ]
    assert [answer.status_code for answer in answers] == [429, 503, 200, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[0].json() == {"error": {"type": "too_many_requests", "message": "Too Many Requests"}}
    assert (answers[2].content, answers[3].json()) == (b"<html>", {"key": KEY})
    search.reply(500)
    assert (search.forget(), search.forget()) == (1, 0)


async def test_search_waits_at_a_gate_and_hangs_up(search: ScriptedSearch, client: httpx.AsyncClient) -> None:
    gate = Gate()
    search.reply(gate=gate)
    search.hang_up()
    waiting = asyncio.create_task(client.get(f"{search.url}/v1/search?query=x", headers=BEARER))
    await gate.reached()
    assert search.requests[0].outcome is None
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(f"{search.url}/v1/search?query=x", headers=BEARER)
    gate.open()
    assert (await waiting).status_code == 200
    assert [await request.ended() for request in search.requests] == ["answered", "hung up"]
