"""The real LiteLLM proxy as an upstream of Keyway: as ``litellm`` over Chat Completions, and as ``anthropic``.

Some of its models answer from its own mocks; behind others stands the scripted provider, so that what LiteLLM makes
of a real stream, of thoughts and of tool calls is seen as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from infra.local.provider import Break, Call, Refusal, Say, ScriptedProvider, Think, Tokens
from keyway.answer import Answer
from keyway.chat import Caller, ChatRequest
from keyway.errors import KeywayError, RateLimited
from keyway.events import TextDelta, Usage
from tests.exchange.harness import call, gateway
from tests.litellm.proxy import MASTER_KEY, NotInstalledError, installed, litellm

# Installing LiteLLM counts towards the first test's time, and its start takes some ten seconds.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

BEHIND = "key-behind-litellm-0123456789"
TOOL = {"id": "weather", "description": "The weather", "parameters": {"type": "object", "properties": {}}}
TOKENS = Tokens(input=100, output=20)
MODELS = {"litellm": "litellm/scripted-chat", "anthropic": "claude-sonnet-4-5"}


@dataclass
class Proxy:
    """What the gateway is pointed at, and what stands behind it."""

    scripted: ScriptedProvider
    base_urls: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="session")
def command():
    try:
        return installed()
    except NotInstalledError as reason:
        pytest.skip(str(reason))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(command, tmp_path_factory):
    async with ScriptedProvider(keys={"openai": {BEHIND}, "anthropic": {BEHIND}}) as scripted:
        chat = {"api_base": scripted.base_urls["openai"], "api_key": BEHIND}
        messages = {"api_base": scripted.base_urls["anthropic"], "api_key": BEHIND}
        mocked = {"model": "openai/gpt-4o-mini", "api_key": "none"}
        called = {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Zürich"}'},
        }
        models = {
            "mocked": {**mocked, "mock_response": "Hello from the proxy."},
            "mocked-call": {**mocked, "mock_response": "", "mock_tool_calls": [called]},
            "limited": {**mocked, "mock_response": "litellm.RateLimitError"},
            "scripted-chat": {"model": "openai/gpt-4.1", **chat},
            "scripted-thinker": {"model": "anthropic/claude-sonnet-4-5", **messages},
            "claude-sonnet-4-5": {"model": "anthropic/claude-sonnet-4-5", **messages},
            "claude-haiku-4-5": {**mocked, "mock_response": "Hello from the proxy."},
        }
        listed = [{"model_name": name, "litellm_params": params} for name, params in models.items()]
        async with litellm(command, listed, tmp_path_factory.mktemp("litellm")) as url:
            yield Proxy(scripted, {"litellm": url, "anthropic": url})


@pytest.fixture
def scripted(proxy):
    yield proxy.scripted
    assert proxy.scripted.forget() == 0


def request(provider: str, model: str, *, stream: bool, **fields: object) -> ChatRequest:
    messages = [{"role": "user", "content": "Hello?"}]
    asked = {"provider": provider, "model": model, "messages": messages, "stream": stream, "maxTokens": 4000}
    return ChatRequest.model_validate({**asked, **fields})


async def ask(proxy: Proxy, asked: ChatRequest, *, key: str = MASTER_KEY) -> tuple[Answer, list[str]]:
    """The whole answer, and the pieces of text in which it came."""
    async with gateway(proxy) as keyway:  # type: ignore[arg-type]
        exchange = await keyway.open(asked, Caller.model_validate({"apiKey": key}), call())
        try:
            if not asked.stream:
                return await exchange.whole(), []
            things = [thing async for batch in exchange for thing in batch]
        finally:
            await exchange.aclose()
    answers = [thing for thing in things if isinstance(thing, Answer)]
    return answers[-1], [thing.text for thing in things if isinstance(thing, TextDelta)]


both = pytest.mark.parametrize("stream", [True, False])
every_way = pytest.mark.parametrize("provider", MODELS)


@both
async def test_a_mocked_chat(proxy, stream):
    answer, pieces = await ask(proxy, request("litellm", "litellm/mocked", stream=stream))
    assert (answer.content, answer.finish_reason) == ("Hello from the proxy.", "stop")
    assert answer.usage is not None
    assert len(pieces) > 1 or not stream


async def test_a_mocked_call(proxy):
    answer, _ = await ask(proxy, request("litellm", "litellm/mocked-call", stream=False, tools=[TOOL]))
    assert [(made.name, made.arguments) for made in answer.tool_calls] == [("weather", {"city": "Zürich"})]
    assert answer.finish_reason == "tool_calls"


async def test_a_mocked_message_comes_whole_although_a_stream_was_asked_for(proxy):
    for stream in (True, False):
        answer, _ = await ask(proxy, request("anthropic", "claude-haiku-4-5", stream=stream))
        assert (answer.content, answer.finish_reason) == ("Hello from the proxy.", "stop")


@every_way
@both
async def test_a_scripted_answer_goes_through_it(proxy, scripted, provider, stream):
    scripted.script(Say("Well "), Say("met, "), Say("Zürich."), tokens=TOKENS)
    answer, pieces = await ask(proxy, request(provider, MODELS[provider], stream=stream))
    assert (answer.content, answer.finish_reason) == ("Well met, Zürich.", "stop")
    assert answer.usage is not None
    assert (answer.usage.input, answer.usage.output) == (100, 20)
    assert len(pieces) > 1 or not stream


@pytest.mark.parametrize(
    ("provider", "model"), [("litellm", "litellm/scripted-thinker"), ("anthropic", "claude-sonnet-4-5")]
)
@both
async def test_thoughts_and_calls_go_through_it(proxy, scripted, provider, model, stream):
    scripted.script(
        Think("Let me "),
        Think("see."),
        Call("weather", {"city": "Zürich"}, id="toolu_1"),
        Call("weather", {"city": "Bern"}, id="toolu_2"),
        tokens=TOKENS,
    )
    answer, _ = await ask(proxy, request(provider, model, stream=stream, tools=[TOOL]))
    assert answer.thinking == "Let me see."
    assert [(made.id, made.arguments) for made in answer.tool_calls] == [
        ("toolu_1", {"city": "Zürich"}),
        ("toolu_2", {"city": "Bern"}),
    ]
    assert answer.finish_reason == "tool_calls"


async def test_a_conversation_with_calls_goes_on_behind_it(proxy, scripted):
    model = "litellm/scripted-thinker"
    scripted.script(Think("Hm."), Call("weather", {}, id="toolu_1"))
    first, _ = await ask(proxy, request("litellm", model, stream=True, tools=[TOOL]))
    calls = [{"id": "toolu_1", "name": "weather", "arguments": {}}]
    messages = [
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": None, "toolCalls": calls, "providerExtras": first.extras},
        {"role": "tool", "toolCallId": "toolu_1", "content": "12 degrees"},
    ]
    scripted.script(Say("Cool."))
    second, _ = await ask(proxy, request("litellm", model, stream=True, tools=[TOOL], messages=messages))
    assert second.content == "Cool."


async def test_a_schema_goes_through_it(proxy, scripted):
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    scripted.script(Say('{"name": "Ada"}'))
    wanted = {"name": "person", "schema": schema, "strict": True}
    answer, _ = await ask(proxy, request("litellm", MODELS["litellm"], stream=True, responseFormat=wanted))
    assert answer.content == '{"name": "Ada"}'


async def test_its_refusals_are_told_for_what_they_are(proxy, scripted):
    with pytest.raises(RateLimited, match="mock rate limit error"):
        await ask(proxy, request("litellm", "litellm/limited", stream=True))
    with pytest.raises(KeywayError, match="Invalid model name"):
        await ask(proxy, request("litellm", "litellm/nobody", stream=True))
    for _ in range(6):
        scripted.reply(Refusal(429, "rate_limit_error", "Slow down"))
    for provider, model in MODELS.items():
        with pytest.raises(RateLimited, match="Slow down"):
            await ask(proxy, request(provider, model, stream=True))
    scripted.forget()


@every_way
async def test_an_error_in_the_middle_is_one_behind_it_too(proxy, scripted, provider):
    scripted.script(Say("Half"), Break("server_error", "boom"))
    with pytest.raises(KeywayError, match="boom"):
        await ask(proxy, request(provider, MODELS[provider], stream=True))


async def test_a_wrong_key_is_refused(proxy):
    with pytest.raises(KeywayError) as refused:
        await ask(proxy, request("litellm", "litellm/mocked", stream=True), key="sk-somebody-elses-0123456789")
    assert "sk-somebody-elses-0123456789" not in str(refused.value)


async def test_usage_that_it_makes_up_is_read_as_reported(proxy):
    answer, _ = await ask(proxy, request("litellm", "litellm/mocked", stream=False))
    assert answer.usage == Usage(input=10, output=20)
