from __future__ import annotations

from typing import Any

import pytest

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.wire import anthropic_messages as wire
from keyway.wire import registry
from keyway.wire.contract import Outgoing

LOOK = {"id": "look", "parameters": {"properties": {"city": {"type": "string"}}}}
BUDGETED = {"thinking_levels": ("low", "medium", "high"), "max_output_tokens": 64_000, "temperature": (0, 1)}
ADAPTIVE = {**BUDGETED, "adaptive_thinking": True, "thinking_levels": ("low", "max")}
HI = [{"role": "user", "content": "Hi."}]


def encode(model: dict[str, Any] | None = None, dialect: dict[str, str] | None = None, **asked: Any) -> Outgoing:
    row = {"id": "m", "provider": "anthropic", "sent_as": "m", "max_output_tokens": 8_000, **(model or {})}
    asked = {"provider": "anthropic", "model": "m", "messages": HI, **asked}
    return wire.encode(ChatRequest.model_validate(asked), Model(**row), wire.dialect(dialect or {}))


def body(model: dict[str, Any] | None = None, **asked: Any) -> Any:
    return encode(model, **asked).body


def test_the_registry_finds_this_wire() -> None:
    assert registry.wire("anthropic_messages") is wire


def test_only_what_was_asked_for_is_sent() -> None:
    assert body({"temperature": (0, 1)}) == {
        "model": "m",
        "max_tokens": 8_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi."}]}],
    }


def test_the_model_is_named_as_the_provider_knows_it() -> None:
    assert body({"id": "azure-anthropic/m", "sent_as": "m"})["model"] == "m"


def test_max_tokens_is_the_callers_else_the_models_else_4096() -> None:
    assert body(maxTokens=5)["max_tokens"] == 5
    assert body({"max_output_tokens": 64_000})["max_tokens"] == 64_000
    assert body({"max_output_tokens": None})["max_tokens"] == 4_096


def test_temperature_is_sent_only_to_a_model_that_takes_it() -> None:
    assert body({"temperature": (0, 1)}, temperature=0.0)["temperature"] == 0.0
    assert "temperature" not in body(temperature=0.0)


def test_tools_that_are_not_to_be_used_are_not_offered_and_then_there_is_no_choice() -> None:
    assert body(tools=[{**LOOK, "usageControl": "none"}]).keys() == {"model", "max_tokens", "messages"}


def test_the_first_forced_tool_is_the_choice() -> None:
    sent = body(tools=[LOOK, {"id": "b", "usageControl": "force"}, {"id": "c", "usageControl": "force"}])

    assert [tool["name"] for tool in sent["tools"]] == ["look", "b", "c"]
    assert sent["tool_choice"] == {"type": "tool", "name": "b"}


def test_a_tools_schema_is_always_of_an_object() -> None:
    assert body(tools=[LOOK])["tools"] == [
        {"name": "look", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    ]


def test_a_stream_is_asked_for_when_the_caller_wants_one() -> None:
    assert encode(stream=True).streamed
    assert body(stream=True)["stream"] is True
    assert not encode(maxTokens=21_333).streamed


def test_a_host_may_have_its_own_path_and_version() -> None:
    outgoing = encode(dialect={"path": "/x", "version": "v"})

    assert (outgoing.path, outgoing.headers) == ("/x", {"anthropic-version": "v"})


@pytest.mark.parametrize("row", [{"colour": "red"}, {"path": 1}, {"version": ""}])
def test_a_wrong_dialect_flag_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="dialect flag"):
        wire.dialect(row)


def test_the_context_is_the_users_first_word() -> None:
    assert [block["text"] for block in body(context="You see a cat.")["messages"][0]["content"]] == [
        "You see a cat.",
        "Hi.",
    ]


def test_a_schema_that_cannot_be_enforced_is_asked_for_in_the_system_prompt() -> None:
    sent = body(systemPrompt="Be brief.", responseFormat={"schema": {"type": "object", "minProperties": 1}})

    assert "output_config" not in sent
    assert sent["system"].startswith("Be brief.\n\n")
    assert sent["system"].endswith('{"type":"object","minProperties":1}')


def test_an_effort_is_sent_to_a_model_that_lists_it() -> None:
    assert body({"reasoning_efforts": ("low",)}, reasoningEffort="low")["output_config"] == {"effort": "low"}
    assert "output_config" not in body(reasoningEffort="low")


class TestThinking:
    @pytest.mark.parametrize(("level", "budget"), [("low", 2_048), ("medium", 8_192), ("high", 32_768)])
    def test_a_level_is_a_budget(self, level: str, budget: int) -> None:
        assert body(BUDGETED, thinkingLevel=level)["thinking"] == {"type": "enabled", "budget_tokens": budget}

    def test_there_is_room_for_an_answer_beside_the_budget(self) -> None:
        assert body(BUDGETED, thinkingLevel="low", maxTokens=100)["max_tokens"] == 6_144
        assert body(BUDGETED, thinkingLevel="low", maxTokens=10_000)["max_tokens"] == 10_000

    def test_a_budget_fits_a_model_that_cannot_generate_so_much(self) -> None:
        sent = body({**BUDGETED, "max_output_tokens": 32_000}, thinkingLevel="high", maxTokens=100)

        assert sent["max_tokens"] == 32_000
        assert sent["thinking"]["budget_tokens"] == 27_904

    def test_an_adaptive_model_gets_an_effort(self) -> None:
        sent = body(ADAPTIVE, thinkingLevel="max", temperature=0.5, maxTokens=100)

        assert (sent["thinking"], sent["output_config"]) == ({"type": "adaptive"}, {"effort": "max"})
        assert "temperature" not in sent
        assert sent["max_tokens"] == 100

    @pytest.mark.parametrize("level", ["none", "xhigh"])
    def test_none_and_a_level_the_model_lacks_are_off(self, level: str) -> None:
        sent = body(BUDGETED, thinkingLevel=level, temperature=0.5)

        assert "thinking" not in sent
        assert sent["temperature"] == 0.5

    @pytest.mark.parametrize(
        ("model", "extras", "thinks"),
        [
            (BUDGETED, {}, False),
            (BUDGETED, {"anthropic_messages": [{"type": "redacted_thinking", "data": "x"}]}, True),
            (ADAPTIVE, {}, True),
        ],
    )
    def test_a_tool_loop_begun_without_reasoning_goes_on_without(
        self, model: dict[str, Any], extras: dict[str, Any], thinks: bool
    ) -> None:
        call = {"role": "assistant", "toolCalls": [{"id": "a", "name": "look"}]}
        again = {"role": "assistant", "toolCalls": [{"id": "b", "name": "look"}]}
        messages = [
            {"role": "user", "content": "Paris?"},
            {**call, "providerExtras": extras},
            {"role": "tool", "toolCallId": "a", "content": "sunny"},
            again,
            {"role": "tool", "toolCallId": "b", "content": "rain"},
        ]

        assert ("thinking" in body(model, messages=messages, thinkingLevel="low")) is thinks

    def test_an_answer_of_an_earlier_round_does_not_count(self) -> None:
        messages = [
            {"role": "user", "content": "Paris?"},
            {"role": "assistant", "content": "Sunny."},
            {"role": "user", "content": "And Rome?"},
        ]

        assert "thinking" in body(BUDGETED, messages=messages, thinkingLevel="low")
