"""Requests for the tests of this folder, told in as few words as possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.wire import openai_chat as wire
from tests.conformance.openai_chat.dialects import DIALECTS

MODEL = Model(id="m", provider="p", sent_as="sent-m")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
LOOK = {"id": "look", "description": "Looks.", "parameters": SCHEMA}
NOW = {"id": "now"}
ASK = {"role": "user", "content": "Where?"}


def calling(*call_ids: str, **rest: Any) -> dict[str, Any]:
    """An assistant's message that calls ``look`` once for each id."""
    calls = [{"id": call_id, "name": "look", "arguments": {"city": "Paris"}} for call_id in call_ids]
    return {"role": "assistant", "toolCalls": calls, **rest}


def result(call_id: str) -> dict[str, Any]:
    return {"role": "tool", "toolCallId": call_id, "content": "Sunny."}


def request(*messages: Mapping[str, Any], **settings: Any) -> ChatRequest:
    return ChatRequest.model_validate({"provider": "p", "model": "m", "messages": list(messages or (ASK,)), **settings})


def body(provider: str, *messages: Mapping[str, Any], structured: bool = False, **settings: Any) -> dict[str, Any]:
    """What is sent to ``provider``."""
    model = replace(MODEL, structured_outputs=structured)
    return dict(wire.encode(request(*messages, **settings), model, wire.dialect(DIALECTS[provider])).body)
