"""Rules of Chat Completions that types cannot say, by name. A vendor's ``Variant`` lists those it insists on.

Each takes a request whose fields are of the right types, and yields what the vendor says to it. The words are the
vendors' own as far as their users report them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from infra.local.provider.protocol import Question
from infra.local.provider.script import Refusal
from infra.local.provider.strict_schema import not_strict

Body: TypeAlias = Mapping[str, Any]
Rule: TypeAlias = Callable[[Question], Iterator[Refusal]]

_REASONS = re.compile(r"^(o\d|gpt-5(?!.*chat))")
"""OpenAI's models that reason: they take no temperature, and no ``max_tokens``."""
_HAS_NO_EFFORT = re.compile(r"grok-4\.20|build|code")
"""Models of xAI that refuse an effort."""


def calls_and_results(question: Question) -> Iterator[Refusal]:
    """Every call is answered by the messages right after it, and nothing else is (OpenAI, Azure, DeepSeek)."""
    waiting: list[str] = []
    for index, message in enumerate([*_messages(question), {"role": "end"}]):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                said = (
                    f"Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    f"'tool_calls' (messages.[{index}])."
                )
                yield _invalid(said, param=f"messages.[{index}].role")
                continue
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            yield _invalid(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}",
                param="messages",
            )
        waiting = [call["id"] for call in message.get("tool_calls") or ()]


def ids_of_at_most_40(question: Question) -> Iterator[Refusal]:
    """OpenAI and Azure: ids of calls have at most 40 characters."""
    for place, call_id in _call_ids(question):
        if len(call_id) > 40:
            said = f"Invalid '{place}': string too long. Expected a string with maximum length 40, but got a string "
            yield _invalid(f"{said}with length {len(call_id)} instead.", "string_above_max_length", place)


def ids_of_nine(question: Question) -> Iterator[Refusal]:
    """Mistral: ids of calls have nine letters or digits."""
    for _, call_id in _call_ids(question):
        if not re.fullmatch(r"[A-Za-z0-9]{9}", call_id):
            said = f"Tool call id was {call_id} but must be a-z, A-Z, 0-9, with a length of 9."
            yield Refusal(400, "invalid_function_call", said, "3280")


def as_many_results(question: Question) -> Iterator[Refusal]:
    """Mistral: as many results after each turn as it has calls."""
    waiting = 0
    for message in [*_messages(question), {"role": "end"}]:
        if message["role"] == "tool":
            waiting -= 1
            continue
        if waiting:
            said = "Not the same number of function calls and responses"
            yield Refusal(400, "invalid_request_message_order", said, "3230")
        waiting = len(message.get("tool_calls") or ())


def turns_in_order(question: Question) -> Iterator[Refusal]:
    """Mistral: no user's turn right after a tool's, and the last turn is not the assistant's unless it is a prefix."""
    messages = _messages(question)
    for before, message in pairwise(messages):
        if before["role"] == "tool" and message["role"] not in ("tool", "assistant"):
            said = f"Unexpected role '{message['role']}' after role 'tool'"
            yield Refusal(400, "invalid_request_message_order", said, "3230")
    last = messages[-1]
    if last["role"] not in ("user", "tool") and last.get("prefix") is not True:
        said = f"Expected last role User or Tool (or Assistant with prefix True) for serving but got {last['role']}"
        yield Refusal(400, "invalid_request_message_order", said, "3230")


def strict_schemas(question: Question) -> Iterator[Refusal]:
    """OpenAI and Azure: a schema that is called strict has to be."""
    for index, tool in enumerate(_tools(question)):
        function = tool["function"]
        if function.get("strict") and (problem := not_strict(function.get("parameters"))):
            said = f"Invalid schema for function '{function['name']}': {problem}"
            yield _invalid(said, "invalid_function_parameters", f"tools[{index}].function.parameters")
    schema = _format(question).get("json_schema") or {}
    if schema.get("strict") and (problem := not_strict(schema["schema"])):
        said = f"Invalid schema for response_format '{schema['name']}': {problem}"
        yield _invalid(said, param="response_format")


def word_json(question: Question) -> Iterator[Refusal]:
    """JSON mode needs the word in the messages (OpenAI, Azure, Groq, DeepSeek)."""
    if _format(question).get("type") == "json_object" and "json" not in json.dumps(_messages(question)).lower():
        said = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        yield _invalid(said, param="messages")


def tools_with_choice(question: Question) -> Iterator[Refusal]:
    """OpenAI and Azure: a choice among no tools."""
    if not question.body.get("tools"):
        for name in ("tool_choice", "parallel_tool_calls"):
            if question.body.get(name) is not None:
                yield _invalid(
                    f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.", param=name
                )


def usage_of_streams(question: Question) -> Iterator[Refusal]:
    """OpenAI and Azure: options of a stream where there is none."""
    if question.body.get("stream_options") is not None and question.body.get("stream") is not True:
        said = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        yield _invalid(said, param="stream_options")


def reasoning_models(question: Question) -> Iterator[Refusal]:
    """OpenAI and Azure: what models that reason do not take, and an effort for those that do not."""
    body = question.body
    if not _REASONS.match(question.model):
        if body.get("reasoning_effort") is not None and question.model.startswith("gpt"):
            yield _invalid("Unrecognized request argument supplied: reasoning_effort")
        return
    if body.get("max_tokens") is not None:
        said = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        yield _invalid(said, "unsupported_parameter", "max_tokens")
    if body.get("temperature") not in (None, 1, 1.0):
        said = f"Unsupported value: 'temperature' does not support {body['temperature']} with this model. Only the "
        yield _invalid(f"{said}default (1) value is supported.", "unsupported_value", "temperature")


