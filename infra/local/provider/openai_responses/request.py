"""What OpenAI Responses accepts, and in which words it refuses the rest.

The fields are those of OpenAI's API reference ("Create a model response"), as far as a gateway without hosted
tools uses them; anything else is refused like an unknown parameter. Rules that types cannot say (a call needs
its output, a reasoning model takes no temperature) are at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from infra.local.provider.protocol import Question
from infra.local.provider.script import Refusal
from infra.local.provider.shape import Mistake, Shape, read
from infra.local.provider.strict_schema import not_strict

_REASONS = re.compile(r"^(o\d|gpt-5(?!.*chat))")
"""Models that reason: they take an effort and, with one, no temperature."""


class InputText(Shape):
    type: Literal["input_text"]
    text: str


class InputImage(Shape):
    type: Literal["input_image"]
    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["low", "high", "auto", "original"] | None = None


class InputFile(Shape):
    type: Literal["input_file"]
    filename: str | None = None
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None


class OutputText(Shape):
    type: Literal["output_text"]
    text: str
    annotations: list[dict[str, object]] | None = None
    logprobs: list[dict[str, object]] | None = None


class RefusalPart(Shape):
    type: Literal["refusal"]
    refusal: str


def _kind(value: object) -> str:
    kind = value.get("type", "message") if isinstance(value, Mapping) else None
    return f"#{kind}"


Part = Annotated[
    Annotated[InputText, Tag("#input_text")]
    | Annotated[InputImage, Tag("#input_image")]
    | Annotated[InputFile, Tag("#input_file")]
    | Annotated[OutputText, Tag("#output_text")]
    | Annotated[RefusalPart, Tag("#refusal")],
    Discriminator(_kind),
]


class Message(Shape):
    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Part]
    id: str | None = None
    status: str | None = None
    phase: str | None = None


class FunctionCall(Shape):
    type: Literal["function_call"]
    call_id: str
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
    arguments: str
    id: Annotated[str, Field(pattern="^fc_")] | None = None
    status: str | None = None


class FunctionCallOutput(Shape):
    type: Literal["function_call_output"]
    call_id: str
    output: str | list[Part]
    id: str | None = None
    status: str | None = None


class Reasoning(Shape):
    type: Literal["reasoning"]
    id: str
    summary: list[dict[str, object]]
    content: list[dict[str, object]] | None = None
    encrypted_content: str | None = None
    status: str | None = None


Item = Annotated[
    Annotated[Message, Tag("#message")]
    | Annotated[FunctionCall, Tag("#function_call")]
    | Annotated[FunctionCallOutput, Tag("#function_call_output")]
    | Annotated[Reasoning, Tag("#reasoning")],
    Discriminator(_kind),
]


class FunctionTool(Shape):
    type: Literal["function"]
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
    description: str | None = None
    parameters: dict[str, object] | None
    strict: bool | None = None


class NamedFunction(Shape):
    type: Literal["function"]
    name: str


class Effort(Shape):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class Format(Shape):
    type: Literal["text", "json_object", "json_schema"]
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)] | None = None
    description: str | None = None
    json_schema: dict[str, object] | None = Field(None, alias="schema")
    strict: bool | None = None


class TextOptions(Shape):
    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class StreamOptions(Shape):
    include_obfuscation: bool | None = None


class Create(Shape):
    """The request body."""

    model: str
    input: str | list[Item]
    instructions: str | None = None
    max_output_tokens: Annotated[int, Field(ge=16)] | None = None
    metadata: dict[str, str] | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    include: list[str] | None = None
    prompt_cache_key: str | None = None
    reasoning: Effort | None = None
    safety_identifier: str | None = None
    service_tier: Literal["auto", "default", "flex", "priority"] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    text: TextOptions | None = None
    tool_choice: Literal["auto", "none", "required"] | NamedFunction | None = None
    tools: list[FunctionTool] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None


def check(question: Question) -> Refusal | None:
    """The refusal of a request OpenAI would not accept."""
    try:
        request = read(Create, question.body)
    except Mistake as mistake:
        return _refusal(mistake)
    return next(_rules(request), None)


def _refusal(mistake: Mistake) -> Refusal:
    """A mistake in OpenAI's words."""
    field = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in mistake.path).lstrip(".")
    given = mistake.details["input"]
    match mistake.details["type"]:
        case "extra_forbidden":
            return _invalid(f"Unknown parameter: '{field}'.", field, "unknown_parameter")
        case "missing":
            return _invalid(f"Missing required parameter: '{field}'.", field, "missing_required_parameter")
        case "greater_than_equal":
            least = mistake.details["ctx"]["ge"]
            said = f"integer below minimum value. Expected a value >= {least}, but got {given} instead."
            return _invalid(f"Invalid '{field}': {said}", field, "integer_below_min_value")
        case "literal_error" | "union_tag_invalid":
            return _invalid(f"Invalid value: {given!r}.", field, "invalid_value")
        case "string_pattern_mismatch":
            return _invalid(f"Invalid '{field}': string does not match pattern.", field, "invalid_value")
        case _:
            said = f"{mistake.details['msg']}, but got {type(given).__name__} instead."
            return _invalid(f"Invalid type for '{field}': {said}", field, "invalid_type")


