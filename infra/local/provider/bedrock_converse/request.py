"""What Converse accepts, and in which words it refuses the rest.

Fields and types are checked by botocore against the service's own model; the rules that a model cannot say (turns,
the place of tool results, blank text, names) are here, in the words Bedrock uses for them where they are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from infra.local.provider.protocol import Question
from infra.local.provider.script import Refusal

_TOOL_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DOCUMENT_NAME = re.compile(r"[A-Za-z0-9()\[\]-]+(?: [A-Za-z0-9()\[\]-]+)*")


def refused(kind: str, message: str, *, status: int = 400) -> Refusal:
    """A refusal in Bedrock's form: the exception's name is in a header."""
    errortype = f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"
    return Refusal(status, kind, message, headers={"x-amzn-errortype": errortype})


def check(question: Question) -> Refusal | None:
    """The refusal of a request Bedrock would not accept."""
    model = question.path.split("/")[2]
    body: dict[str, Any] = dict(question.body)
    report = _validator().validate({**body, "modelId": model}, _input_shape())
    if report.has_errors():
        return refused("ValidationException", report.generate_report())
    return next((refused("ValidationException", said) for said in _rules(model, body)), None)


@cache
def _validator() -> Any:
    from botocore.validate import ParamValidator  # noqa: PLC0415 - only needed where Bedrock is spoken

    return ParamValidator()


@cache
def _input_shape() -> Any:
    from botocore.session import Session  # noqa: PLC0415

    return Session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape


def _rules(model: str, body: Mapping[str, Any]) -> Iterator[str]:
    messages: Sequence[Mapping[str, Any]] = body.get("messages", ())
    yield from _turns(messages)
    yield from _calls(messages, configured="toolConfig" in body)
    for at, message in enumerate(messages):
        yield from _contents(message["content"], f"messages.{at}.content")
    for at, block in enumerate(body.get("system", ())):
        if "text" in block and not block["text"].strip():
            yield f"The text field in the SystemContentBlock object at system.{at} is blank. Add text, and try again."
    if text_format := body.get("outputConfig", {}).get("textFormat"):
        yield from _schema(text_format["structure"]["jsonSchema"]["schema"])
    if "anthropic." in model:
        yield from _claude(body)


def _turns(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not messages or messages[0]["role"] != "user":
        yield (
            "A conversation must start with a user message. Try again with a conversation that starts with a user "
            "message."
        )
    for at, message in enumerate(messages):
        if at and message["role"] == messages[at - 1]["role"]:
            yield 'messages: roles must alternate between "user" and "assistant", but found multiple in a row'
        if not message["content"]:
            yield (
                f"The content field in the Message object at messages.{at} is empty. Add a ContentBlock object to the "
                "content field and try again."
            )


def _calls(messages: Sequence[Mapping[str, Any]], *, configured: bool) -> Iterator[str]:
    """Every call is answered in the very next turn, and nothing else is."""
    open_calls: list[str] = []
    for at, message in enumerate([*messages, {"content": ()}]):
        results = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        if missing := [call for call in open_calls if call not in results]:
            yield f"Expected toolResult blocks at messages.{at}.content for the following Ids: {', '.join(missing)}"
        if len(results) > len(open_calls):
            yield (
                f"The number of toolResult blocks at messages.{at}.content exceeds the number of toolUse blocks of "
                "previous turn."
            )
        if any("toolResult" not in block for block in message["content"][: len(results)]):
            yield f"messages.{at}: `tool_result` blocks must come first in the content"
        calls = [block["toolUse"] for block in message["content"] if "toolUse" in block]
        if (calls or results) and not configured:
            yield "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        for call in calls:
            if not _TOOL_ID.fullmatch(call["toolUseId"]):
                yield _pattern(call["toolUseId"], f"messages.{at}.content.toolUse.toolUseId", _TOOL_ID)
            if not _TOOL_NAME.fullmatch(call["name"]):
                yield _pattern(call["name"], f"messages.{at}.content.toolUse.name", _TOOL_NAME)
        open_calls = [call["toolUseId"] for call in calls]
        if len(set(open_calls)) != len(open_calls):
            yield f"messages.{at}.content contains duplicate Ids: {', '.join(open_calls)}"


def _contents(content: Sequence[Mapping[str, Any]], where: str) -> Iterator[str]:
    for at, block in enumerate(content):
        match block:
            case {"text": text} if not text.strip():
                yield (
                    f"The text field in the ContentBlock object at {where}.{at} is blank. Add text to the text field, "
                    "and try again."
                )
            case {"toolResult": {"content": inner}}:
                yield from _contents([*inner, {"text": "beside"}], f"{where}.{at}.toolResult.content")
            case {"document": {"name": name}}:
                if not _DOCUMENT_NAME.fullmatch(name):
                    yield (
                        "The document file name can only contain alphanumeric characters, whitespace characters, "
                        "hyphens, parentheses, and square brackets. The name can't contain more than one consecutive "
                        "whitespace character. Edit your request and try again."
                    )
                if not any("text" in beside for beside in content):
                    yield f"A text block must be provided in the content at {where} when it holds a document."


def _schema(text: str) -> Iterator[str]:
    try:
        schema = json.loads(text)
    except ValueError:
        yield "The JSON schema in outputConfig.textFormat is not valid JSON."
    else:
        yield from _open_objects(schema)


def _open_objects(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            yield (
                "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
            )
        for inner in schema.values():
            yield from _open_objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _open_objects(inner)


def _claude(body: Mapping[str, Any]) -> Iterator[str]:
    """The rules of Claude's own fields."""
    thinking = body.get("additionalModelRequestFields", {}).get("thinking", {})
    inference = body.get("inferenceConfig", {})
    last = body["messages"][-1]
    if last["role"] == "assistant" and last["content"][-1].get("text", "").endswith((" ", "\n", "\t")):
        yield "messages: final assistant content cannot end with trailing whitespace"
    if not thinking:
        return
    if thinking["type"] == "enabled" and thinking["budget_tokens"] >= inference.get("maxTokens", float("inf")):
        yield "`max_tokens` must be greater than `thinking.budget_tokens`."
    if inference.get("temperature", 1) != 1:
        yield "`temperature` may only be set to 1 when thinking is enabled."
    if {"any", "tool"} & set(body.get("toolConfig", {}).get("toolChoice", {})):
        yield "Thinking may not be enabled when tool_choice forces tool use."


def _pattern(value: str, where: str, pattern: re.Pattern[str]) -> str:
    return (
        f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: Member must satisfy "
        f"regular expression pattern: {pattern.pattern}"
    )