def api_version(question: Question) -> Iterator[Refusal]:
    """Azure: a deployment is found under a dated version of the API only."""
    if not re.search(r"(^|&)api-version=\d{4}-\d{2}-\d{2}(-preview)?(&|$)", question.query):
        yield Refusal(404, "404", "Resource not found")


def no_developer(question: Question) -> Iterator[Refusal]:
    """DeepSeek: roles it has no name for."""
    for index, message in enumerate(_messages(question)):
        if message["role"] == "developer":
            said = (
                f"Failed to deserialize the JSON body into the target type: messages[{index}].role: unknown variant "
                "`developer`, expected one of `system`, `user`, `assistant`, `tool`, `latest_reminder`"
            )
            yield Refusal(422, "invalid_request_error", said, "invalid_request_error")


def no_files(question: Question) -> Iterator[Refusal]:
    """DeepSeek and Cerebras: text only."""
    for index, part in _parts(question):
        if part["type"] != "text":
            said = f"messages[{index}]: unknown variant `{part['type']}`, expected `text`"
            yield _invalid(f"Failed to deserialize the JSON body into the target type: {said}", "invalid_request_error")


def files_as_data(question: Question) -> Iterator[Refusal]:
    """Ollama: images as base64 only."""
    for _, part in _parts(question):
        if part["type"] == "image_url":
            given = part["image_url"]
            url = given if isinstance(given, str) else given["url"]
            if not url.startswith("data:"):
                yield _invalid("invalid image input")


def reasoning_with_calls(question: Question) -> Iterator[Refusal]:
    """DeepSeek: a turn with calls comes back with its reasoning."""
    for message in _messages(question):
        if message.get("tool_calls") and not isinstance(message.get("reasoning_content"), str):
            said = "The `reasoning_content` in the thinking mode must be passed back to the API."
            yield _invalid(said, "invalid_request_error")


def json_object_only(question: Question) -> Iterator[Refusal]:
    """DeepSeek: no schemas."""
    if _format(question).get("type") == "json_schema":
        yield _invalid("This response_format type is unavailable now", "invalid_request_error")


def effort_by_model(question: Question) -> Iterator[Refusal]:
    """xAI: models that think as much as they like."""
    if question.body.get("reasoning_effort") is not None and _HAS_NO_EFFORT.search(question.model):
        said = f"Model {question.model} does not support parameter reasoningEffort."
        yield Refusal(400, "Client specified an invalid argument", said)


def schema_or_tools(question: Question) -> Iterator[Refusal]:
    """Groq: not both."""
    if question.body.get("tools") and _format(question).get("type") in ("json_object", "json_schema"):
        yield _invalid("json mode cannot be combined with tool/function calling", param="response_format")


def unmarked_schema(question: Question) -> Iterator[Refusal]:
    """Fireworks: a schema is strict, and is not called so."""
    if "strict" in (_format(question).get("json_schema") or {}):
        yield _invalid("Extra inputs are not permitted, field: 'response_format.json_schema.strict'")


def tools_for_history(question: Question) -> Iterator[Refusal]:
    """LiteLLM: a conversation with calls needs tools, for the vendors behind it that insist on them."""
    if not question.body.get("tools") and any(message.get("tool_calls") for message in _messages(question)):
        said = (
            "litellm.UnsupportedParamsError: Anthropic expects the `tools=` param to be passed in. Pass `tools=` OR "
            "set `litellm.modify_params = True`"
        )
        yield _invalid(said)


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        api_version,
        as_many_results,
        calls_and_results,
        effort_by_model,
        files_as_data,
        ids_of_at_most_40,
        ids_of_nine,
        json_object_only,
        no_developer,
        no_files,
        reasoning_models,
        reasoning_with_calls,
        schema_or_tools,
        strict_schemas,
        tools_for_history,
        tools_with_choice,
        turns_in_order,
        unmarked_schema,
        usage_of_streams,
        word_json,
    )
}


def _messages(question: Question) -> Sequence[Body]:
    messages: Any = question.body["messages"]
    return [message for message in messages if isinstance(message, Mapping)]


def _tools(question: Question) -> Sequence[Body]:
    given: Any = question.body.get("tools")
    return given or ()


def _parts(question: Question) -> Iterator[tuple[int, Body]]:
    """The parts of messages whose content is a list, each with its message's index."""
    for index, message in enumerate(_messages(question)):
        if message["role"] != "assistant" and isinstance(message.get("content"), list):
            for part in message["content"]:
                yield index, part


def _call_ids(question: Question) -> Iterator[tuple[str, str]]:
    for index, message in enumerate(_messages(question)):
        for at, call in enumerate(message.get("tool_calls") or ()):
            yield f"messages[{index}].tool_calls[{at}].id", call["id"]
        if message["role"] == "tool":
            yield f"messages[{index}].tool_call_id", message["tool_call_id"]


def _format(question: Question) -> Body:
    given: Any = question.body.get("response_format")
    return given or {}


def _invalid(message: str, code: str | None = None, param: str | None = None) -> Refusal:
    return Refusal(400, "invalid_request_error", message, code, param)
