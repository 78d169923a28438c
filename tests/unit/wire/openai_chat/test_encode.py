from __future__ import annotations

import pytest

from keyway.wire import openai_chat as wire
from tests.conformance.openai_chat.dialects import DIALECTS
from tests.unit.wire.openai_chat.requests import LOOK, MODEL, NOW, body, calling, request, result


def test_nothing_is_sent_that_was_not_asked_for():
    assert body("openai") == {
        "model": "sent-m",
        "messages": [{"role": "user", "content": "Where?"}],
        "stream": False,
    }


@pytest.mark.parametrize("provider", DIALECTS)
def test_a_stream_is_asked_for_its_usage_by_everybody_but_mistral(provider: str):
    sent = body(provider, stream=True)

    assert sent["stream"] is True
    assert sent.get("stream_options") == (None if provider == "mistral" else {"include_usage": True})


@pytest.mark.parametrize("provider", DIALECTS)
def test_the_limit_of_tokens_has_the_name_the_vendor_knows(provider: str):
    new = {"openai", "azure", "xai", "cerebras", "groq", "vllm", "litellm", "google"}
    limits = {key: value for key, value in body(provider, maxTokens=99).items() if "tokens" in key}

    assert limits == {"max_completion_tokens" if provider in new else "max_tokens": 99}


@pytest.mark.parametrize(("provider", "path"), [("openai", "/chat/completions"), ("mistral", "/v1/chat/completions")])
def test_the_path_is_the_dialects(provider: str, path: str):
    outgoing = wire.encode(request(stream=True), MODEL, wire.dialect(DIALECTS[provider]))

    assert (outgoing.path, outgoing.streamed, outgoing.headers) == (path, True, {})


def test_settings_of_thought_and_style():
    settings = {"temperature": 0.5, "reasoningEffort": "low", "verbosity": "high"}

    assert {key: value for key, value in body("openai", **settings).items() if key not in ("model", "messages")} == {
        "stream": False,
        "temperature": 0.5,
        "reasoning_effort": "low",
        "verbosity": "high",
    }
    assert "reasoning_effort" not in body("openai", reasoningEffort="auto")
    assert "verbosity" not in body("openai", verbosity="auto")


def test_openrouter_takes_the_effort_in_an_object():
    sent = body("openrouter", reasoningEffort="high")

    assert sent["reasoning"] == {"effort": "high"}
    assert "reasoning_effort" not in sent


def test_an_effort_is_left_out_where_the_dialect_says_so():
    outgoing = wire.encode(request(reasoningEffort="low"), MODEL, wire.dialect({"reasoning_effort": "omitted"}))

    assert not {"reasoning", "reasoning_effort"} & set(outgoing.body)


def test_a_reasoning_format_goes_along_with_an_effort_only():
    groq = wire.dialect({**DIALECTS["groq"], "reasoning_format": "parsed"})

    assert wire.encode(request(reasoningEffort="low"), MODEL, groq).body["reasoning_format"] == "parsed"
    assert "reasoning_format" not in wire.encode(request(), MODEL, groq).body


@pytest.mark.parametrize(("level", "switch"), [("none", "disabled"), ("enabled", "enabled"), ("high", "enabled")])
def test_deepseek_has_a_switch_for_thinking(level: str, switch: str):
    assert body("deepseek", thinkingLevel=level)["thinking"] == {"type": switch}
    assert "thinking" not in body("deepseek")
    assert "thinking" not in body("openai", thinkingLevel=level)


def test_tools_are_described_and_the_choice_is_the_models():
    sent = body("openai", tools=[LOOK, NOW, {"id": "never", "usageControl": "none"}])

    assert sent["tools"] == [
        {
            "type": "function",
            "function": {"name": "look", "description": "Looks.", "parameters": LOOK["parameters"]},
        },
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
    ]
    assert sent["tool_choice"] == "auto"


def test_tools_without_one_that_may_be_called_are_not_mentioned():
    assert not {"tools", "tool_choice"} & set(body("openai", tools=[{**LOOK, "usageControl": "none"}]))


@pytest.mark.parametrize(
    ("word", "choice", "offered"),
    [
        ("named", {"type": "function", "function": {"name": "now"}}, ["look", "now"]),
        ("required", "required", ["now"]),
        ("any", "any", ["now"]),
        ("auto", "auto", ["look", "now"]),
    ],
)
def test_a_forced_tool_is_asked_for_in_the_words_of_the_dialect(word: str, choice: object, offered: list[str]):
    asked = request(tools=[LOOK, {**NOW, "usageControl": "force"}])
    sent = wire.encode(asked, MODEL, wire.dialect({"forced_tool": word})).body

    assert sent["tool_choice"] == choice
    assert isinstance(sent["tools"], list)
    assert [tool["function"]["name"] for tool in sent["tools"]] == offered


@pytest.mark.parametrize("provider", ["ollama", "ollama-cloud"])
def test_ollama_cannot_be_forced(provider: str):
    assert body(provider, tools=[{**LOOK, "usageControl": "force"}])["tool_choice"] == "auto"


def test_litellm_is_told_the_tools_of_a_history_that_has_calls():
    closed = [{**LOOK, "usageControl": "none"}]
    history = [calling("call_a"), result("call_a")]

    sent = body("litellm", *history, tools=closed)
    assert (sent["tool_choice"], sent["parallel_tool_calls"]) == ("none", False)
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["look"]
    assert body("litellm", *history)["tools"] == [
        {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    ]
    assert "tools" not in body("litellm", tools=closed)
    assert "tools" not in body("vllm", *history, tools=closed)
