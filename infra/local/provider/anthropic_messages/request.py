"""What Anthropic Messages accepts, and in which words it refuses the rest.

The fields are those of Anthropic's documentation ("Create a Message"), as far as a gateway without server
tools uses them; anything else is refused like an unknown field. Rules that types cannot say (thinking and
temperature, the place of tool results) are at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from infra.local.provider.protocol import Json, Question
from infra.local.provider.script import Refusal
from infra.local.provider.shape import Mistake, Shape, read

VERSIONS = ("2023-06-01", "2026-10-21")
"""Known values of the ``anthropic-version`` header. The newer one takes no sampling settings at all."""

_TAKES_NO_SAMPLING = re.compile(r"claude-opus-4-[78]")


class CacheControl(Shape):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class _Cacheable(Shape):
    cache_control: CacheControl | None = None


class Text(_Cacheable):
    type: Literal["text"]
    text: Annotated[str, Field(min_length=1)]
    citations: list[Json] | None = None


class Base64Source(Shape):
    type: Literal["base64"]
    media_type: str
    data: str


class UrlSource(Shape):
    type: Literal["url"]
    url: str


class TextSource(Shape):
    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


class Image(_Cacheable):
    type: Literal["image"]
    source: Annotated[Base64Source | UrlSource, Field(discriminator="type")]


class Document(_Cacheable):
    type: Literal["document"]
    source: Annotated[Base64Source | UrlSource | TextSource, Field(discriminator="type")]
    title: str | None = None
    context: str | None = None


class ToolUse(_Cacheable):
    type: Literal["tool_use"]
    id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    input: dict[str, object]


class ToolResult(_Cacheable):
    type: Literal["tool_result"]
    tool_use_id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")]
    content: str | list[Annotated[Text | Image | Document, Field(discriminator="type")]] | None = None
    is_error: bool | None = None


class Thinking(Shape):
    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinking(Shape):
    type: Literal["redacted_thinking"]
    data: str


Block = Annotated[
    Text | Image | Document | ToolUse | ToolResult | Thinking | RedactedThinking, Field(discriminator="type")
]


class Message(Shape):
    role: Literal["user", "assistant"]
    content: str | list[Block]


class Tool(_Cacheable):
    type: Literal["custom"] | None = None
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
    description: str | None = None
    input_schema: dict[str, object]
    strict: bool | None = None


class ToolChoice(Shape):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingOptions(Shape):
    type: Literal["enabled", "adaptive", "disabled"]
    budget_tokens: Annotated[int, Field(ge=1024)] | None = None
    display: Literal["summarized", "omitted"] | None = None


class Format(Shape):
    type: Literal["json_schema"]
    json_schema: dict[str, object] = Field(alias="schema")


class OutputConfig(Shape):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: Format | None = None


class Metadata(Shape):
    user_id: str | None = None


class Create(_Cacheable):
    """The request body."""

    model: Annotated[str, Field(min_length=1)]
    max_tokens: Annotated[int, Field(ge=1)]
    messages: Annotated[list[Message], Field(min_length=1)]
    system: str | list[Text] | None = None
    metadata: Metadata | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: int | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: ThinkingOptions | None = None
    output_config: OutputConfig | None = None
    service_tier: Literal["auto", "standard_only"] | None = None


def check(question: Question) -> Refusal | None:
    """The refusal of a request Anthropic would not accept."""
    version = question.headers.get("anthropic-version")
    if version is None:
        return _invalid("anthropic-version: header is required")
    if version not in VERSIONS:
        return _invalid(f'anthropic-version: "{version}" is not a valid version')
    try:
        request = read(Create, question.body)
    except Mistake as mistake:
        return _invalid(f"{'.'.join(map(str, mistake.path))}: {mistake.details['msg']}")
    return next(map(_invalid, _rules(request, version)), None)


def _rules(request: Create, version: str) -> Iterator[str]:
    if request.messages[0].role != "user":
        yield 'messages: first message must use the "user" role'
    for index, message in enumerate(request.messages[:-1]):
        if not message.content:
            said = "all messages must have non-empty content except for the optional final assistant message"
            yield f"messages.{index}: {said}"
    yield from _prefill(request.messages[-1])
    yield from _tool_turns(request.messages)
    if version == VERSIONS[1] or _TAKES_NO_SAMPLING.match(request.model):
        for name in ("temperature", "top_p", "top_k"):
            if getattr(request, name) is not None:
                yield f"{name}: `{name}` is deprecated for this model."
    if request.thinking is not None and request.thinking.type != "disabled":
        yield from _thinking(request, request.thinking)
    if request.tool_choice is not None and not request.tools:
        yield "tool_choice: may only be specified while providing tools"
    if request.output_config is not None and request.output_config.format is not None:
        yield from _open_objects(request.output_config.format.json_schema)


def _prefill(last: Message) -> Iterator[str]:
    if last.role == "user" and not last.content:
        yield "messages: at least one message is required"
    if last.role == "assistant":
        text = last.content if isinstance(last.content, str) else getattr(last.content[-1:], "text", "")
        if text != text.rstrip():
            yield "messages: final assistant content cannot end with trailing whitespace"


def _tool_turns(messages: list[Message]) -> Iterator[str]:
    """Every call is answered once, at the start of the very next user turn, and nothing else is."""
    called: set[str] = set()
    open_calls: set[str] = set()
    for index, message in enumerate([*messages, Message(role="user", content="")]):
        blocks = message.content if isinstance(message.content, list) else []
        results = [block.tool_use_id for block in blocks if isinstance(block, ToolResult)]
        if missing := sorted(open_calls - set(results)):
            yield (
                f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
        if unknown := [result for result in results if result not in open_calls]:
            yield (
                f"messages.{index}.content: unexpected `tool_use_id` found in `tool_result` blocks: {unknown[0]}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if twice := [result for result in results if results.count(result) > 1]:
            yield (
                f"messages.{index}.content: each tool_use must have a single result. Found multiple `tool_result` "
                f"blocks with id: {twice[0]}"
            )
        if any(not isinstance(block, ToolResult) for block in blocks[: len(results)]):
            yield f"messages.{index}: `tool_result` blocks must come first in the content"
        calls = [block.id for block in blocks if isinstance(block, ToolUse)]
        open_calls = set(calls)
        if len(open_calls) < len(calls) or open_calls & called:
            yield f"messages.{index}.content: `tool_use` ids must be unique"
        called |= open_calls


def _thinking(request: Create, thinking: ThinkingOptions) -> Iterator[str]:
    if thinking.type == "enabled":
        if thinking.budget_tokens is None:
            yield "thinking.enabled.budget_tokens: Field required"
        elif thinking.budget_tokens >= request.max_tokens:
            yield "`max_tokens` must be greater than `thinking.budget_tokens`."
    if request.temperature not in (None, 1, 1.0):
        yield "`temperature` may only be set to 1 when thinking is enabled."
    if request.top_k is not None:
        yield "`top_k` must be unset when thinking is enabled."
    if request.tool_choice is not None and request.tool_choice.type in ("any", "tool"):
        yield "Thinking may not be enabled when tool_choice forces tool use."


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


def _invalid(message: str) -> Refusal:
    return Refusal(400, "invalid_request_error", message)
