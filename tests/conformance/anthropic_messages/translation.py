"""A recorded Messages request as a ``ChatRequest`` and a model, and what a request means.

Two requests mean the same when ``meaning`` is equal: neighbouring turns of one role are one turn, a string is one
text block, and what is the API's default anyway (``is_error: false``, an automatic choice) says nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from keyway.capabilities import Model
from keyway.chat import ChatRequest


class UnsayableError(Exception):
    """The recorded request holds something a ``ChatRequest`` has no word for."""


_BUDGETS = {2_048: "low", 8_192: "medium", 32_768: "high"}
_SETTINGS = {
    "model", "max_tokens", "messages", "system", "stream", "tools", "tool_choice", "thinking", "temperature",
    "output_config",
}  # fmt: skip


def sayable(request: dict[str, Any]) -> tuple[ChatRequest, Model]:
    """Raises ``UnsayableError`` with the reason."""
    if unknown := sorted(set(request) - _SETTINGS):
        raise UnsayableError(f"setting {unknown[0]}")
    output = request.get("output_config", {})
    asked: dict[str, Any] = {
        "provider": "anthropic",
        "model": request["model"],
        "systemPrompt": "".join(block["text"] for block in _blocks(request.get("system", ""))) or None,
        "messages": [part for message in request["messages"] for part in _messages(message)],
        "tools": [_tool(tool) for tool in request.get("tools", [])],
        "maxTokens": request["max_tokens"],
        "stream": request["stream"],
        "thinkingLevel": _level(request.get("thinking")),
        "temperature": request.get("temperature"),
    }
    if "format" in output:
        asked["responseFormat"] = {"schema": output["format"]["schema"]}
    if request.get("tool_choice", {"type": "auto"}) != {"type": "auto"}:
        raise UnsayableError(f"tool choice {request['tool_choice']['type']}")
    model = Model(
        id=request["model"],
        provider="anthropic",
        sent_as=request["model"],
        temperature=(0, 1),
        thinking_levels=("low", "medium", "high"),
        structured_outputs="format" in output,
        max_output_tokens=64_000,
    )
    return ChatRequest.model_validate(asked), model


def _level(thinking: Mapping[str, Any] | None) -> str | None:
    if thinking is None:
        return None
    if thinking["type"] != "enabled":
        raise UnsayableError("thinking without a level")
    if thinking["budget_tokens"] not in _BUDGETS:
        raise UnsayableError("a thinking budget of our own choice")
    return _BUDGETS[thinking["budget_tokens"]]


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    if "input_schema" not in tool:
        raise UnsayableError("a tool the provider runs")
    if unknown := sorted(set(tool) - {"name", "description", "input_schema"}):
        raise UnsayableError(f"tool setting {unknown[0]}")
    return {"id": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}


def _messages(message: dict[str, Any]) -> list[dict[str, Any]]:
    if message["role"] == "system":
        raise UnsayableError("a system turn in the middle")
    blocks = _blocks(message["content"])
    if message["role"] == "assistant":
        calls = [b for b in blocks if b["type"] == "tool_use"]
        texts = [b for b in blocks if b["type"] == "text"]
        if len(calls) + len(texts) != len(blocks):
            raise UnsayableError("assistant blocks besides text and calls")
        said = {"role": "assistant", "content": "".join(block["text"] for block in texts)}
        return [{**said, "toolCalls": [{"id": b["id"], "name": b["name"], "arguments": b["input"]} for b in calls]}]
    return [_user_message(block) for block in blocks]


def _user_message(block: dict[str, Any]) -> dict[str, Any]:
    match block:
        case {"type": "text", "text": text}:
            return {"role": "user", "content": text}
        case {"type": "tool_result", "tool_use_id": call, "content": content, "is_error": False}:
            parts = _blocks(content)
            if any(part["type"] != "text" for part in parts):
                raise UnsayableError("a tool result of another type")
            text = "".join(part["text"] for part in parts)
            return {"role": "tool", "toolCallId": call, "content": text}
        case {"type": "image" | "document" as kind, "source": source}:
            return {"role": "user", "files": [_file(kind, source)]}
    raise UnsayableError(f"user block {block['type']}")


def _file(kind: str, source: dict[str, Any]) -> dict[str, Any]:
    if source["type"] == "url":
        return {"mimeType": "application/pdf" if kind == "document" else "image/png", "url": source["url"]}
    if source["type"] == "text":
        return {"mimeType": "text/plain", "data": base64.b64encode(source["data"].encode()).decode()}
    return {"mimeType": source["media_type"], "data": source["data"]}


def meaning(body: Mapping[str, Any]) -> dict[str, Any]:
    result = {
        key: body[key] for key in ("model", "max_tokens", "thinking", "temperature", "output_config") if key in body
    }
    result["stream"] = body.get("stream", False)
    result["system"] = "".join(block["text"] for block in _blocks(body.get("system", "")))
    result["tools"] = [{"description": "", **tool} for tool in body.get("tools", [])]
    result["tool_choice"] = body.get("tool_choice", {"type": "auto"})
    result["messages"] = _turns(body["messages"])
    return result


def _turns(messages: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    turns: list[tuple[str, list[dict[str, Any]]]] = []
    for message in messages:
        blocks = [_plain(block) for block in _blocks(message["content"])]
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(blocks)
        else:
            turns.append((message["role"], blocks))
    return turns


def _plain(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] != "tool_result":
        return block
    result = {key: value for key, value in block.items() if (key, value) != ("is_error", False)}
    return {**result, "content": _blocks(block.get("content", ""))}


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content
