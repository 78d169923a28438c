"""Encodes requests written as the native door takes them."""

from __future__ import annotations

from typing import Any

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.wire import bedrock_converse as wire
from keyway.wire.contract import Outgoing

CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
USER = {"role": "user", "content": "Hi"}
LOOK = {"id": "look", "description": "Looks.", "parameters": {"properties": {"city": {"type": "string"}}}}


def model(sent_as: str = CLAUDE, **more: Any) -> Model:
    settings = {"temperature": (0.0, 1.0), "thinking_levels": ("low", "medium", "high"), **more}
    return Model(id=f"bedrock/{sent_as}", provider="bedrock", sent_as=sent_as, **settings)


def encode(asked_of: Model | None = None, row: dict[str, Any] | None = None, **asked: Any) -> Outgoing:
    described = asked_of or model()
    request = ChatRequest.model_validate({"provider": "bedrock", "model": described.id, "messages": [USER], **asked})
    return wire.encode(request, described, wire.dialect(row or {}))


def body(asked_of: Model | None = None, **asked: Any) -> Any:
    return encode(asked_of, **asked).body


def turns(*messages: dict[str, Any], **asked: Any) -> Any:
    return body(messages=list(messages), **asked)["messages"]
