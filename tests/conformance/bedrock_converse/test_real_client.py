"""boto3, the vendor's own client, understands what the scripted provider sends: the fake is a true fake."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from infra.local.provider import Break, Call, Cut, Refusal, Refuse, Say, Script, ScriptedProvider, Step, Think, Tokens
from infra.local.provider.bedrock_converse import PROTOCOL
from infra.local.provider.protocol import Question
from keyway.events import FinishReason, Usage
from keyway.wire import bedrock_converse as wire
from tests.conformance.bedrock_converse.expected import events
from tests.conformance.feeding import outcome

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
STEPS: tuple[Step, ...] = (
    Think("Let me "),
    Think("see."),
    Say("Hel"),
    Say("lo"),
    Call("weather", {"city": "Zürich"}, id="call_1"),
    Call("time", id="call_2"),
)
TOKENS = Tokens(input=100, output=20, cache_read=30, cache_write=8, cache_write_1h=3)
USAGE = {
    "inputTokens": 62,
    "outputTokens": 20,
    "totalTokens": 120,
    "cacheReadInputTokens": 30,
    "cacheWriteInputTokens": 8,
    "cacheDetails": [{"ttl": "5m", "inputTokens": 5}, {"ttl": "1h", "inputTokens": 3}],
}
ASKED: dict[str, Any] = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(keys={"bedrock": ["AKIDEXAMPLE"]}) as running:
        yield running


@pytest.fixture
def client_with(provider: ScriptedProvider) -> Iterator[Callable[[str], Any]]:
    """Makes a client that has the given access key id."""
    with ExitStack() as opened:
        yield lambda access_key_id: opened.enter_context(closing(made(provider, access_key_id)))


@pytest.fixture
def client(client_with: Callable[[str], Any]) -> Any:
    return client_with("AKIDEXAMPLE")


def made(provider: ScriptedProvider, access_key_id: str) -> Any:
    make: Callable[..., Any] = boto3.session.Session().client
    return make(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=provider.base_urls["bedrock"],
        aws_access_key_id=access_key_id,
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


async def converse(client: Any, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = await asyncio.to_thread(client.converse, **ASKED, **more)
    return found


async def converse_stream(client: Any, **more: Any) -> list[dict[str, Any]]:
    def read() -> list[dict[str, Any]]:
        with closing(client.converse_stream(**ASKED, **more)["stream"]) as stream:
            return list(stream)

    return await asyncio.to_thread(read)


async def test_boto3_reads_a_document_as_it_was_scripted(provider: ScriptedProvider, client: Any) -> None:
    provider.script(*STEPS, tokens=TOKENS)

    answer = await converse(client)

    [reasoning, text, *calls] = answer["output"]["message"]["content"]
    assert reasoning["reasoningContent"]["reasoningText"]["text"] == "Let me see."
    assert text == {"text": "Hello"}
    assert calls == [
        {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Zürich"}}},
        {"toolUse": {"toolUseId": "call_2", "name": "time", "input": {}}},
    ]
    assert answer["stopReason"] == "tool_use"
    assert answer["usage"] == USAGE


async def test_boto3_reads_a_stream_as_it_was_scripted(provider: ScriptedProvider, client: Any) -> None:
    provider.script(*STEPS, tokens=TOKENS)

    stream = await converse_stream(client)

    assert [next(iter(event)) for event in stream][:3] == ["messageStart", "contentBlockDelta", "contentBlockDelta"]
    deltas = [event["contentBlockDelta"]["delta"] for event in stream if "contentBlockDelta" in event]
    thought = [delta["reasoningContent"] for delta in deltas if "reasoningContent" in delta]
    assert "".join(delta.get("text", "") for delta in thought) == "Let me see."
    assert thought[-1]["signature"]
    assert [delta["text"] for delta in deltas if "text" in delta] == ["Hel", "lo"]
    assert json.loads("".join(d["toolUse"]["input"] for d in deltas if "toolUse" in d)[: -len("{}")]) == {
        "city": "Zürich"
    }
    starts = [event["contentBlockStart"]["start"] for event in stream if "contentBlockStart" in event]
    assert [start["toolUse"]["toolUseId"] for start in starts] == ["call_1", "call_2"]
    assert stream[-2]["messageStop"]["stopReason"] == "tool_use"
    assert stream[-1]["metadata"]["usage"] == USAGE


async def test_boto3_meets_a_scripted_exception_in_the_stream(provider: ScriptedProvider, client: Any) -> None:
    provider.script(Say("Hel"), Break("throttlingException", "Too many tokens."))

    with pytest.raises(EventStreamError, match=r"throttlingException.*Too many tokens"):
        await converse_stream(client)


async def test_boto3_meets_a_scripted_refusal(provider: ScriptedProvider, client: Any) -> None:
    provider.reply(Refusal(429, "ThrottlingException", "Slow down."))

    with pytest.raises(ClientError) as raised:
        await converse(client)

    assert raised.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Slow down."}


async def test_a_key_that_is_not_known_is_refused(client_with: Callable[[str], Any]) -> None:
    with pytest.raises(ClientError) as raised:
        await converse(client_with("AKIDOTHER"))

    assert raised.value.response["Error"]["Code"] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"messages": [{"role": "assistant", "content": [{"text": "Hi"}]}]}, "must start with a user message"),
        ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "is blank"),
        ({"messages": [{"role": "user", "content": []}]}, "is empty"),
        ({"messages": 2 * ASKED["messages"]}, "must alternate"),
    ],
)
async def test_bedrocks_rules_are_kept_by_the_fake(client: Any, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match=said) as raised:
        await asyncio.to_thread(client.converse, **{**ASKED, **more})

    assert raised.value.response["Error"]["Code"] == "ValidationException"


def scripted(*steps: Step, ending: str = "stop", tokens: Tokens | None = TOKENS) -> tuple[bytes, bytes]:
    """The stream and the document of a script."""
    script = Script(*steps, ending=ending)  # type: ignore[arg-type]
    answer = PROTOCOL.answer(Question(1, "", {}, {}), script, tokens)
    parts = [*answer.begin()]
    for step in steps:
        parts += answer.add(step)  # type: ignore[arg-type]
    parts += answer.finish()
    return b"".join(parts), json.dumps(answer.document()).encode()


@pytest.mark.parametrize("streamed", [True, False])
def test_our_decoder_reads_an_answer_as_it_was_scripted(streamed: bool) -> None:
    body = scripted(*STEPS)[0 if streamed else 1]

    read = outcome(wire.decoder(wire.dialect({}), provider="bedrock"), [body])

    assert (read.thinking, read.text) == ("Let me see.", "Hello")
    assert [(call.id, call.arguments) for call in read.calls] == [("call_1", {"city": "Zürich"}), ("call_2", {})]
    assert read.finished.finish_reason == "tool_calls"
    assert read.finished.usage == Usage(input=100, output=20, cache_read=30, cache_write=8, cache_write_1h=3)


@pytest.mark.parametrize(
    ("steps", "ending", "reason"),
    [
        ([Say("x")], "stop", "stop"),
        ([Say("x")], "length", "length"),
        ([Say("x")], "content_filter", "content_filter"),
        ([Refuse("no")], "stop", "content_filter"),
    ],
)
def test_every_ending_is_read_as_scripted(steps: list[Step], ending: str, reason: FinishReason) -> None:
    for body in scripted(*steps, ending=ending, tokens=None):
        finished = outcome(wire.decoder(wire.dialect({}), provider="bedrock"), [body]).finished
        assert (finished.finish_reason, finished.usage) == (reason, None)


def test_every_field_that_all_recordings_of_an_event_have_is_sent(recordings: Path) -> None:
    real: dict[str, set[str]] = {}
    for path in sorted((recordings / "bedrock_converse").glob("*.eventstream")):
        for name, data in events(path.read_bytes()):
            real[name] = real.get(name, set(data)) & set(data)

    sent = events(scripted(*STEPS)[0])

    assert {name for name, _ in sent} >= set(real)
    for name, data in sent:
        assert set(data) >= real.get(name, set())


async def test_a_stream_that_is_cut_off_is_no_answer(provider: ScriptedProvider, client: Any) -> None:
    provider.reply(Script(Say("Hel"), Cut()))

    stream = await converse_stream(client)

    assert "messageStop" not in stream[-1]
