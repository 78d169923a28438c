"""What Chat Completions accepts, and in whose words the rest is refused.

The fields are those of OpenAI's API reference ("Create chat completion"), as far as a gateway uses them. What else a
vendor knows, or does not know of these, is in its ``Variant``; rules that types cannot say are ``rules.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from infra.local.provider.openai_chat.rules import RULES
from infra.local.provider.openai_chat.variant import Variant
from infra.local.provider.protocol import Json, Question
from infra.local.provider.script import Refusal
from infra.local.provider.shape import Mistake, Shape, mistake


class TextPart(Shape):
    type: Literal["text"]
    text: str


class ImageUrl(Shape):
    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(Shape):
    type: Literal["image_url"]
    image_url: ImageUrl | str


class FileSource(Shape):
    filename: str | None = None
    file_data: str | None = None
    file_id: str | None = None


class FilePart(Shape):
    type: Literal["file"]
    file: FileSource


def _kind(value: object) -> str:
    return f"#{value.get('type')}" if isinstance(value, Mapping) else "#"


def _role(value: object) -> str:
    return f"#{value.get('role')}" if isinstance(value, Mapping) else "#"


Part = Annotated[
    Annotated[TextPart, Tag("#text")] | Annotated[ImagePart, Tag("#image_url")] | Annotated[FilePart, Tag("#file")],
    Discriminator(_kind),
]


class Function(Shape):
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
    arguments: str


class ToolCall(Shape):
    id: str
    type: Literal["function"]
    function: Function


class System(Shape):
    role: Literal["system", "developer"]
    content: str | list[TextPart]
    name: str | None = None


class User(Shape):
    role: Literal["user"]
    content: str | list[Part]
    name: str | None = None


class Assistant(Shape):
    role: Literal["assistant"]
    content: str | list[Json] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: Annotated[list[ToolCall], Field(min_length=1)] | None = None


class ToolResult(Shape):
    role: Literal["tool"]
    content: str | list[TextPart]
    tool_call_id: str
    name: str | None = None


Message = Annotated[
    Annotated[System, Tag("#system")]
    | Annotated[System, Tag("#developer")]
    | Annotated[User, Tag("#user")]
    | Annotated[Assistant, Tag("#assistant")]
    | Annotated[ToolResult, Tag("#tool")],
    Discriminator(_role),
]


class FunctionSpec(Shape):
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None


class Tool(Shape):
    type: Literal["function"]
    function: FunctionSpec


class FunctionName(Shape):
    name: str


class NamedTool(Shape):
    type: Literal["function"]
    function: FunctionName


class Schema(Shape):
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
    description: str | None = None
    json_schema: dict[str, object] = Field(alias="schema")
    strict: bool | None = None


class ResponseFormat(Shape):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: Schema | None = None


class StreamOptions(Shape):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None
    continuous_usage_stats: bool | None = None


class Create(Shape):
    """The request body. ``any`` is Mistral's tool choice."""

    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[Message], Field(min_length=1)]
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    metadata: dict[str, str] | None = None
    n: int | None = None
    parallel_tool_calls: bool | None = None
    presence_penalty: float | None = None
    prompt_cache_key: str | None = None
    reasoning_effort: str | None = None
    response_format: ResponseFormat | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    service_tier: str | None = None
    stop: str | list[str] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    tool_choice: Literal["auto", "none", "required", "any"] | NamedTool | None = None
    tools: Annotated[list[Tool], Field(min_length=1)] | None = None
    top_logprobs: int | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    user: str | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


def check(question: Question, variant: Variant) -> Refusal | None:
    """The refusal of a request this vendor would not accept."""
    if variant.unknown != "ignored":
        for name in question.body:
            if name in variant.refuses:
                return _unknown(variant, (name,), question.body[name])
    found = mistake(Create, _known(question.body, variant), unknown_fields=variant.unknown == "ignored")
    if found is not None:
        return _refused(variant, found)
    return next((refusal for rule in variant.rules for refusal in RULES[rule](question)), None)


def _known(body: Json, variant: Variant) -> Json:
    """``body`` without what only this vendor knows."""
    known = {name: value for name, value in body.items() if name not in variant.takes}
    if isinstance(messages := known.get("messages"), list):
        known["messages"] = [
            {name: value for name, value in message.items() if name not in variant.message_takes}
            if isinstance(message, Mapping) and message.get("role") == "assistant"
            else message
            for message in messages
        ]
    return known


def _unknown(variant: Variant, path: tuple[str | int, ...], given: object) -> Refusal:
    dotted = ".".join(map(str, path))
    match variant.unknown:
        case "mistral":
            return Refusal(422, "invalid_request_error", "Extra inputs are not permitted", "extra_forbidden", dotted)
        case "groq":
            said = f"property '{path[-1]}' is unsupported"
            if len(path) > 1:
                place = f"'{path[0]}.{path[1]}'"
                said = f"{place} : for 'role:assistant' the following must be satisfied[({place} : {said})]"
            return Refusal(400, "invalid_request_error", said)
        case "cerebras":
            place = dotted if len(path) > 1 else f"body.{dotted}"
            said = f"{place}: property '{place}' is unsupported"
            return Refusal(400, "invalid_request_error", said, "wrong_api_format", "validation_error")
        case "fireworks":
            said = f"Extra inputs are not permitted, field: '{dotted}', value: {given!r}"
            return Refusal(400, "invalid_request_error", said)
        case _:
            place = _bracketed(path)
            return Refusal(400, "invalid_request_error", f"Unknown parameter: '{place}'.", "unknown_parameter", place)


def _refused(variant: Variant, found: Mistake) -> Refusal:
    given = found.details["input"]
    kind = found.details["type"]
    if kind == "extra_forbidden":
        return _unknown(variant, found.path, given)
    if variant.mistake_status == 422:
        return Refusal(422, "invalid_request_error", found.details["msg"], kind, ".".join(map(str, found.path)))
    place = _bracketed(found.path)
    match kind:
        case "missing":
            said, code = f"Missing required parameter: '{place}'.", "missing_required_parameter"
        case "literal_error" | "union_tag_invalid":
            said, code = f"Invalid value: {given!r}.", "invalid_value"
        case "string_pattern_mismatch":
            said, code = f"Invalid '{place}': string does not match pattern.", "invalid_value"
        case _:
            said, code = f"Invalid type for '{place}': {found.details['msg']}.", "invalid_type"
    return Refusal(400, "invalid_request_error", said, code, place)


def _bracketed(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
