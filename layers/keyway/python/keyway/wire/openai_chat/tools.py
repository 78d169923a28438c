"""The tools a request offers, and how a forced one is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from keyway.chat import ChatRequest, Json, Tool
from keyway.wire.openai_chat.dialect import Dialect


def offer(request: ChatRequest, dialect: Dialect) -> Json:
    """``tools`` and ``tool_choice``; empty when no tool is offered."""
    offered = request.offered_tools
    if not offered:
        return {}
    forced = request.forced_tool
    if forced is None or dialect.forced_tool == "auto":
        return {"tools": _described(offered), "tool_choice": "auto"}
    if dialect.forced_tool == "named":
        return {
            "tools": _described(offered),
            "tool_choice": {"type": "function", "function": {"name": forced.id}},
        }
    return {"tools": _described((forced,)), "tool_choice": dialect.forced_tool}


def mention(request: ChatRequest) -> Json:
    """``tools`` that may not be called, for hosts that ask for them where the history holds calls; else empty.

    Where the request has no tools at all, those the history calls are listed, by their names alone.
    """
    called = dict.fromkeys(call.name for message in request.messages for call in message.tool_calls)
    if not called:
        return {}
    tools = _described(request.tools) or [{"type": "function", "function": _signature(name, {})} for name in called]
    return {"tools": tools, "tool_choice": "none", "parallel_tool_calls": False}


def _described(tools: Sequence[Tool]) -> list[Json]:
    return [{"type": "function", "function": _function(tool)} for tool in tools]


def _function(tool: Tool) -> Json:
    described = {"description": tool.description} if tool.description else {}
    return _signature(tool.id, tool.parameters, **described)


def _signature(name: str, parameters: Json, **described: str) -> Json:
    # An object with properties at the root is asked for everywhere, even when there are none.
    return {"name": name, **described, "parameters": {"type": "object", "properties": {}, **parameters}}
