"""Every provider of the catalog can be played, and what is played is read by our decoders as it was scripted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from urllib.parse import urlsplit

import pytest

from infra.local.provider import Break, Call, Refuse, Say, Script, ScriptedProvider, Step, Think, Tokens
from infra.local.provider.protocol import Question, WireProtocol
from infra.local.provider.vendors import VENDORS
from keyway.errors import KeywayError
from keyway.events import Event, TextDelta, ThinkingDelta, ToolCall, TurnFinished, Usage
from keyway.wire.registry import wire

CATALOG: Mapping[str, dict] = json.loads((resources.files("keyway.catalog") / "providers.json").read_text())
TOKENS = Tokens(input=100, output=20, cache_read=30, reasoning=4)
STEPS: tuple[Step, ...] = (
    Think("Let me "),
    Think("see."),
    Say("Hel"),
    Say("lo"),
    Call("weather", {"city": "Zürich"}, id="call_0001"),
    Call("time", id="call_0002"),
)

SHOWS_NO_REASONING = {("openai", "openai_chat"), ("azure-openai", "openai_chat")}
COUNTS_NO_CACHE = {"ollama", "ollama-cloud", "together", "baseten", "vllm"}
COUNTS_NO_REASONING = {"bedrock", "mistral", "fireworks", *COUNTS_NO_CACHE}
AGENTS = "google_interactions"
"""The wire of agents, which call no functions of ours and whose refusal is a report like any other."""

PATHS = {
    "anthropic_messages": "/v1/messages",
    "bedrock_converse": "/model/some-model/converse-stream",
    "gemini_generate": "/models/gemini-3-flash-preview:streamGenerateContent",
    "google_interactions": "/interactions",
    "openai_chat": "/chat/completions",
    "openai_responses": "/responses",
}


def spoken() -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Each provider with each of its wires and the dialect there; OpenAI's chat is everybody else's model."""
    for provider, row in CATALOG.items():
        yield provider, row["wire"], row.get("dialect", {})
        for name, dialect in row.get("otherWires", {}).items():
            yield provider, name, dialect
    yield "openai", "openai_chat", {}


def each(*, agents: bool = True) -> pytest.MarkDecorator:
    chosen = [one for one in spoken() if agents or one[1] != AGENTS]
    return pytest.mark.parametrize(
        ("provider", "name", "dialect"), [pytest.param(*one, id=f"{one[0]}-{one[1]}") for one in chosen]
    )


every_vendor = each()
every_model = each(agents=False)


def protocol_of(provider: str, name: str) -> WireProtocol:
    """The protocol by the place it has in our package, told by the answers it makes."""
    answers = {
        "anthropic_messages": "MessagesAnswer",
        "bedrock_converse": "ConverseAnswer",
        "gemini_generate": "GeminiAnswer",
        "google_interactions": "InteractionAnswer",
        "openai_chat": "ChatAnswer",
        "openai_responses": "ResponsesAnswer",
    }
    question = Question(1, PATHS[name], {}, {"model": "some-model"})
    made = [(each, each.answer(question, Script(), None)) for each in VENDORS[provider].protocols]
    return next(each for each, answer in made if type(answer).__name__ == answers[name])


def played(protocol: WireProtocol, name: str, steps: Iterable[Step], *, ending: str = "stop", tokens=TOKENS):
    body = {"model": "gemini-3-flash-preview", "stream_options": {"include_usage": True}}
    question = Question(1, PATHS[name], {}, body)
    script = Script(*steps, ending=ending)  # type: ignore[arg-type]
    answer = protocol.answer(question, script, tokens)
    parts = [*answer.begin()]
    for step in script.steps:
        parts += answer.interrupt(step) if isinstance(step, Break) else answer.add(step)  # type: ignore[arg-type]
        if isinstance(step, Break):
            return b"".join(parts), answer.document()
    return b"".join([*parts, *answer.finish()]), answer.document()


def decoded(provider: str, name: str, dialect: Mapping[str, object], body: bytes) -> list[Event]:
    speaker = wire(name)
    decoder = speaker.decoder(speaker.dialect(dialect), provider=provider, structured=True)
    return [*decoder.feed(body), *decoder.end()]


def steps_for(name: str) -> list[Step]:
    return [step for step in STEPS if not (isinstance(step, Call) and name == AGENTS)]


