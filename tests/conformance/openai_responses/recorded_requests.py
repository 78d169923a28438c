"""Turns a recorded request into ours, and any request of this API into what it means, so that the two can be compared.

Ours differs from the recorded ones in form on purpose: the system prompt is an input item and not ``instructions``;
nothing is stored; no tool is strict; an assistant's text is sent without the id it had, and not at all when it is
empty. ``meaning`` levels these out.
"""

from __future__ import annotations

import json
from typing import Any

from keyway.capabilities import Model
from keyway.chat import ChatRequest

SETTINGS = frozenset(
    {"include", "input", "instructions", "model", "reasoning", "stream", "text", "tool_choice", "tools"}
)


class CannotExpress(Exception):  # noqa: N818
    """The request holds something our vocabulary has no word for; ``args[0]`` says what."""


def our_request(recorded: dict[str, Any]) -> tuple[ChatRequest, Model]:
    """The recorded request in our words, and a model that is able to do what it asks."""
    for setting in sorted(set(recorded) - SETTINGS):
        raise CannotExpress(setting)
    if set(recorded.get("reasoning", {})) - {"effort"}:
        raise CannotExpress("reasoning." + "/".join(sorted(set(recorded["reasoning"]) - {"effort"})))
    effort = recorded.get("reasoning", {}).get("effort")
    request: dict[str, Any] = {
        "provider": "openai",
        "model": recorded["model"],
        "systemPrompt": recorded.get("instructions"),
        "messages": _messages(recorded["input"]),
        "tools": [_tool(tool) for tool in recorded.get("tools", [])],
        "stream": recorded["stream"],
        "reasoningEffort": effort,
    }
    if recorded.get("tool_choice", "auto") != "auto":
        raise CannotExpress("tool_choice " + recorded["tool_choice"]["type"])
    if wanted := recorded.get("text", {}).get("format"):
        request["responseFormat"] = {name: wanted[name] for name in ("name", "schema", "strict")}
    efforts = ("low", "high") if "include" in recorded else ()
    model = Model(recorded["model"], "openai", recorded["model"], reasoning_efforts=efforts)
    return ChatRequest.model_validate(request), model


def meaning(body: dict[str, Any]) -> dict[str, Any]:
    """What a request asks for, whoever wrote it."""
    system = [("system", body["instructions"], None)] if body.get("instructions") else []
    return {
        "model": body["model"],
        "input": system + [_item_meaning(item) for item in body["input"] if item.get("content") != ""],
        "tools": [
            (tool["name"], tool.get("description") or None, _schema_meaning(tool["parameters"]))
            for tool in body.get("tools", [])
        ],
        "tool_choice": body.get("tool_choice", "auto"),
        "parallel": body.get("parallel_tool_calls", True),
        "format": body.get("text", {}).get("format"),
        "effort": body.get("reasoning", {}).get("effort"),
        "stream": body["stream"],
        "include": body.get("include", []),
    }


def _messages(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "function_call_output":
            if not isinstance(item["output"], str):
                raise CannotExpress(f"a tool's {item['output'][0]['type']}")
            messages.append({"role": "tool", "toolCallId": item["call_id"], "content": item["output"]})
        elif kind == "message" and item["role"] != "assistant":
            messages.append({"role": item["role"], "content": _plain(item["content"])})
        elif kind in ("message", "reasoning", "function_call"):
            _add_to_turn(messages, kind, item)
        else:
            raise CannotExpress(f"{kind} item")
    return messages


def _add_to_turn(messages: list[dict[str, Any]], kind: str, item: dict[str, Any]) -> None:
    """Adds an item to the assistant's turn it belongs to: a turn has one text, and its calls come after it."""
    last = messages[-1] if messages and messages[-1]["role"] == "assistant" else None
    turn = last or {}
    if last is None or (kind == "message" and (last["content"] or last["toolCalls"])):
        turn = {"role": "assistant", "content": None, "toolCalls": [], "providerExtras": {"openai_responses": []}}
        messages.append(turn)
    notes = turn["providerExtras"]["openai_responses"]
    if kind == "reasoning":
        notes.append({name: value for name, value in item.items() if value})
    elif kind == "message":
        turn["content"] = _plain(item["content"])
        notes.append({"type": "message", "length": len(turn["content"]), "phase": item.get("phase") or ""})
    else:
        call = {"id": item["call_id"], "name": item["name"], "arguments": json.loads(item["arguments"])}
        turn["toolCalls"].append(call)


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    if tool["type"] != "function":
        raise CannotExpress(f"{tool['type']} tool")
    return {"id": tool["name"], "description": tool.get("description") or "", "parameters": tool["parameters"]}


def _plain(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    for part in content:
        if set(part) - {"type", "text", "annotations"}:
            raise CannotExpress("/".join(sorted(set(part) - {"type", "text", "annotations"})))
    return "".join(part["text"] for part in content)


def _item_meaning(item: dict[str, Any]) -> tuple[object, ...]:
    match item.get("type", "message"):
        case "message":
            return (item["role"], _plain(item["content"]), item.get("phase"))
        case "function_call":
            return ("call", item["call_id"], item["name"], json.loads(item["arguments"]))
        case "function_call_output":
            return ("output", item["call_id"], item["output"])
        case kind:
            return (kind, {name: value for name, value in item.items() if value})


def _schema_meaning(schema: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {}, **schema}
