from __future__ import annotations

import json
import re
from typing import Any

import pytest

from keyway.errors import InvalidRequest
from keyway.wire import openai_chat as wire
from keyway.wire.openai_chat.structured import schema_waits
from tests.conformance.openai_chat.dialects import DIALECTS
from tests.unit.wire.openai_chat.requests import ASK, LOOK, SCHEMA, body, calling, request, result

FORMAT: dict[str, Any] = {"name": "place", "schema": SCHEMA, "strict": True}
CLOSED = {**SCHEMA, "additionalProperties": False, "required": ["city"]}
NATIVE = ["openai", "azure", "xai", "cerebras", "groq", "mistral", "fireworks", "baseten", "vllm", "litellm"]
IN_WORDS = ["ollama", "ollama-cloud", "together", "openrouter"]
TOGETHER = ["openai", "azure", "cerebras", "groq", "mistral", "vllm"]
HELD_BACK = ["openrouter", "fireworks", "together", "baseten", "ollama", "ollama-cloud", "litellm"]


@pytest.mark.parametrize("provider", NATIVE)
def test_a_schema_is_sent_as_one(provider: str):
    sent = body(provider, responseFormat=FORMAT)["response_format"]

    schema = CLOSED if provider in ("openai", "azure", "litellm") else SCHEMA
    strictness = {} if provider == "fireworks" else {"strict": True}
    assert sent == {"type": "json_schema", "json_schema": {"name": "place", "schema": schema, **strictness}}


def test_a_schema_that_need_not_be_strict_is_sent_as_it_is():
    sent = body("openai", responseFormat={**FORMAT, "strict": False})["response_format"]

    assert sent["json_schema"] == {"name": "place", "schema": SCHEMA, "strict": False}


@pytest.mark.parametrize("provider", IN_WORDS)
def test_where_there_is_none_the_schema_is_put_in_words(provider: str):
    sent = body(provider, ASK, responseFormat=FORMAT)

    assert sent["response_format"] == {"type": "json_object"}
    assert sent["messages"][0] == ASK
    assert sent["messages"][1]["role"] == "user"
    assert json.dumps(SCHEMA, separators=(",", ":")) in sent["messages"][1]["content"]
    assert "provider" not in sent


def test_openrouter_takes_a_schema_for_models_that_have_them_and_then_only_hosts_that_honour_it():
    sent = body("openrouter", responseFormat=FORMAT, structured=True)

    assert sent["response_format"]["json_schema"]["schema"] == SCHEMA
    assert sent["provider"] == {"require_parameters": True}
    assert len(sent["messages"]) == 1
    assert "provider" not in body("openrouter", structured=True)


def test_deepseek_is_not_asked_for_a_schema():
    sent = body("deepseek", responseFormat=FORMAT)

    assert "response_format" not in sent
    assert len(sent["messages"]) == 1


@pytest.mark.parametrize("provider", TOGETHER)
def test_schema_and_tools_go_together(provider: str):
    sent = body(provider, responseFormat=FORMAT, tools=[LOOK])

    assert {"response_format", "tools"} <= set(sent)
    assert not schema_waits(request(responseFormat=FORMAT, tools=[LOOK]), wire.dialect(DIALECTS[provider]))


@pytest.mark.parametrize("provider", HELD_BACK)
def test_a_schema_waits_until_no_tool_is_offered(provider: str):
    sent = body(provider, ASK, responseFormat=FORMAT, tools=[LOOK], structured=True)

    assert "tools" in sent
    assert "response_format" not in sent
    assert len(sent["messages"]) == 1
    dialect = wire.dialect(DIALECTS[provider])
    assert schema_waits(request(responseFormat=FORMAT, tools=[LOOK]), dialect)
    assert not schema_waits(request(responseFormat=FORMAT), dialect)
    assert not schema_waits(request(tools=[LOOK]), dialect)
    closing = body(provider, ASK, responseFormat=FORMAT, tools=[{**LOOK, "usageControl": "none"}], structured=True)
    assert "response_format" in closing


def test_xai_gets_tools_first_and_the_schema_in_their_place_after_a_round():
    settings: dict[str, Any] = {"responseFormat": FORMAT, "tools": [LOOK]}
    round_of_tools = [ASK, calling("call_a"), result("call_a")]
    forced: dict[str, Any] = {**settings, "tools": [{**LOOK, "usageControl": "force"}]}

    first, second, still = (
        body("xai", ASK, **settings),
        body("xai", *round_of_tools, **settings),
        body("xai", *round_of_tools, **forced),
    )
    assert "tools" in first
    assert "response_format" not in first
    assert not {"tools", "tool_choice"} & set(second)
    assert "response_format" in second
    assert "tools" in still
    assert "response_format" not in still
    assert "tools" in body("xai", *round_of_tools, tools=[LOOK])


def test_a_closed_schema_is_closed_all_the_way_down():
    schema = {
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}}}},
            "either": {"anyOf": [{"type": "object", "properties": {}}, {"type": "null"}]},
            "ref": {"$ref": "#/$defs/it"},
        },
        "$defs": {"it": {"type": ["object", "null"], "properties": {"b": True}}},
    }

    sent = body("litellm", responseFormat={**FORMAT, "schema": schema})["response_format"]["json_schema"]["schema"]
    assert sent["required"] == ["list", "either", "ref"]
    inner = sent["properties"]["list"]["items"]
    assert (inner["required"], inner["additionalProperties"]) == (["a"], False)
    assert sent["properties"]["either"]["anyOf"][0]["additionalProperties"] is False
    assert sent["properties"]["either"]["anyOf"][1] == {"type": "null"}
    assert (sent["$defs"]["it"]["required"], sent["$defs"]["it"]["additionalProperties"]) == (["b"], False)


def test_keys_of_any_name_cannot_be_strict():
    schema = {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}}

    with pytest.raises(InvalidRequest, match=re.escape("responseFormat.schema.properties.a.additionalProperties")):
        body("openai", responseFormat={**FORMAT, "schema": schema})
