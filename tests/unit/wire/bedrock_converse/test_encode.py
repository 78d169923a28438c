"""Paths and settings of a request to the Converse API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyway.errors import InvalidRequest
from keyway.wire import bedrock_converse as wire
from tests.unit.wire.bedrock_converse.asking import CLAUDE, LOOK, USER, body, encode, model, turns

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}


def test_the_least_request_sends_nothing_that_was_not_asked_for() -> None:
    assert body() == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


def test_the_id_stands_in_the_path_percent_encoded_once() -> None:
    outgoing = encode()
    assert outgoing.path == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    assert (outgoing.streamed, outgoing.headers) == (False, {"accept": "application/json"})


def test_the_slash_of_an_arn_is_encoded_too() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"
    path = encode(model(arn)).path
    assert path.startswith("/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.")


def test_a_stream_has_a_path_of_its_own() -> None:
    outgoing = encode(stream=True)
    assert outgoing.path.endswith("/converse-stream")
    assert (outgoing.streamed, outgoing.headers) == (True, {"accept": "application/vnd.amazon.eventstream"})


@pytest.mark.parametrize(
    ("asked", "row", "prefix"),
    [({}, {}, "us."), ({"bedrockRegion": "eu-west-1"}, {}, "eu."), ({}, {"region": "ap-south-1"}, "apac.")],
)
def test_the_region_decides_the_profile(asked: dict[str, Any], row: dict[str, Any], prefix: str) -> None:
    assert encode(row=row, **asked).path.startswith(f"/model/{prefix}anthropic.")


def test_a_long_answer_of_claude_is_streamed_unasked() -> None:
    assert encode(maxTokens=21_334).streamed
    assert not encode(maxTokens=21_333).streamed
    assert not encode(model("meta.llama3-3-70b-instruct-v1:0"), maxTokens=30_000).streamed


def test_limits_and_temperature() -> None:
    assert body(maxTokens=100, temperature=0)["inferenceConfig"] == {"maxTokens": 100, "temperature": 0}


def test_the_tools_and_no_choice() -> None:
    silent = {"id": "now"}
    assert body(tools=[LOOK, silent, {"id": "off", "usageControl": "none"}])["toolConfig"] == {
        "tools": [
            {
                "toolSpec": {
                    "name": "look",
                    "description": "Looks.",
                    "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
                }
            },
            {"toolSpec": {"name": "now", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
        ]
    }


def test_tools_that_may_not_be_used_are_left_out() -> None:
    assert "toolConfig" not in body(tools=[{**LOOK, "usageControl": "none"}])


FORCED = {**LOOK, "usageControl": "force"}


@pytest.mark.parametrize(
    ("sent_as", "tools", "choice"),
    [
        (CLAUDE, [FORCED], {"tool": {"name": "look"}}),
        ("amazon.nova-pro-v1:0", [{"id": "now"}, FORCED], {"tool": {"name": "look"}}),
        ("mistral.mistral-large-2407-v1:0", [FORCED], {"any": {}}),
        ("mistral.mistral-large-2407-v1:0", [FORCED, {"id": "now"}], {"tool": {"name": "look"}}),
    ],
)
def test_a_forced_tool(sent_as: str, tools: list[Any], choice: dict[str, Any]) -> None:
    assert body(model(sent_as), tools=tools)["toolConfig"]["toolChoice"] == choice


def test_a_schema_is_sent_as_text_where_it_is_enforced() -> None:
    asked = body(model(structured_outputs=True), responseFormat={"name": "answer", "schema": SCHEMA})
    text_format = asked["outputConfig"]["textFormat"]
    assert text_format["type"] == "json_schema"
    described = text_format["structure"]["jsonSchema"]
    assert described["name"] == "answer"
    assert isinstance(described["schema"], str)
    assert json.loads(described["schema"]) == {
        "type": "object",
        "properties": {"n": {"type": "integer", "description": "minimum: 1"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    assert "system" not in asked


def test_a_schema_is_asked_for_in_words_where_it_is_not_enforced() -> None:
    [system] = body(responseFormat={"schema": SCHEMA}, systemPrompt="Be brief.")["system"]
    assert system["text"].startswith("Be brief.\n\nAnswer with one JSON value")
    assert json.dumps(SCHEMA, separators=(",", ":")) in system["text"]


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        ({"oneOf": [SCHEMA]}, "anyOf"),
        ({"type": "object", "$defs": {"a": {"type": "object"}}, "additionalProperties": True}, "$defs"),
        ({"type": "array", "items": {"type": "object"}, "minItems": 3}, "minItems: 3"),
    ],
)
def test_what_bedrock_cannot_enforce_is_moved_or_told(schema: dict[str, Any], sent: str) -> None:
    asked = body(model(structured_outputs=True), responseFormat={"schema": schema})
    text = asked["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]
    assert sent in text
    assert '"additionalProperties": true' not in text
    assert text.count('"type": "object"') == text.count('"additionalProperties": false')


def fields(**asked: Any) -> Any:
    return body(**asked).get("additionalModelRequestFields")


@pytest.mark.parametrize(("level", "budget"), [("low", 2_048), ("medium", 8_192), ("high", 32_768)])
def test_claude_thinks_within_a_budget(level: str, budget: int) -> None:
    assert fields(thinkingLevel=level) == {"thinking": {"type": "enabled", "budget_tokens": budget}}


@pytest.mark.parametrize("level", ["none", "xhigh", None])
def test_no_level_and_one_that_the_model_lacks_mean_no_thinking(level: str | None) -> None:
    assert fields(thinkingLevel=level) is None


def test_thinking_and_answer_both_fit_into_the_limit() -> None:
    asked = body(thinkingLevel="high", maxTokens=1_000)
    assert asked["inferenceConfig"] == {"maxTokens": 36_864}
    asked = body(model(max_output_tokens=8_000), thinkingLevel="high", maxTokens=1_000)
    assert asked["inferenceConfig"] == {"maxTokens": 8_000}
    assert asked["additionalModelRequestFields"]["thinking"]["budget_tokens"] == 3_904


def test_thinking_excludes_a_temperature_and_a_forced_tool() -> None:
    outgoing = encode(thinkingLevel="low", temperature=0.5, tools=[FORCED])
    asked: Any = outgoing.body
    assert "inferenceConfig" not in asked
    assert "toolChoice" not in asked["toolConfig"]
    (warning,) = outgoing.warnings
    assert "cannot be made to call a tool" in warning


def test_a_model_that_decides_for_itself_is_told_an_effort() -> None:
    assert fields(asked_of=model(adaptive_thinking=True), thinkingLevel="high") == {
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
    }


@pytest.mark.parametrize(
    ("sent_as", "sent"),
    [
        (CLAUDE, {"output_config": {"effort": "high"}}),
        ("openai.gpt-oss-120b-1:0", {"reasoning_effort": "high"}),
        ("qwen.qwen3-32b-v1:0", {"reasoning_config": "high"}),
    ],
)
def test_an_effort_is_told_in_the_vendors_words(sent_as: str, sent: dict[str, Any]) -> None:
    assert fields(asked_of=model(sent_as, reasoning_efforts=("high",)), reasoningEffort="high") == sent


def test_an_effort_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^reasoningEffort: it is not known how"):
        body(model("meta.llama4", reasoning_efforts=("high",)), reasoningEffort="high")


def test_a_tool_loop_that_began_without_reasoning_goes_on_without() -> None:
    asked: list[dict[str, Any]] = [
        USER,
        {"role": "assistant", "content": "", "toolCalls": [{"id": "1", "name": "look"}]},
        {"role": "tool", "toolCallId": "1", "content": "Sun."},
    ]
    assert fields(messages=asked, tools=[LOOK], thinkingLevel="low") is None
    asked += [{"role": "assistant", "content": "Sun."}, USER]
    assert fields(messages=asked, tools=[LOOK], thinkingLevel="low") is not None


def test_system_texts_at_the_start_are_one() -> None:
    asked = body(systemPrompt="One.", messages=[{"role": "system", "content": "Two."}, USER])
    assert asked["system"] == [{"text": "One.\n\nTwo."}]


def test_the_context_is_the_first_turn() -> None:
    assert turns({"role": "assistant", "content": "Ok"}, context="Before.")[0]["content"] == [{"text": "Before."}]


@pytest.mark.parametrize(
    "row", [{"colour": "red"}, {"region": 3}, {"region": ""}, {"on_demand": "x"}, {"on_demand": [1]}]
)
def test_a_dialect_that_is_not_known_is_a_mistake_in_the_catalog(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="bedrock_converse"):
        wire.dialect(row)


def test_a_row_may_name_models_without_a_profile() -> None:
    assert encode(model("moonshot.k2"), row={"on_demand": ["moonshot."]}).path == "/model/moonshot.k2/converse"
