"""What a caller asks for: the one vocabulary that every front door speaks inwards and every wire speaks outwards.

The models are also the shape of the native door's JSON (camelCase, unknown keys refused), so a new field is
added here and nowhere else. Nothing here knows a provider's protocol; dropping what a model does not take is
``sanitise.py``; who the caller is and whose key pays is ``Caller`` and ``keys/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from keyway.strict_json import problem

Json: TypeAlias = Mapping[str, object]
"""A JSON object whose keys are not ours to name."""


def _without_nul(value: object) -> object:
    # A NUL can neither stand in an HTTP header nor in most vendors' text; refusing it here names the field.
    if isinstance(value, str) and "\0" in value:
        raise ValueError("must not contain a NUL character")
    return value


Text = Annotated[str, BeforeValidator(_without_nul)]
CallId = Annotated[str, Field(min_length=1, max_length=16_384), BeforeValidator(_without_nul)]
"""Some hosts keep a model's whole thought signature in a call's id."""

Name = Annotated[str, Field(min_length=1, max_length=256), BeforeValidator(_without_nul)]


def _passable(value: object) -> object:
    if (found := problem(value)) is not None:
        raise ValueError(found)
    return value


AnyJson = Annotated[Any, BeforeValidator(_passable)]
JsonObject = Annotated[dict[str, object], BeforeValidator(_passable)]
"""What is passed on unread. All that is asked of it is that it can be (``strict_json.py``)."""


class CamelModel(BaseModel):
    """What all that callers and operators write for us has in common: camelCase, immutable, strict about types."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )


class File(CamelModel):
    """A file beside a message's text: ``data`` (base64) inline, or ``url`` for the provider to fetch."""

    name: Text = "file"
    mime_type: Name
    data: Text | None = None
    url: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> File:
        if (self.data is None) == (self.url is None):
            raise ValueError("needs exactly one of data (base64) and url")
        return self


class MessageToolCall(CamelModel):
    """A call the model made earlier in the conversation."""

    id: CallId
    name: Name
    arguments: JsonObject = Field(default_factory=dict)


class Message(CamelModel):
    """One turn of the conversation.

    ``toolCalls`` belongs to an assistant's turn, ``toolCallId`` to a tool's answer. ``providerExtras`` is what an
    earlier answer carried under that name and is handed back verbatim to the wire that wrote it.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: Text | None = None
    files: tuple[File, ...] = Field(default=(), strict=False)
    name: Name | None = None
    tool_calls: tuple[MessageToolCall, ...] = Field(default=(), strict=False)
    tool_call_id: CallId | None = None
    provider_extras: JsonObject = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_its_role(self) -> Message:
        if self.tool_calls and self.role != "assistant":
            raise ValueError(f"toolCalls belong to an assistant message, not to a {self.role} message")
        if self.role == "tool" and self.tool_call_id is None:
            raise ValueError("a tool message needs toolCallId")
        if self.content is None and not self.tool_calls and not self.files and not self.provider_extras:
            raise ValueError("needs content")
        return self


ExecutorKind: TypeAlias = Literal["http", "lambda"]
"""The kinds of executor there are; their members are below, and what runs each is in ``outside/``."""

EXECUTOR_KINDS: tuple[ExecutorKind, ...] = get_args(ExecutorKind)


class HttpExecutor(CamelModel):
    """Runs a tool as one HTTP request that is answered with JSON.

    ``url`` is a URI template (RFC 6570), such as ``https://api.example/items/{id}{?limit}``; in ``headers`` and in the
    strings of ``body``, ``{name}`` stands for an argument. A body that is left out is the arguments themselves, except
    for GET and DELETE, which then have none. How templates are filled is ``tools/template.py``.
    """

    type: Literal["http"]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    url: Annotated[str, Field(min_length=1, max_length=4096), BeforeValidator(_without_nul)]
    headers: dict[str, Text] = Field(default_factory=dict, repr=False)
    body: AnyJson = Field(default=None, repr=False)
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0

    @property
    def sends_arguments(self) -> bool:
        """Whether the body is the arguments themselves."""
        return "body" not in self.model_fields_set and self.method not in ("GET", "DELETE")


class LambdaExecutor(CamelModel):
    """Runs a tool as one synchronous invocation of a Lambda function."""

    type: Literal["lambda"]
    function: Annotated[
        str,
        Field(pattern=r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(?::[A-Za-z0-9$_-]+)?$"),
    ]
    timeout_seconds: Annotated[float, Field(gt=0, le=900)] = 60.0


ExecutorSpec: TypeAlias = Annotated[HttpExecutor | LambdaExecutor, Field(discriminator="type")]
"""What runs a tool on the gateway's side."""


