"""The conversation as ``messages``: the system prompt, the context as a user's turn, then our messages one by one.

An assistant's text is always a string or null: hosts that answer in a list of chunks refuse one in the history, and so
do others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from keyway.chat import ChatRequest, Json, Message, MessageToolCall
from keyway.errors import InvalidRequest
from keyway.wire.openai_chat.dialect import Dialect
from keyway.wire.openai_chat.files import content_part
from keyway.wire.openai_chat.replay import replayed
from keyway.wire.openai_chat.tool_ids import ACCEPTED

_BRIDGE = "OK."
"""An assistant's turn between a tool's and a user's, where the host insists on one (``Dialect.strict_turns``)."""


def conversation(request: ChatRequest, dialect: Dialect) -> list[Json]:
    """The ``messages`` array.

    Raises:
        InvalidRequest: A message cannot be expressed, or answers a call that nobody made. Names ``messages[i]``.
    """
    messages: list[Json] = []
    if request.system_prompt:
        messages.append({"role": dialect.system_role, "content": request.system_prompt})
    if request.context:
        messages.append({"role": "user", "content": request.context})
    called: dict[str, str] = {}
    for index, message in enumerate(request.messages):
        messages.append(_message(message, called, dialect, f"messages[{index}]"))
        called.update((call.id, call.name) for call in message.tool_calls)
    return _in_strict_turns(messages) if dialect.strict_turns else messages


def _message(message: Message, called: dict[str, str], dialect: Dialect, where: str) -> Json:
    if message.files and message.role != "user":
        raise InvalidRequest(f"{where}.files[0]: only a user message can carry files to this model")
    match message.role:
        case "assistant":
            return _assistant(message, dialect, where)
        case "tool":
            return _tool_result(message, called, dialect, where)
        case "system":
            return {"role": dialect.system_role, "content": message.content or ""}
        case "user":
            return {"role": "user", "content": _content(message, dialect, where)}


def _assistant(message: Message, dialect: Dialect, where: str) -> Json:
    sent: dict[str, object] = {"role": "assistant", "content": message.content or ""}
    if message.tool_calls:
        sent["content"] = message.content or None
        sent["tool_calls"] = [_call(call, dialect) for call in message.tool_calls]
        if dialect.required_with_calls:
            sent[dialect.required_with_calls] = ""
    return {**sent, **replayed(message.provider_extras, dialect.replayed, where=where)}


def _call(call: MessageToolCall, dialect: Dialect) -> Json:
    written = json.dumps(call.arguments, ensure_ascii=False, separators=(",", ":"))
    return {
        "id": ACCEPTED[dialect.tool_ids](call.id),
        "type": "function",
        "function": {"name": call.name, "arguments": written},
    }


def _tool_result(message: Message, called: dict[str, str], dialect: Dialect, where: str) -> Json:
    call_id = message.tool_call_id or ""
    if call_id not in called:
        raise InvalidRequest(f"{where}.toolCallId: {call_id[:64]!r} answers no call of an assistant message before it")
    sent: dict[str, object] = {
        "role": "tool",
        "tool_call_id": ACCEPTED[dialect.tool_ids](call_id),
        "content": message.content or "",
    }
    if dialect.tool_result_name:
        sent["name"] = message.name or called[call_id]
    return sent


def _content(message: Message, dialect: Dialect, where: str) -> str | list[Json]:
    if not message.files:
        return message.content or ""
    parts: list[Json] = [{"type": "text", "text": message.content}] if message.content else []
    parts += [content_part(file, dialect, where=f"{where}.files[{i}]") for i, file in enumerate(message.files)]
    return parts


def _in_strict_turns(messages: Sequence[Json]) -> list[Json]:
    turns: list[Json] = []
    for message in messages:
        if turns and turns[-1]["role"] == "tool" and message["role"] not in ("tool", "assistant"):
            turns.append({"role": "assistant", "content": _BRIDGE})
        turns.append(message)
    if turns and turns[-1]["role"] == "assistant" and "tool_calls" not in turns[-1]:
        turns[-1] = {**turns[-1], "prefix": True}
    return turns
