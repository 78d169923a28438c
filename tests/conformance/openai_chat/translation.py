"""A recorded Chat Completions request as a ``ChatRequest``, a model and a dialect, and what a request means.

Two requests mean the same when ``meaning`` is equal: what is a default anyway (one answer, an automatic choice, a
prefix that is none, no content) says nothing, a text is a list of one text part, and "some tool" of one
tool is that tool.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.wire import openai_chat as wire
from keyway.wire.openai_chat.dialect import Dialect
from tests.conformance.openai_chat.dialects import DIALECTS


class Unsayable(Exception):  # noqa: N818
    """The recorded request holds something a ``ChatRequest`` has no word for."""


_DEFAULTS: dict[str, Any] = {"n": 1, "top_p": 1.0, "stream_options": {"include_usage": True}}
_SETTINGS = {
    "model", "messages", "stream", "tools", "tool_choice", "max_completion_tokens", "reasoning_effort", "reasoning",
    "response_format",
}  # fmt: skip


def sayable(request: dict[str, Any], provider: str) -> tuple[ChatRequest, Model, Dialect]:
    """Raises ``Unsayable`` with the reason."""
    asked_for = _told(request)
    if unknown := sorted(set(asked_for) - _SETTINGS):
        raise Unsayable(f"setting {unknown[0]}")
    dialect = wire.dialect(DIALECTS[provider])
    if any(message["role"] == "developer" for message in asked_for["messages"]):
        dialect = replace(dialect, system_role="developer")
    if "max_completion_tokens" in asked_for:
        dialect = replace(dialect, max_tokens="max_completion_tokens")
    asked: dict[str, Any] = {
        "provider": provider,
        "model": asked_for["model"],
        "messages": [_message(message) for message in asked_for["messages"]],
        "tools": _tools(asked_for),
        "maxTokens": asked_for.get("max_completion_tokens"),
        "stream": asked_for["stream"],
        "reasoningEffort": _effort(asked_for),
        "responseFormat": _format(asked_for.get("response_format")),
    }
    model = Model(id=asked_for["model"], provider=provider, sent_as=asked_for["model"], structured_outputs=True)
    return ChatRequest.model_validate(asked), model, dialect


def _told(request: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if value is not None and (key, value) not in _DEFAULTS.items()}


def _effort(request: Mapping[str, Any]) -> str | None:
    reasoning = request.get("reasoning", {"effort": request.get("reasoning_effort")})
    if "effort" not in reasoning:
        raise Unsayable("reasoning without an effort")
    effort: str | None = reasoning["effort"]
    return effort


def _format(asked: dict[str, Any] | None) -> dict[str, Any] | None:
    if asked is None:
        return None
    if asked["type"] != "json_schema":
        raise Unsayable("JSON without a schema")
    wanted = asked["json_schema"]
    if unknown := sorted(set(wanted) - {"name", "schema", "strict"}):
        raise Unsayable(f"a schema's {unknown[0]}")
    return {"name": wanted["name"], "schema": wanted["schema"], "strict": wanted["strict"]}


def _tools(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    choice = request.get("tool_choice", "auto")
    tools = [_tool(tool) for tool in request.get("tools", [])]
    if choice == "required" and len(tools) == 1:
        choice = {"function": {"name": tools[0]["id"]}}
    if isinstance(choice, dict):
        forced = choice["function"]["name"]
        return [{**tool, "usageControl": "force" if tool["id"] == forced else "auto"} for tool in tools]
    if choice != "auto":
        raise Unsayable(f"tool choice {choice}")
    return tools


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if function is None:
        raise Unsayable("a tool the provider runs")
    if unknown := sorted(set(function) - {"name", "description", "parameters"}):
        raise Unsayable(f"tool setting {unknown[0]}")
    return {"id": function["name"], "description": function["description"], "parameters": function["parameters"]}


def _message(message: dict[str, Any]) -> dict[str, Any]:
    parts = _parts(message.get("content"))
    texts = [part["text"] for part in parts if part["type"] == "text"]
    for part in parts:
        if unknown := sorted(set(part) - {"type", part["type"]}):
            raise Unsayable(f"text with {unknown[0]}")
    if len(texts) > 1:
        raise Unsayable("several pieces of text")
    said: dict[str, Any] = {"content": texts[0] if texts else None}
    match message["role"]:
        case "system" | "developer":
            return {"role": "system", **said}
        case "tool":
            return {"role": "tool", "toolCallId": message["tool_call_id"], **said}
        case "assistant":
            return {"role": "assistant", **said, **_assistant(message)}
    if texts and parts[0]["type"] != "text":
        raise Unsayable("a file before the text")
    return {"role": "user", **said, "files": [_file(part) for part in parts if part["type"] != "text"]}


def _assistant(message: dict[str, Any]) -> dict[str, Any]:
    calls = [
        {"id": c["id"], "name": c["function"]["name"], "arguments": json.loads(c["function"]["arguments"])}
        for c in message.get("tool_calls") or []
    ]
    kept = {name: message[name] for name in ("reasoning_content", "reasoning_details") if message.get(name)}
    return {"toolCalls": calls, "providerExtras": {"openai_chat": kept} if kept else {}}


def _file(part: dict[str, Any]) -> dict[str, Any]:
    match part:
        case {"type": "image_url", "image_url": {"url": url}}:
            return _source(url, "image/png")
        case {"type": "file", "file": {"file_data": url, "filename": name}}:
            return {"name": name, **_source(url, "application/pdf")}
    raise Unsayable(f"a part of type {part['type']}")


def _source(url: str, kind: str) -> dict[str, Any]:
    if not url.startswith("data:"):
        return {"mimeType": kind, "url": url}
    head, _, data = url.partition(";base64,")
    base64.b64decode(data, validate=True)
    return {"mimeType": head.removeprefix("data:"), "data": data}


def meaning(body: Mapping[str, Any]) -> dict[str, Any]:
    result = _told(body)
    result.pop("tool_choice", None)
    if "enabled" in result.get("reasoning", {}):
        result["reasoning"] = {"effort": result["reasoning"]["effort"]}
    tools = [tool["function"] for tool in body.get("tools", [])]
    result["tools"] = [
        {"description": "", **tool, "parameters": {"properties": {}, **tool["parameters"]}} for tool in tools
    ]
    result["choice"] = _choice(body.get("tool_choice", "auto"), [tool["name"] for tool in tools])
    result["messages"] = [_said(message) for message in body["messages"]]
    return result


def _choice(choice: Any, names: list[str]) -> Any:
    if isinstance(choice, dict):
        return choice["function"]["name"]
    return names[0] if choice == "required" and len(names) == 1 else choice


def _said(message: dict[str, Any]) -> dict[str, Any]:
    said = {key: value for key, value in message.items() if value not in (None, [], False)}
    if message["role"] == "tool":
        said.pop("name", None)  # says again what the call's id says
    said["content"] = [_plain(part) for part in _parts(message.get("content"))]
    calls = message.get("tool_calls") or []
    said["tool_calls"] = [(c["id"], c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls]
    return said


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    match part:
        case {"type": "image_url", "image_url": str(url)}:
            return {"type": "image_url", "image_url": {"url": url}}
    return part


def _parts(content: str | list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content or []
