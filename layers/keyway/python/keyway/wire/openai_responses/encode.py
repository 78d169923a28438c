"""Our request as the body of ``POST /responses``.

Only what was asked for is sent, with two exceptions. ``store`` is always false: the gateway keeps no conversation at
a provider. ``strict`` stands on every tool, because the API takes its absence for true and then refuses ordinary
schemas. Numbers are sent as they came: a ``maxTokens`` below the API's minimum (16 for most models) is for the
provider to refuse, as raising it in silence would spend tokens the caller ruled out.
"""

from __future__ import annotations

from keyway.capabilities import Model
from keyway.chat import ChatRequest, Json, ResponseFormat, Tool
from keyway.wire.contract import Outgoing
from keyway.wire.openai_responses.dialect import Dialect
from keyway.wire.openai_responses.input_items import input_items
from keyway.wire.openai_responses.schema import strict

AUTO = "auto"
"""As an effort or a verbosity: the model's own default, which the API names by leaving the setting out."""


def encode(request: ChatRequest, model: Model, dialect: Dialect) -> Outgoing:
    """The provider's request for ours. See ``Wire.encode``.

    Raises:
        InvalidRequest: A message, a file or a schema that this API cannot express; the message names it.
    """
    body: dict[str, object] = {
        "model": model.sent_as,
        "input": input_items(request),
        "stream": request.stream,
        "store": False,
        **_tools(request),
        **_reasoning(request, model, dialect),
    }
    waits = dialect.schema_waits_for_tools and request.response_format is not None and bool(request.offered_tools)
    if text := _text(request, None if waits else request.response_format):
        body["text"] = text
    if request.max_tokens is not None:
        body["max_output_tokens"] = request.max_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return Outgoing(path=dialect.path, body=body, streamed=request.stream, schema_waits=waits)


def _tools(request: ChatRequest) -> Json:
    offered = request.offered_tools
    if not offered:
        return {}
    forced = request.forced_tool
    return {
        "tools": [_tool(tool) for tool in offered],
        "tool_choice": {"type": "function", "name": forced.id} if forced else "auto",
        "parallel_tool_calls": True,
    }


def _tool(tool: Tool) -> Json:
    function: dict[str, object] = {"type": "function", "name": tool.id}
    if tool.description:
        function["description"] = tool.description
    # The API wants an object with properties at the root, even when there are none.
    function["parameters"] = {"type": "object", "properties": {}, **tool.parameters}
    function["strict"] = False
    return function


def _reasoning(request: ChatRequest, model: Model, dialect: Dialect) -> Json:
    """How hard to think, and that the reasoning may come back to us.

    A summary is asked for only beside an effort: OpenAI refuses summaries to organisations it has not verified
    ("Your organization must be verified to generate reasoning summaries"), and a plain request must not fail on that.
    """
    settings: dict[str, object] = {}
    effort = request.reasoning_effort
    asked = effort is not None and effort != AUTO
    if asked:
        settings["reasoning"] = {"effort": effort, "summary": "auto"}
    if dialect.encrypted_reasoning and (asked or model.reasoning_efforts):
        settings["include"] = ["reasoning.encrypted_content"]
    return settings


def _text(request: ChatRequest, wanted: ResponseFormat | None) -> Json:
    text: dict[str, object] = {}
    if request.verbosity is not None and request.verbosity != AUTO:
        text["verbosity"] = request.verbosity
    if wanted is not None:
        text["format"] = _format(wanted)
    return text


def _format(wanted: ResponseFormat) -> Json:
    schema: Json = wanted.json_schema
    if wanted.strict:
        schema = strict(schema, where="responseFormat.schema")
    return {"type": "json_schema", "name": wanted.name, "schema": schema, "strict": wanted.strict}