def text_of(events: Iterable[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def usage_told(provider: str) -> Usage:
    cache = 0 if provider in COUNTS_NO_CACHE else TOKENS.cache_read
    reasoning = 0 if provider in COUNTS_NO_REASONING else TOKENS.reasoning
    return Usage(input=100, output=20, cache_read=cache, reasoning=reasoning)


def test_every_provider_of_the_catalog_is_played() -> None:
    assert set(VENDORS) == set(CATALOG)


async def test_each_base_url_ends_like_the_real_one() -> None:
    async with ScriptedProvider() as provider:
        for name, url in provider.base_urls.items():
            real = CATALOG[name].get("baseUrl")
            if real is not None:
                assert url.removeprefix(f"{provider.url}/{name}") == urlsplit(real).path


@every_vendor
def test_our_decoder_reads_a_stream_as_it_was_scripted(provider, name, dialect) -> None:
    stream, _ = played(protocol_of(provider, name), name, steps_for(name))
    events = decoded(provider, name, dialect, stream)
    thoughts = "".join(event.text for event in events if isinstance(event, ThinkingDelta))
    assert thoughts.strip() == ("" if (provider, name) in SHOWS_NO_REASONING else "Let me see.")
    assert text_of(events) == "Hello"
    calls = [(call.id, call.name, call.arguments) for call in events if isinstance(call, ToolCall)]
    finished = events[-1]
    assert isinstance(finished, TurnFinished)
    if name == AGENTS:
        assert finished.finish_reason == "stop"
    else:
        assert calls == [("call_0001", "weather", {"city": "Zürich"}), ("call_0002", "time", {})]
        assert finished.finish_reason == "tool_calls"
    assert finished.usage == usage_told(provider)


@every_vendor
def test_a_document_says_the_same_as_the_stream(provider, name, dialect) -> None:
    def meaning(events: list[Event]) -> tuple[object, ...]:
        thoughts = "".join(event.text for event in events if isinstance(event, ThinkingDelta))
        calls = [event for event in events if isinstance(event, ToolCall)]
        last = events[-1]
        assert isinstance(last, TurnFinished)
        return text_of(events), thoughts.strip(), calls, last.finish_reason, last.usage

    protocol = protocol_of(provider, name)
    stream, document = played(protocol, name, steps_for(name))
    whole = protocol.before_document + json.dumps(document).encode()
    assert meaning(decoded(provider, name, dialect, whole)) == meaning(decoded(provider, name, dialect, stream))


@every_vendor
@pytest.mark.parametrize("ending", ["stop", "length", "content_filter"])
def test_every_ending_is_read_as_scripted(provider, name, dialect, ending) -> None:
    stream, _ = played(protocol_of(provider, name), name, [Say("x")], ending=ending)
    if (name, ending) == (AGENTS, "content_filter"):
        with pytest.raises(KeywayError):
            decoded(provider, name, dialect, stream)
        return
    last = decoded(provider, name, dialect, stream)[-1]
    assert isinstance(last, TurnFinished)
    assert last.finish_reason == ending


@every_model
def test_a_refusal_is_read_as_filtered_content(provider, name, dialect) -> None:
    stream, _ = played(protocol_of(provider, name), name, [Refuse("I would "), Refuse("rather not.")])
    last = decoded(provider, name, dialect, stream)[-1]
    assert isinstance(last, TurnFinished)
    assert last.finish_reason == "content_filter"


@every_vendor
@pytest.mark.parametrize("form", ["flat", "nested", "final"])
def test_an_error_in_the_middle_is_read_as_one(provider, name, dialect, form) -> None:
    stream, _ = played(protocol_of(provider, name), name, [Say("x"), Break("INTERNAL", "boom", form)])
    with pytest.raises(KeywayError, match=r"boom|interaction is failed|internal") as raised:
        decoded(provider, name, dialect, stream)
    assert provider in str(raised.value)


@every_vendor
def test_without_tokens_the_usage_is_unknown(provider, name, dialect) -> None:
    stream, _ = played(protocol_of(provider, name), name, [Say("x")], tokens=None)
    last = decoded(provider, name, dialect, stream)[-1]
    assert isinstance(last, TurnFinished)
    assert last.usage is None


@pytest.mark.parametrize("provider", ["deepseek", "vllm", "litellm"])
def test_json_comes_in_a_fence_where_hosts_fence_it(provider: str) -> None:
    stream, document = played(protocol_of(provider, "openai_chat"), "openai_chat", [Say('{"a":'), Say("1}")])
    assert b"```json" in stream
    assert "```json" in json.dumps(document)
    assert json.loads(text_of(decoded(provider, "openai_chat", CATALOG[provider]["dialect"], stream))) == {"a": 1}
