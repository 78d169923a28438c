"""A recorded ``generateContent`` request as a ``ChatRequest`` and a model, and what a request means.

Two requests mean the same when ``meaning`` is equal: field names in either case, signatures in either base64, a
schema in ``parameters`` or ``parametersJsonSchema``, what is the API's default anyway, and an empty description.
"""

from __future__ import annotations

import json
import re
from typing import Any

from keyway.capabilities import Model
from keyway.chat import ChatRequest

UNKNOWN = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
_VERBATIM = ("args", "response", "parametersJsonSchema", "responseJsonSchema")
_SCHEMAS = ("parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema")
_BODY = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}
_CONFIG = {"temperature", "maxOutputTokens", "responseMimeType", "responseSchema", "responseJsonSchema"}


class UnsayableError(Exception):
    """The recorded request holds something a ``ChatRequest`` has no word for."""


def camel(value: Any) -> Any:
    """``value`` with the field names of the reference; the API takes them in snake case as well."""
    if isinstance(value, list):
        return [camel(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    renamed = {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): entry for key, entry in value.items()}
    return {key: entry if key in _VERBATIM else camel(entry) for key, entry in renamed.items()}


def sayable(recorded: dict[str, Any], path: str, provider: str) -> tuple[ChatRequest, Model]:
    """Raises ``UnsayableError`` with the reason."""
    name, method = path.rpartition("/models/")[2].split(":")
    body = camel(recorded)
    config = body["generationConfig"]
    unknown = [key for key in body if key not in _BODY] + [
        key for key in config if key not in _CONFIG and (key, config[key]) != ("responseModalities", ["TEXT"])
    ]
    if unknown:
        raise UnsayableError(f"setting {min(unknown)}")
    schema = config.get("responseJsonSchema") or lower_types(config.get("responseSchema"))
    if "responseMimeType" in config and schema is None:
        raise UnsayableError("JSON without a schema")
    asked = {
        "provider": provider,
        "model": name,
        "systemPrompt": "\n\n".join(part["text"] for part in body.get("systemInstruction", {}).get("parts", [])),
        "messages": [message for content in body["contents"] for message in _messages(content, provider, name)],
        "tools": _tools(body),
        "temperature": config.get("temperature"),
        "responseFormat": {"schema": schema} if schema else None,
        "stream": method.startswith("stream"),
    }
    model = Model(id=name, provider=provider, sent_as=name, temperature=(0, 2))
    return ChatRequest.model_validate(asked), model


def _messages(content: dict[str, Any], provider: str, model: str) -> list[dict[str, Any]]:
    if content["role"] == "model":
        return [_assistant(content["parts"], provider, model)]
    return [_user(part) for part in content["parts"]]


def _user(part: dict[str, Any]) -> dict[str, Any]:
    if "functionResponse" in part:
        given = part["functionResponse"]
        message = {"role": "tool", "toolCallId": given["id"], "content": json.dumps(given["response"])}
        return {**message, "files": [_file(inner) for inner in given.get("parts", [])]}
    if "text" in part:
        return {"role": "user", "content": part["text"]}
    return {"role": "user", "files": [_file(part)]}


def _file(part: dict[str, Any]) -> dict[str, Any]:
    if "inlineData" in part:
        return {"mimeType": part["inlineData"]["mimeType"], "data": part["inlineData"]["data"]}
    return {"mimeType": part["fileData"]["mimeType"], "url": part["fileData"]["fileUri"]}


def _assistant(parts: list[dict[str, Any]], provider: str, model: str) -> dict[str, Any]:
    notes: list[dict[str, Any]] = []
    for part in parts:
        call = part.get("functionCall")
        note = {"type": "functionCall", "id": call["id"]} if call else {"type": "text", "length": len(part["text"])}
        signature = part.get("thoughtSignature", UNKNOWN)
        notes.append(note if signature == UNKNOWN else {**note, "thoughtSignature": signature})
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(part.get("text", "") for part in parts),
        "toolCalls": [
            {"id": part["functionCall"]["id"], "name": part["functionCall"]["name"],
             "arguments": part["functionCall"]["args"]}
            for part in parts if "functionCall" in part
        ],
    }  # fmt: skip
    if any("thoughtSignature" in note for note in notes):
        message["providerExtras"] = {"gemini_generate": {"provider": provider, "model": model, "parts": notes}}
    return message


def _tools(body: dict[str, Any]) -> list[dict[str, Any]]:
    choice = body.get("toolConfig", {}).get("functionCallingConfig", {"mode": "AUTO"})
    if choice["mode"] not in ("AUTO", "ANY"):
        raise UnsayableError(f"tool choice {choice['mode']}")
    forced = choice.get("allowedFunctionNames", [])
    tools = []
    for tool in body.get("tools", []):
        if set(tool) != {"functionDeclarations"}:
            raise UnsayableError("a tool the provider runs")
        for function in tool["functionDeclarations"]:
            schema = function.get("parametersJsonSchema") or lower_types(function["parameters"])
            control = "force" if function["name"] in forced else "auto"
            tools.append(
                {"id": function["name"], "description": function["description"], "parameters": schema,
                 "usageControl": control}
            )  # fmt: skip
    return tools


def lower_types(schema: Any) -> Any:
    """The types of OpenAPI's ``Schema`` in the case of JSON Schema; the API takes either."""
    if isinstance(schema, list):
        return [lower_types(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: entry.lower() if key == "type" and isinstance(entry, str) else lower_types(entry)
        for key, entry in schema.items()
    }


def meaning(request: Any) -> Any:
    """``request`` without what makes no difference."""
    body = camel(request)
    config = body.pop("generationConfig", {})
    config.pop("responseModalities", None)
    for holder in (config, *(f for tool in body.get("tools", []) for f in tool["functionDeclarations"])):
        for key in set(_SCHEMAS) & set(holder):
            schema = lower_types(holder.pop(key))
            if schema.get("properties") or key.startswith("response"):
                holder["schema"] = schema
        if not holder.get("description", "x"):
            del holder["description"]
    body["config"] = config
    body.get("systemInstruction", {}).pop("role", None)
    if body.get("toolConfig") == {"functionCallingConfig": {"mode": "AUTO"}}:
        del body["toolConfig"]
    for content in body["contents"]:
        for part in content["parts"]:
            if "thoughtSignature" in part:
                part["thoughtSignature"] = part["thoughtSignature"].replace("-", "+").replace("_", "/")
    return body
