"""A recorded Converse request as a ``ChatRequest`` and a model, and what a request means.

Two requests mean the same when ``meaning`` is equal: an empty ``system`` or ``inferenceConfig`` says nothing, nor does
an automatic tool choice or a result's ``success``; texts that stand side by side in a turn are one text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from keyway.capabilities import Model
from keyway.chat import ChatRequest


class UnsayableError(Exception):
    """The recorded request holds something a ``ChatRequest`` has no word for."""


_BUDGETS = {2_048: "low", 8_192: "medium", 32_768: "high"}
_SETTINGS = {"messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "additionalModelRequestFields"}
_FORMATS = {"pdf": "application/pdf", "jpeg": "image/jpeg", "mp4": "video/mp4"}


def sayable(path: str, request: dict[str, Any]) -> tuple[ChatRequest, Model]:
    """Raises ``UnsayableError`` with the reason."""
    if unknown := sorted(set(request) - _SETTINGS):
        raise UnsayableError(f"setting {unknown[0]}")
    if unknown := sorted(set(request.get("inferenceConfig", {})) - {"maxTokens", "temperature"}):
        raise UnsayableError(f"setting {unknown[0]}")
    model = unquote(path.split("/")[2])
    extra = dict(request.get("additionalModelRequestFields", {}))
    efforts = {extra.pop("reasoning_effort", None), extra.pop("reasoning_config", None)} - {None}
    thinking = extra.pop("thinking", None)
    asked: dict[str, Any] = {
        "provider": "bedrock",
        "model": model,
        "systemPrompt": "".join(block["text"] for block in request.get("system", [])) or None,
        "messages": [part for message in request["messages"] for part in _messages(message)],
        "tools": _tools(request.get("toolConfig", {})),
        "maxTokens": request.get("inferenceConfig", {}).get("maxTokens"),
        "temperature": request.get("inferenceConfig", {}).get("temperature"),
        "stream": path.endswith("/converse-stream"),
        "reasoningEffort": efforts.pop() if efforts else None,
        "thinkingLevel": _level(thinking),
    }
    if text_format := request.get("outputConfig", {}).get("textFormat"):
        schema = text_format["structure"]["jsonSchema"]
        asked["responseFormat"] = {"name": schema["name"], "schema": json.loads(schema["schema"])}
    described = Model(
        id=f"bedrock/{model}",
        provider="bedrock",
        sent_as=model,
        temperature=(0, 1),
        thinking_levels=("low", "medium", "high"),
        reasoning_efforts=("low", "medium", "high"),
        structured_outputs=True,
    )
    return ChatRequest.model_validate(asked), described


def _level(thinking: Mapping[str, Any] | None) -> str | None:
    if thinking is None:
        return None
    if thinking["type"] != "enabled":
        raise UnsayableError("thinking without a level")
    if thinking["budget_tokens"] not in _BUDGETS:
        raise UnsayableError("a thinking budget of our own choice")
    return _BUDGETS[thinking["budget_tokens"]]


def _tools(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "any" in config.get("toolChoice", {}) and len(config["tools"]) > 1:
        raise UnsayableError("any of several tools")
    tools = []
    for tool in config.get("tools", []):
        specification = dict(tool["toolSpec"])
        if "strict" in specification:
            raise UnsayableError("tool setting strict")
        tools.append(
            {
                "id": specification["name"],
                "description": specification.get("description", ""),
                "parameters": specification["inputSchema"]["json"],
            }
        )
    return tools


def _messages(message: dict[str, Any]) -> list[dict[str, Any]]:
    if message["role"] == "user":
        return [_user_message(block) for block in message["content"]]
    said: dict[str, Any] = {"role": "assistant", "content": "", "toolCalls": [], "providerExtras": {}}
    for block in message["content"]:
        match block:
            case {"text": text}:
                said["content"] += text
            case {"toolUse": {"toolUseId": call, "name": name, "input": given}}:
                said["toolCalls"].append({"id": call, "name": name, "arguments": given})
            case {"reasoningContent": _}:
                said["providerExtras"].setdefault("bedrock_converse", []).append(block)
    return [said]


def _user_message(block: dict[str, Any]) -> dict[str, Any]:
    match block:
        case {"text": text}:
            return {"role": "user", "content": text}
        case {"toolResult": {"toolUseId": call, "content": [*parts]}}:
            texts = [part["text"] for part in parts if "text" in part]
            files = [_file(part) for part in parts if "text" not in part]
            return {"role": "tool", "toolCallId": call, "content": "".join(texts), "files": files}
    return {"role": "user", "files": [_file(block)]}


def _file(block: dict[str, Any]) -> dict[str, Any]:
    (media,) = block.values()
    source = media["source"]
    place = {"data": source["bytes"]} if "bytes" in source else {"url": source["s3Location"]["uri"]}
    return {"name": media.get("name", "file"), "mimeType": _FORMATS[media["format"]], **place}


def meaning(body: Mapping[str, Any]) -> dict[str, Any]:
    result = {key: body[key] for key in ("additionalModelRequestFields",) if key in body}
    result["inferenceConfig"] = body.get("inferenceConfig", {})
    result["system"] = "".join(block["text"] for block in body.get("system", []))
    config = body.get("toolConfig", {})
    result["tools"] = config.get("tools", [])
    result["toolChoice"] = config.get("toolChoice", {"auto": {}})
    if "outputConfig" in body:
        schema = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
        result["format"] = (schema["name"], json.loads(schema["schema"]))
    result["messages"] = [(message["role"], _plain(message["content"])) for message in body["messages"]]
    return result


def _plain(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for block in content:
        if "text" in block and blocks and "text" in blocks[-1]:
            blocks[-1] = {"text": blocks[-1]["text"] + block["text"]}
        elif "toolResult" in block:
            result = {key: value for key, value in block["toolResult"].items() if (key, value) != ("status", "success")}
            blocks.append({"toolResult": result})
        else:
            blocks.append(block)
    return blocks
