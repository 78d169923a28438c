"""The tools the model may call, and which it must."""

from __future__ import annotations

from keyway.chat import ChatRequest, Json, Tool

_NAMES_ITS_TOOL = ("anthropic", "amazon", "")
"""Vendors whose models can be made to call one tool among several (``""``: the vendor cannot be told from the id).
Source: the API reference, "ToolChoice"."""


def tool_config(request: ChatRequest, vendor: str, *, thinks: bool) -> Json | None:
    """``toolConfig``, or ``None`` when no tool is offered. Without ``toolChoice`` the choice is the model's."""
    if not request.offered_tools:
        return None
    config: dict[str, object] = {"tools": [{"toolSpec": _specification(tool)} for tool in request.offered_tools]}
    forced = request.forced_tool
    if forced is not None and not thinks:  # a model that thinks cannot be made to call a tool; the API says 400
        if len(request.offered_tools) == 1 and vendor not in _NAMES_ITS_TOOL:
            config["toolChoice"] = {"any": {}}  # the same of one tool, and more models understand it
        else:
            config["toolChoice"] = {"tool": {"name": forced.id}}
    return config


def _specification(tool: Tool) -> Json:
    specification: dict[str, object] = {"name": tool.id}
    if tool.description:
        specification["description"] = tool.description
    return {**specification, "inputSchema": {"json": {"type": "object", **tool.parameters}}}
