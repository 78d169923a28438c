"""A host that does not know a field of the protocol is asked once more without it, and remembered for that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import Any

import pytest

from keyway.delivery import Delivery
from keyway.errors import KeywayError, ProviderRejected, ProviderUnavailable
from keyway.http_request import HttpRequest
from keyway.parcel import Parcel
from tests.exchange.parcels import Memory, Pauses, Reply, delivery, parcel

HOST = "https://host.example/v1"


def refused(message: str, status: int = 400, **more: object) -> Reply:
    return Reply(status, json.dumps({"error": {"message": message, **more}}).encode())


class Host:
    """A server that refuses ``fields`` by the first of them that a request has; of one ``model`` only, if named."""

    def __init__(self, *fields: str, model: str | None = None) -> None:
        self._fields: Collection[str] = fields
        self._model = model

    def __call__(self, request: HttpRequest) -> Reply:
        body = json.loads(request.content)
        if self._model in (None, body["model"]):
            for field in self._fields:
                if field in body:
                    return refused(f"Unsupported parameter: {field}", param=field, code="unsupported_parameter")
        return Reply(200)


def chat(model: str = "vllm/llama", *, base_url: str = HOST, **more: Any) -> Parcel:
    said: dict[str, Any] = {"stream": True, "maxTokens": 9, "temperature": 0.5, **more}
    return parcel("vllm", model, base_url=base_url, **said)


async def send(by: Delivery, what: Parcel) -> KeywayError | None:
    try:
        await by.send(what, deadline=asyncio.get_running_loop().time() + 60)
    except KeywayError as error:
        return error
    return None


def bodies(upstream: Memory) -> list[dict[str, object]]:
    return [json.loads(request.content) for request in upstream.sent]


LIMITS = ("max_tokens", "max_completion_tokens")


@pytest.mark.parametrize("field", ["stream_options", "temperature"])
async def test_a_field_that_is_not_known_is_left_out(field):
    upstream, pauses = Memory(Host(field)), Pauses()
    assert await send(delivery(upstream, pauses), chat()) is None
    first, second = bodies(upstream)
    assert field in first
    assert second == {name: value for name, value in first.items() if name != field}
    assert pauses == [], "it is no failure that time would mend"


async def test_a_limit_of_tokens_goes_by_its_other_name():
    upstream = Memory(Host("max_completion_tokens"))
    assert await send(delivery(upstream), chat()) is None
    first, second = bodies(upstream)
    assert first["max_completion_tokens"] == second["max_tokens"] == 9
    assert not set(LIMITS) <= set(second)


async def test_each_field_has_a_try_of_its_own():
    upstream = Memory(Host("stream_options", "max_completion_tokens", "temperature"))
    assert await send(delivery(upstream), chat()) is None
    *_, last = bodies(upstream)
    assert len(upstream.sent) == 4
    assert not {"stream_options", "max_completion_tokens", "temperature"} & set(last)
    assert upstream.closed == 3


async def test_a_host_that_refuses_whatever_it_gets_is_asked_once_for_each_field():
    upstream = Memory(Host("stream_options", *LIMITS, "temperature"))
    error = await send(delivery(upstream), chat())
    assert isinstance(error, ProviderRejected)
    assert len(upstream.sent) == 4, "the limit has two names, and both are refused once"


async def test_what_helped_is_remembered_for_the_host():
    upstream = Memory(Host("stream_options", "max_completion_tokens"))
    by = delivery(upstream)
    await send(by, chat())
    tries = len(upstream.sent)
    assert await send(by, chat()) is None
    assert await send(by, chat(temperature=0.9)) is None
    assert len(upstream.sent) == tries + 2
    for body in bodies(upstream)[tries:]:
        assert "stream_options" not in body
        assert body["max_tokens"] == 9


async def test_another_host_is_not_held_to_it():
    upstream = Memory(lambda request: Host("stream_options")(request) if HOST in request.url else Reply())
    by = delivery(upstream)
    await send(by, chat())
    await send(by, chat(base_url="https://newer.example/v1"))
    assert "stream_options" in bodies(upstream)[-1]


async def test_nor_is_another_model_of_the_same_host():
    """Else a router's other models would lose their temperature, and report no usage, for one that is odd."""
    upstream = Memory(Host("stream_options", "temperature", model="odd"))
    by = delivery(upstream)
    await send(by, chat("vllm/odd"))
    assert len(upstream.sent) == 3
    await send(by, chat("vllm/even"))
    assert {"stream_options", "temperature"} <= set(bodies(upstream)[-1])


async def test_azures_deployments_are_told_apart():
    def host(request: HttpRequest) -> Reply:
        return Host("temperature")(request) if "/odd/" in request.url else Reply()

    def azure(deployment: str) -> Parcel:
        endpoint = f"https://acme.openai.azure.com/openai/deployments/{deployment}/chat/completions"
        return parcel("azure-openai", "azure/gpt-4o", azureEndpoint=endpoint, temperature=0.5)

    upstream = Memory(host)
    by = delivery(upstream)
    await send(by, azure("odd"))
    await send(by, azure("even"))
    await send(by, azure("odd"))
    assert ["temperature" in body for body in bodies(upstream)] == [True, False, True, False]


async def test_what_only_sounds_like_a_refused_field_spoils_nothing_for_others():
    """A caller's words (a model's name, say) may come back in an error; nobody else's request changes for that."""

    def host(request: HttpRequest) -> Reply:
        model = json.loads(request.content)["model"]
        return Reply() if model == "llama" else refused(f"unknown model {model}")

    upstream = Memory(host)
    by = delivery(upstream)
    for _ in range(2):
        assert isinstance(await send(by, chat("vllm/stream_options unsupported")), ProviderRejected)
    assert await send(by, chat()) is None
    assert "stream_options" in bodies(upstream)[-1]
    assert "stream_options" in bodies(upstream)[2], "and the same words are tried anew each time"


async def test_what_is_remembered_is_bounded():
    upstream = Memory(Host("stream_options"))
    by = delivery(upstream)
    await send(by, chat("vllm/first"))
    for number in range(1_000):
        await send(by, chat(f"vllm/m{number}"))
    tries = len(upstream.sent)
    await send(by, chat("vllm/first"))
    assert len(upstream.sent) == tries + 2, "the oldest is forgotten"
    await send(by, chat("vllm/m999"))
    assert len(upstream.sent) == tries + 3


async def test_a_failure_after_it_is_still_tried_again():
    upstream, pauses = (
        Memory([refused("stream_options is not supported"), Reply(500), Reply(500), Reply(500)]),
        Pauses(),
    )
    assert isinstance(await send(delivery(upstream, pauses), chat()), ProviderUnavailable)
    assert (len(upstream.sent), pauses) == (4, [0.5, 1.0])
    assert ["stream_options" in body for body in bodies(upstream)] == [True, False, False, False]


async def test_a_value_that_is_out_of_range_is_no_unknown_field():
    upstream = Memory([refused("temperature must be between 0 and 1")])
    assert isinstance(await send(delivery(upstream), chat()), ProviderRejected)
    assert len(upstream.sent) == 1


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google"])
async def test_a_protocol_that_nobody_imitates_is_spoken_as_it_is(provider):
    upstream = Memory(
        [refused("Unsupported parameter: temperature", param="temperature", code="unsupported_parameter")]
    )
    assert isinstance(await send(delivery(upstream), parcel(provider)), ProviderRejected)
    assert len(upstream.sent) == 1
