"""Settings, tools and schemas of a request, as bodies that stand literally in the test."""

from __future__ import annotations

from typing import Any

import pytest

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.wire import gemini_generate as wire
from keyway.wire.contract import Outgoing

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
LOOK = {"id": "look", "description": "Looks.", "parameters": {**SCHEMA, "additionalProperties": False}}
LEVELS = ("minimal", "low", "medium", "high")


def model(sent_as: str = "gemini-3-flash-preview", levels: tuple[str, ...] = ()) -> Model:
    return Model(id=sent_as, provider="google", sent_as=sent_as, thinking_levels=levels)


def encode(of: Model | None = None, row: dict[str, str] | None = None, **asked: Any) -> Outgoing:
    request = ChatRequest.model_validate(
        {"provider": "google", "model": "m", "messages": [{"role": "user", "content": "Hi"}], **asked}
    )
    return wire.encode(request, of or model(), wire.dialect(row or {}))


def body(of: Model | None = None, **asked: Any) -> Any:
    return encode(of, **asked).body


def test_a_plain_request_holds_nothing_that_was_not_asked_for() -> None:
    outgoing = encode()

    assert outgoing.body == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    assert outgoing.path == "/models/gemini-3-flash-preview:generateContent"
    assert (outgoing.streamed, outgoing.headers) == (False, {})


def test_a_stream_is_asked_for_in_the_path_only() -> None:
    outgoing = encode(stream=True)

    assert outgoing.path == "/models/gemini-3-flash-preview:streamGenerateContent?alt=sse"
    assert outgoing.streamed
    assert outgoing.body == encode().body


def test_a_hosts_path_keeps_the_placeholders_that_are_not_ours() -> None:
    row = {"path": "/projects/{project}/locations/{location}/publishers/google/models/{model}"}
    outgoing = encode(row=row, vertexProject="p", vertexLocation="europe-west4")

    assert outgoing.path == (
        "/projects/{project}/locations/{location}/publishers/google/models/gemini-3-flash-preview:generateContent"
    )


def test_a_models_name_cannot_change_the_path() -> None:
    assert encode(model("a/../b?c#{project}")).path == "/models/a%2F..%2Fb%3Fc%23%7Bproject%7D:generateContent"


@pytest.mark.parametrize("row", [{"paths": "/{model}"}, {"path": "/models"}, {"path": 3}])
def test_an_unknown_or_unusable_flag_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="gemini_generate"):
        wire.dialect(row)


def test_numbers_are_sent_as_they_came() -> None:
    sent = body(temperature=0.0, maxTokens=1, systemPrompt="Be brief.")

    assert sent["generationConfig"] == {"temperature": 0.0, "maxOutputTokens": 1}
    assert sent["systemInstruction"] == {"parts": [{"text": "Be brief."}]}


@pytest.mark.parametrize(
    ("name", "levels", "level", "config"),
    [
        ("gemini-3-flash-preview", LEVELS, "low", {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("gemini-3.5-flash", LEVELS, "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        ("gemini-flash-latest", LEVELS, "high", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-3-flash-preview", LEVELS, "none", None),
        ("gemini-3-flash-preview", (), "low", None),
        ("gemini-2.5-flash", LEVELS, "medium", {"thinkingBudget": 8_192, "includeThoughts": True}),
        ("gemini-2.5-flash", LEVELS, "none", {"thinkingBudget": 0, "includeThoughts": False}),
        ("gemini-2.5-flash", (), "low", None),
        ("gemini-2.5-flash", (), "none", None),
    ],
)
def test_a_thinking_level_is_a_level_or_a_budget_by_generation(
    name: str, levels: tuple[str, ...], level: str, config: dict[str, Any] | None
) -> None:
    sent = body(model(name, levels), thinkingLevel=level)

    assert sent.get("generationConfig", {}).get("thinkingConfig") == config


def test_tools_are_declared_in_json_schema() -> None:
    sent = body(tools=[LOOK, {"id": "now"}])

    assert sent["tools"] == [
        {
            "functionDeclarations": [
                {"name": "look", "description": "Looks.", "parametersJsonSchema": LOOK["parameters"]},
                {"name": "now", "parametersJsonSchema": {"type": "object", "properties": {}}},
            ]
        }
    ]
    assert "toolConfig" not in sent


def test_older_models_get_openapi_parameters_and_none_where_there_are_none() -> None:
    sent = body(model("gemini-2.0-flash"), tools=[LOOK, {"id": "now"}])

    assert sent["tools"][0]["functionDeclarations"] == [
        {"name": "look", "description": "Looks.", "parameters": SCHEMA},
        {"name": "now"},
    ]


def test_all_forced_tools_are_named_and_the_others_stay_on_offer() -> None:
    tools = [{**LOOK, "usageControl": "force"}, {"id": "now"}, {"id": "ask", "usageControl": "force"}]
    sent = body(tools=tools)

    assert sent["toolConfig"] == {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look", "ask"]}}
    assert [function["name"] for function in sent["tools"][0]["functionDeclarations"]] == ["look", "now", "ask"]


def test_tools_that_are_not_to_be_used_are_not_told() -> None:
    assert body(tools=[{**LOOK, "usageControl": "none"}]) == body()


@pytest.mark.parametrize(
    ("name", "tools", "config"),
    [
        ("gemini-3-flash-preview", [], {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}),
        ("gemini-3-flash-preview", [LOOK], {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}),
        ("gemini-2.5-pro", [], {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}),
        ("gemini-2.0-flash", [], {"responseMimeType": "application/json", "responseSchema": SCHEMA}),
    ],
)
def test_a_schema_is_enforced_where_the_model_can(name: str, tools: list[Any], config: dict[str, Any]) -> None:
    sent = body(model(name), tools=tools, responseFormat={"schema": SCHEMA})

    assert sent["generationConfig"] == config
    assert "systemInstruction" not in sent


@pytest.mark.parametrize("name", ["gemini-2.5-pro", "gemini-2.0-flash", "gemma-3-27b-it"])
def test_a_schema_beside_tools_waits_where_models_refuse_the_pair(name: str) -> None:
    outgoing = encode(model(name), tools=[LOOK], responseFormat={"schema": SCHEMA}, systemPrompt="Be brief.")

    assert outgoing.schema_waits
    assert "generationConfig" not in outgoing.body
    assert outgoing.body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}


def test_a_tool_not_offered_does_not_keep_the_schema_from_being_enforced() -> None:
    tools = [{**LOOK, "usageControl": "none"}]
    sent = body(model("gemini-2.5-pro"), tools=tools, responseFormat={"schema": SCHEMA})

    assert sent["generationConfig"]["responseJsonSchema"] == SCHEMA
