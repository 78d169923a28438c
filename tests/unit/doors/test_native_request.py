"""What the native door makes of the JSON callers send, and what it says of JSON it cannot take."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.doors.native.request import read_request
from keyway.errors import InvalidRequest

HELLO = {"provider": "openai", "model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello"}]}

FULL = HELLO | {
    "systemPrompt": "Be brief.",
    "context": "It is raining.",
    "messages": [
        {
            "role": "user",
            "content": "What is this?",
            "files": [{"name": "a.png", "mimeType": "image/png", "data": "aGk="}],
        },
        {"role": "assistant", "toolCalls": [{"id": "c1", "name": "look", "arguments": {"at": 1}}]},
        {"role": "tool", "toolCallId": "c1", "content": "a cat"},
    ],
    "tools": [
        {
            "id": "look",
            "name": "Look",
            "description": "Looks.",
            "params": {"zoom": 2},
            "parameters": {"type": "object", "properties": {"at": {"type": "integer"}}},
            "usageControl": "force",
        }
    ],
    "temperature": 1,
    "maxTokens": 100,
    "apiKey": "sk-callers-own",
    "responseFormat": {"name": "cat", "schema": {"type": "object"}, "strict": False},
    "stream": True,
    "workspaceId": "w",
    "userId": "u",
    "orgId": "o",
    "workflowId": "f",
    "chatId": "c",
    "reasoningEffort": "low",
    "verbosity": "low",
    "thinkingLevel": "low",
    "previousInteractionId": "p",
    "azureEndpoint": "https://x.openai.azure.com",
    "azureApiVersion": "v",
    "vertexProject": "p",
    "vertexLocation": "l",
    "bedrockAccessKeyId": "a",
    "bedrockSecretKey": "s",
    "bedrockRegion": "r",
}


def test_every_field_of_the_contract_is_read():
    request, caller = read_request(json.loads(json.dumps(FULL)))
    assert request.messages[1].tool_calls[0].arguments == {"at": 1}
    assert request.forced_tool is request.tools[0]
    assert request.response_format is not None
    assert request.response_format.json_schema == {"type": "object"}
    assert [message.role for message in request.conversation] == ["user", "user", "assistant", "tool"]
    assert caller.api_key is not None
    assert caller.api_key.get_secret_value() == "sk-callers-own"
    assert caller.workspace_id == "w"


def test_no_repr_shows_a_secret():
    executor = {
        "type": "http",
        "url": "https://api.example",
        "headers": {"x-key": "header-secret"},
        "body": {"key": "body-secret"},
    }
    tool = {"id": "search", "params": {"apiKey": "param-secret"}, "executor": executor}
    request, caller = read_request(FULL | {"bedrockSecretKey": "bedrock-secret", "tools": [tool]})
    assert "sk-callers-own" not in repr(caller)
    assert "https://api.example" in repr(request)
    assert "secret" not in repr(request).replace("bedrock_secret_key", "")


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "problem"),
    [(nested(101), "is nested deeper than 100 levels"), ({"a": [float("inf")]}, "holds a number that is not finite")],
)
@pytest.mark.parametrize(
    ("place", "request_with"),
    [
        ("tools[0].params", lambda value: {"tools": [{"id": "t", "params": value}]}),
        ("tools[0].parameters", lambda value: {"tools": [{"id": "t", "parameters": value}]}),
        (
            "tools[0].executor.body",
            lambda value: {"tools": [{"id": "t", "executor": {"type": "http", "url": "https://a", "body": value}}]},
        ),
        ("responseFormat.schema", lambda value: {"responseFormat": {"schema": value}}),
        (
            "messages[0].toolCalls[0].arguments",
            lambda value: {
                "messages": [{"role": "assistant", "toolCalls": [{"id": "1", "name": "t", "arguments": value}]}]
            },
        ),
        (
            "messages[0].providerExtras",
            lambda value: {"messages": [{"role": "assistant", "content": "a", "providerExtras": value}]},
        ),
    ],
)
def test_what_is_passed_on_unread_has_to_be_json_that_others_can_read(value, problem, place, request_with):
    assert read_request(HELLO | request_with(nested(100)))
    with pytest.raises(InvalidRequest) as raised:
        read_request(HELLO | request_with(value))
    assert raised.value.message == f"{place}: {problem}"


@pytest.mark.parametrize("key", ["hostedKey", "isBYOK"])
@pytest.mark.parametrize("ignore_unknown", [False, True])
def test_fields_only_a_server_may_set_are_dropped_in_silence(key, ignore_unknown):
    assert read_request(HELLO | {key: True}, ignore_unknown=ignore_unknown) == read_request(HELLO)


UNKNOWN = [
    (HELLO | {"modle": "x"}, "modle: is not a known field"),
    (HELLO | {"messages": [{"role": "user", "content": "x", "mood": 1}]}, "messages[0].mood: is not a known field"),
]


@pytest.mark.parametrize(("body", "message"), UNKNOWN)
def test_the_url_door_names_fields_it_does_not_know(body, message):
    with pytest.raises(InvalidRequest) as refused:
        read_request(body)
    assert refused.value.message == message


@pytest.mark.parametrize(("body", "_message"), UNKNOWN)
def test_the_step_functions_door_ignores_fields_it_does_not_know(body, _message):
    request, _caller = read_request(body, ignore_unknown=True)
    assert request.messages[0].role == "user"


def test_ignoring_what_is_unknown_does_not_hide_what_is_wrong():
    with pytest.raises(InvalidRequest) as refused:
        read_request(HELLO | {"modle": "x", "maxTokens": 0}, ignore_unknown=True)
    assert refused.value.message == "maxTokens: should be greater than 0"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "the request must be a JSON object, not null"),
        ([], "the request must be a JSON object, not an array"),
        ("hi", "the request must be a JSON object, not a string"),
        ({}, "provider: is required; model: is required"),
        (HELLO | {"provider": ""}, "provider: must not be empty"),
        (HELLO | {"model": 4}, "model: must be a string"),
        (HELLO | {"model": "a\0b"}, "model: must not contain a NUL character"),
        (HELLO | {"messages": []}, "messages: must hold at least one message when there is no systemPrompt or context"),
        (HELLO | {"messages": "Hello"}, "messages: must be an array"),
        (HELLO | {"messages": ["Hello"]}, "messages[0]: must be an object"),
        (HELLO | {"messages": [{"role": "user"}]}, "messages[0]: needs content"),
        (
            HELLO | {"messages": [{"role": "human", "content": "x"}]},
            "messages[0].role: should be 'system', 'user', 'assistant' or 'tool'",
        ),
        (HELLO | {"messages": [{"role": "tool", "content": "x"}]}, "messages[0]: a tool message needs toolCallId"),
        (HELLO | {"maxTokens": -1}, "maxTokens: should be greater than 0"),
        (HELLO | {"maxTokens": 1.5}, "maxTokens: must be a whole number"),
        (HELLO | {"maxTokens": "100"}, "maxTokens: must be a whole number"),
        (HELLO | {"maxTokens": True}, "maxTokens: must be a whole number"),
        (HELLO | {"temperature": "hot"}, "temperature: must be a number"),
        (HELLO | {"temperature": 3}, "temperature: should be less than or equal to 2"),
        (HELLO | {"stream": "yes"}, "stream: must be true or false"),
        (HELLO | {"apiKey": 5}, "apiKey: must be a string"),
        (HELLO | {"tools": [{"id": "two words"}]}, "tools[0].id: should match pattern '^[A-Za-z0-9_-]{1,64}$'"),
        (HELLO | {"tools": [{"id": "a"}, {"id": "a"}]}, "tools: the id 'a' is used twice"),
        (HELLO | {"responseFormat": {"name": "x"}}, "responseFormat.schema: is required"),
    ],
)
def test_bad_input_is_one_error_that_names_the_field(body, message):
    with pytest.raises(InvalidRequest) as refused:
        read_request(body)
    assert refused.value.message == message
    assert refused.value.status == 400


def test_an_empty_response_format_counts_as_none():
    request, _caller = read_request(HELLO | {"responseFormat": ""})
    assert request.response_format is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(FULL)), json_values), st.booleans())
def test_any_json_is_read_or_refused_and_nothing_else(body, ignore_unknown):
    with contextlib.suppress(InvalidRequest):
        read_request(HELLO | body, ignore_unknown=ignore_unknown)


@pytest.mark.parametrize(
    ("executor", "said"),
    [
        ({"type": "http", "url": "https://a/", "foo": 1}, "tools[0].executor.foo: is not a known field"),
        ({"type": "http"}, "tools[0].executor.url: is required"),
        ({"type": "lambda", "function": "clock"}, "tools[0].executor.function: should match pattern"),
        ({"type": "python"}, "tools[0].executor: is of no kind that is known"),
        ({"url": "https://a/"}, "tools[0].executor: must say of which kind it is"),
        ({"type": "http", "url": "https://a/", "timeoutSeconds": 1e9}, "tools[0].executor.timeoutSeconds: should be"),
    ],
)
def test_a_fault_of_an_executor_is_named_by_the_place_where_it_was_written(executor, said):
    with pytest.raises(InvalidRequest) as raised:
        read_request({**HELLO, "tools": [{"id": "mine", "executor": executor}]})
    assert str(raised.value).startswith(said)


def test_an_unknown_field_of_an_executor_is_ignored_where_unknown_fields_are():
    executor = {"type": "http", "url": "https://a/", "Comment": "of the states language"}
    request, _ = read_request({**HELLO, "tools": [{"id": "mine", "executor": executor}]}, ignore_unknown=True)
    assert request.tools[0].executor is not None
