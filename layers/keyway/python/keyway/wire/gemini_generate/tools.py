"""The functions a model may call, and whether it has to."""

from __future__ import annotations

from keyway.chat import ChatRequest, Json, Tool
from keyway.wire.gemini_generate.generation import Generation
from keyway.wire.gemini_generate.openapi import openapi_schema
from keyway.wire.gemini_generate.schema import json_schema


def tools(request: ChatRequest, of: Generation) -> Json:
    """``tools`` and, where some are forced, ``toolConfig``. Left out, the choice is the model's.

    The model has to call one of the forced functions; which one of several is its choice.
    """
    offered = request.offered_tools
    if not offered:
        return {}
    result: dict[str, object] = {"tools": [{"functionDeclarations": [_declaration(tool, of) for tool in offered]}]}
    if forced := [tool.id for tool in offered if tool.usage_control == "force"]:
        result["toolConfig"] = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": forced}}
    return result


def _declaration(tool: Tool, of: Generation) -> Json:
    function: dict[str, object] = {"name": tool.id}
    if tool.description:
        function["description"] = tool.description
    parameters = {"type": "object", **tool.parameters}
    if of.json_schema:
        function["parametersJsonSchema"] = json_schema(parameters)
    elif tool.parameters.get("properties"):
        function["parameters"] = openapi_schema(parameters)
    # Older models refuse an object without properties; a function without parameters has none at all.
    return function
