"""Our request as a Responses request: what is sent, and what is refused before it is."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.errors import InvalidRequest
from keyway.wire.openai_responses import dialect, encode

PLAIN = Model("gpt-4.1", "openai", "gpt-4.1", temperature=(0, 2))
REASONING = Model("gpt-5", "openai", "gpt-5", reasoning_efforts=("low", "high"), verbosities=("low", "high"))


def body(request: dict[str, Any], model: Model = PLAIN, flags: dict[str, Any] | None = None) -> Any:
    wanted = {"provider": "openai", "model": model.id, "messages": [{"role": "user", "content": "Hi"}], **request}
    return encode(ChatRequest.model_validate(wanted), model, dialect(flags or {})).body


def items(*messages: dict[str, Any]) -> Any:
    return body({"messages": list(messages)})["input"]


def test_a_plain_request_sends_only_what_was_asked_for() -> None:
    assert body({}) == {
        "model": "gpt-4.1",
        "input": [{"role": "user", "content": "Hi"}],
        "stream": False,
        "store": False,
    }


def test_the_model_is_named_as_the_provider_knows_it() -> None:
    model = Model("azure/gpt-5", "azure-openai", "gpt-5")
    assert body({}, model)["model"] == "gpt-5"


def test_path_and_streaming_are_told_beside_the_body() -> None:
    request = ChatRequest.model_validate({"provider": "o", "model": "m", "systemPrompt": "Go", "stream": True})
    outgoing = encode(request, PLAIN, dialect({"path": "/openai/v1/responses"}))
    assert (outgoing.path, outgoing.streamed, dict(outgoing.headers)) == ("/openai/v1/responses", True, {})
    assert outgoing.body["stream"] is True


def test_system_prompt_and_context_come_before_the_messages() -> None:
    assert body({"systemPrompt": "Be brief.", "context": "It rains."})["input"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "It rains."},
        {"role": "user", "content": "Hi"},
    ]


def test_limits_are_sent_as_they_came() -> None:
    sent = body({"maxTokens": 5, "temperature": 0.0})
    assert (sent["max_output_tokens"], sent["temperature"]) == (5, 0.0)


def test_a_call_and_its_answer_are_items_tied_by_call_id() -> None:
    assert items(
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": "Looking.",
            "toolCalls": [
                {"id": "c1", "name": "look", "arguments": {"city": "Zürich", "n": 1}},
                {"id": "c2", "name": "x"},
            ],
        },
        {"role": "tool", "toolCallId": "c1", "content": "rain"},
        {"role": "tool", "toolCallId": "c2", "content": ""},
    )[1:] == [
        {"role": "assistant", "content": "Looking."},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"city":"Zürich","n":1}'},
        {"type": "function_call", "call_id": "c2", "name": "x", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
        {"type": "function_call_output", "call_id": "c2", "output": ""},
    ]


@pytest.mark.parametrize("before", [[], [{"role": "assistant", "toolCalls": [{"id": "other", "name": "x"}]}]])
def test_an_answer_to_no_call_is_refused(before: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidRequest, match=rf"messages\[{len(before)}\]\.toolCallId: 'c1' answers no call"):
        items(*before, {"role": "tool", "toolCallId": "c1", "content": "?"})


def test_files_are_parts_after_the_text() -> None:
    (message,) = items(
        {
            "role": "user",
            "content": "See",
            "files": [
                {"name": "a.png", "mimeType": "image/PNG", "data": "AAAA"},
                {"mimeType": "image/webp", "url": "https://x.test/b.webp"},
                {"name": "c.pdf", "mimeType": "application/pdf", "data": "BBBB"},
                {"mimeType": "application/pdf", "url": "https://x.test/d.pdf"},
                {"name": "e.txt", "mimeType": "text/plain; charset=utf-8", "data": "CCCC"},
            ],
        }
    )
    assert message["content"] == [
        {"type": "input_text", "text": "See"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
        {"type": "input_image", "image_url": "https://x.test/b.webp", "detail": "auto"},
        {"type": "input_file", "filename": "c.pdf", "file_data": "data:application/pdf;base64,BBBB"},
        {"type": "input_file", "file_url": "https://x.test/d.pdf"},
        {"type": "input_file", "filename": "e.txt", "file_data": "data:text/plain;base64,CCCC"},
    ]


def test_a_tool_may_answer_with_a_file() -> None:
    answer = items(
        {"role": "assistant", "toolCalls": [{"id": "c1", "name": "shot"}]},
        {"role": "tool", "toolCallId": "c1", "files": [{"mimeType": "image/gif", "data": "AAAA"}]},
    )[1]
    assert answer["output"] == [{"type": "input_image", "image_url": "data:image/gif;base64,AAAA", "detail": "auto"}]


@pytest.mark.parametrize("kind", ["audio/mpeg", "video/mp4", "image/svg+xml", "application/zip"])
def test_a_file_this_api_does_not_read_is_refused_by_name(kind: str) -> None:
    files = [{"mimeType": "image/png", "data": "A"}, {"mimeType": kind, "data": "A"}]
    with pytest.raises(InvalidRequest) as raised:
        body({"context": "First", "messages": [{"role": "user", "content": "Hi"}, {"role": "user", "files": files}]})
    assert raised.value.message.startswith(f"messages[1].files[1]: {kind} ")


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_only_user_and_tool_messages_carry_files(role: str) -> None:
    with pytest.raises(InvalidRequest, match=r"messages\[0\]\.files\[0\]"):
        items({"role": role, "content": "x", "files": [{"mimeType": "image/png", "data": "A"}]})


def test_tools_are_flat_and_never_strict_unasked() -> None:
    parameters = {"type": "object", "properties": {"q": {"type": "string"}}}
    sent = body({"tools": [{"id": "find", "description": "Finds", "parameters": parameters}]})
    assert sent["tools"] == [
        {"type": "function", "name": "find", "description": "Finds", "parameters": parameters, "strict": False}
    ]
    assert (sent["tool_choice"], sent["parallel_tool_calls"]) == ("auto", True)


def test_a_tool_without_parameters_is_still_an_object() -> None:
    (tool,) = body({"tools": [{"id": "now", "parameters": {}}]})["tools"]
    assert tool == {
        "type": "function",
        "name": "now",
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
    }


def test_the_first_forced_tool_is_the_choice_and_a_switched_off_one_is_not_offered() -> None:
    tools = [
        {"id": name, "usageControl": use}
        for name, use in [("a", "none"), ("b", "auto"), ("c", "force"), ("d", "force")]
    ]
    sent = body({"tools": tools})
    assert [tool["name"] for tool in sent["tools"]] == ["b", "c", "d"]
    assert sent["tool_choice"] == {"type": "function", "name": "c"}


def test_no_tool_left_means_no_tool_fields() -> None:
    sent = body({"tools": [{"id": "a", "usageControl": "none"}]})
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(sent)


def test_an_effort_brings_a_summary_and_reasoning_to_replay() -> None:
    sent = body({"reasoningEffort": "low"}, REASONING)
    assert sent["reasoning"] == {"effort": "low", "summary": "auto"}
    assert sent["include"] == ["reasoning.encrypted_content"]


def test_a_reasoning_model_without_an_effort_asks_for_no_summary() -> None:
    for wanted in ({}, {"reasoningEffort": "auto"}):
        sent = body(wanted, REASONING)
        assert "reasoning" not in sent
        assert sent["include"] == ["reasoning.encrypted_content"]


def test_a_host_that_reasons_in_the_open_is_not_asked_for_encrypted_reasoning() -> None:
    assert "include" not in body({"reasoningEffort": "low"}, REASONING, {"encrypted_reasoning": False})


@pytest.mark.parametrize(("verbosity", "text"), [("low", {"verbosity": "low"}), ("auto", None), (None, None)])
def test_verbosity_is_a_text_setting_and_auto_is_left_out(verbosity: str | None, text: object) -> None:
    assert body({"verbosity": verbosity}, REASONING).get("text") == text


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"$ref": "#/$defs/City"},
        "tags": {"type": "array", "items": {"type": "object", "properties": {"t": {"type": "string"}}}},
        "either": {"anyOf": [{"type": ["object", "null"], "properties": {"a": {}}}, {"type": "string"}]},
    },
    "required": ["city"],
    "$defs": {
        "City": {"type": "object", "properties": {"properties": {"type": "string"}}, "additionalProperties": True}
    },
}


def test_a_strict_schema_is_closed_and_complete_all_the_way_down_and_the_caller_s_is_left_alone() -> None:
    before = copy.deepcopy(SCHEMA)
    wanted = body({"responseFormat": {"schema": SCHEMA}})["text"]["format"]
    closed = {"additionalProperties": False}
    assert wanted == {
        "type": "json_schema",
        "name": "response_schema",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "city": {"$ref": "#/$defs/City"},
                "tags": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"t": {"type": "string"}},
                        "required": ["t"],
                        **closed,
                    },
                },
                "either": {
                    "anyOf": [
                        {"type": ["object", "null"], "properties": {"a": {}}, "required": ["a"], **closed},
                        {"type": "string"},
                    ]
                },
            },
            "required": ["city", "tags", "either"],
            **closed,
            "$defs": {
                "City": {
                    "type": "object",
                    "properties": {"properties": {"type": "string"}},
                    "required": ["properties"],
                    **closed,
                }
            },
        },
    }
    assert before == SCHEMA


def test_a_schema_that_is_not_strict_is_sent_as_it_is() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    wanted = body({"responseFormat": {"name": "map", "schema": schema, "strict": False}, "verbosity": "low"})["text"]
    assert wanted == {
        "verbosity": "low",
        "format": {"type": "json_schema", "name": "map", "schema": schema, "strict": False},
    }


def test_a_strict_schema_with_keys_of_any_name_is_refused_by_place() -> None:
    schema = {"type": "object", "properties": {"m": {"type": "object", "additionalProperties": {"type": "string"}}}}
    with pytest.raises(InvalidRequest, match=r"responseFormat\.schema\.properties\.m\.additionalProperties: "):
        body({"responseFormat": {"schema": schema}})


@pytest.mark.parametrize(
    ("flags", "message"),
    [({"nope": 1}, "no dialect flag 'nope'; known are path, encrypted_reasoning"), ({"path": True}, "must be a str")],
)
def test_a_wrong_dialect_flag_is_named(flags: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dialect(flags)