def no_parameters() -> dict[str, object]:
    """The JSON Schema of a tool that takes no arguments."""
    return {"type": "object", "properties": {}}


class Tool(CamelModel):
    """A function the model may call. ``id`` is its name on every wire; ``parameters`` is a JSON Schema.

    ``params`` are arguments the operator of the workflow has already set; they win over the model's. A call is run here
    when the operator's tool catalog has the ``id``, or the operator allows this kind of ``executor``; any other is
    handed back to the caller (``tools/toolbox.py``). Keys may stand in ``params``, so they are not shown.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    name: Text = ""
    description: Text = ""
    params: JsonObject = Field(default_factory=dict, repr=False)
    parameters: JsonObject = Field(default_factory=no_parameters)
    usage_control: Literal["auto", "force", "none"] = "auto"
    executor: ExecutorSpec | None = None


class ResponseFormat(CamelModel):
    """A JSON Schema the answer has to satisfy."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "response_schema"
    json_schema: JsonObject = Field(alias="schema")
    strict: bool = True


class ChatRequest(CamelModel):
    """One request to a model, free of anything about who asks or who pays."""

    provider: Name
    model: Name
    system_prompt: Text | None = None
    context: Text | None = None
    messages: tuple[Message, ...] = Field(default=(), strict=False)
    tools: tuple[Tool, ...] = Field(default=(), strict=False)
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    response_format: ResponseFormat | None = None
    stream: bool = False
    reasoning_effort: Name | None = None
    verbosity: Name | None = None
    thinking_level: Name | None = None
    previous_interaction_id: Name | None = None
    azure_endpoint: Name | None = None
    azure_api_version: Name | None = None
    vertex_project: Name | None = None
    vertex_location: Name | None = None
    bedrock_access_key_id: Name | None = None
    bedrock_secret_key: SecretStr | None = None
    bedrock_region: Name | None = None

    @field_validator("response_format", mode="before")
    @classmethod
    def _empty_format_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _asks_something(self) -> ChatRequest:
        if not self.messages and not self.system_prompt and not self.context:
            raise ValueError("messages: must hold at least one message when there is no systemPrompt or context")
        seen: set[str] = set()
        for tool in self.tools:
            if tool.id in seen:
                raise ValueError(f"tools: the id {tool.id!r} is used twice")
            seen.add(tool.id)
        return self

    @property
    def offered_tools(self) -> tuple[Tool, ...]:
        """The tools the model is told about: all but those with ``usageControl: none``."""
        return tuple(tool for tool in self.tools if tool.usage_control != "none")

    @property
    def forced_tool(self) -> Tool | None:
        """The first tool the model has to call, if any."""
        return next((tool for tool in self.tools if tool.usage_control == "force"), None)

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The messages as a provider should see them: ``context`` is a user turn before all others."""
        if not self.context:
            return self.messages
        return (Message(role="user", content=self.context), *self.messages)


class Caller(CamelModel):
    """Who asks, and the key they brought. Never part of what a provider is told."""

    api_key: SecretStr | None = None
    workspace_id: Name | None = None
    user_id: Name | None = None
    org_id: Name | None = None
    workflow_id: Name | None = None
    chat_id: Name | None = None

    @property
    def ids(self) -> Mapping[str, str]:
        """Everybody the request is for, under the names of the contract; whoever is not named is not there."""
        named = {
            "workspaceId": self.workspace_id,
            "userId": self.user_id,
            "orgId": self.org_id,
            "workflowId": self.workflow_id,
            "chatId": self.chat_id,
        }
        return {name: value for name, value in named.items() if value is not None}