def _rules(request: Create) -> Iterator[Refusal]:
    reasons = _REASONS.match(request.model) is not None
    if reasons and request.temperature is not None:
        yield _unsupported("temperature")
    if not reasons and request.reasoning is not None and request.reasoning.effort is not None:
        yield _unsupported("reasoning.effort")
    if isinstance(request.input, list):
        yield from _calls_and_outputs(request.input, continued=request.previous_response_id is not None)
        yield from _thoughts(request.input)
    for index, tool in enumerate(request.tools or ()):
        # An omitted `strict` is an attempt at strictness that the server gives up silently.
        if tool.strict and (problem := not_strict(tool.parameters)):
            said = f"Invalid schema for function '{tool.name}': {problem}"
            yield _invalid(said, f"tools[{index}].parameters", "invalid_function_parameters")
    if request.text is not None and request.text.format is not None:
        yield from _format(request.text.format)
    if isinstance(request.tool_choice, NamedFunction):
        name = request.tool_choice.name
        if name not in {tool.name for tool in request.tools or ()}:
            yield _invalid(f"Tool choice 'function' not found in 'tools' parameter: {name}.", "tool_choice", None)


def _format(wanted: Format) -> Iterator[Refusal]:
    if wanted.type != "json_schema":
        return
    for missing in (wanted.name is None and "text.format.name", wanted.json_schema is None and "text.format.schema"):
        if missing:
            yield _invalid(f"Missing required parameter: '{missing}'.", missing, "missing_required_parameter")
    if wanted.strict and (problem := not_strict(wanted.json_schema)):
        said = f"Invalid schema for response_format '{wanted.name}': {problem}"
        yield _invalid(said, "text.format.schema", "invalid_json_schema")


def _calls_and_outputs(items: list[Item], *, continued: bool) -> Iterator[Refusal]:
    called = {item.call_id for item in items if isinstance(item, FunctionCall)}
    answered = {item.call_id for item in items if isinstance(item, FunctionCallOutput)}
    for missing in sorted(called - answered):
        yield _invalid(f"No tool output found for function call {missing}.", "input", None)
    if not continued:
        for unknown in sorted(answered - called):
            said = f"No tool call found for function call output with call_id {unknown}."
            yield _invalid(said, "input", None)


def _thoughts(items: list[Item]) -> Iterator[Refusal]:
    """A thought comes back with what the model did next."""
    for item, following in zip_longest(items, items[1:]):
        if isinstance(item, Reasoning):
            spoke = isinstance(following, Message) and following.role == "assistant"
            if not (spoke or isinstance(following, FunctionCall | Reasoning)):
                said = f"Item '{item.id}' of type 'reasoning' was provided without its required following item."
                yield _invalid(said, "input", None)


def _unsupported(field: str) -> Refusal:
    said = f"Unsupported parameter: '{field}' is not supported with this model."
    return _invalid(said, field, "unsupported_parameter")


def _invalid(message: str, param: str, code: str | None) -> Refusal:
    return Refusal(400, "invalid_request_error", message, code=code, param=param)
