"""The conversation as ``input`` items: messages, the calls in them, and the calls' results.

A call and its result are items of their own here, tied by ``call_id``. The system prompt is an item of role
``system`` before all others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from keyway.chat import ChatRequest, Json, Message, MessageToolCall
from keyway.errors import InvalidRequest
from keyway.wire.openai_responses.files import input_part
from keyway.wire.openai_responses.replay import replayed


def input_items(request: ChatRequest) -> list[Json]:
    """The ``input`` array.

    Raises:
        InvalidRequest: A message cannot be expressed, or answers a call that nobody made. Names ``messages[i]``.
    """
    items: list[Json] = []
    if request.system_prompt:
        items.append({"role": "system", "content": request.system_prompt})
    if request.context:
        items.append({"role": "user", "content": request.context})
    calls_made: set[str] = set()
    for index, message in enumerate(request.messages):
        items += _items(message, calls_made, f"messages[{index}]")
        calls_made.update(call.id for call in message.tool_calls)
    return items


def _items(message: Message, calls_made: set[str], where: str) -> Iterator[Json]:
    if message.files and message.role not in ("user", "tool"):
        raise InvalidRequest(f"{where}.files[0]: only a user or tool message can carry files to this model")
    match message.role:
        case "assistant":
            yield from _assistant(message, where)
        case "tool":
            if message.tool_call_id not in calls_made:
                call_id = (message.tool_call_id or "")[:64]
                raise InvalidRequest(
                    f"{where}.toolCallId: {call_id!r} answers no call of an assistant message before it"
                )
            output = _content(message, where)
            yield {"type": "function_call_output", "call_id": message.tool_call_id, "output": output}
        case role:
            yield {"role": role, "content": _content(message, where)}


def _assistant(message: Message, where: str) -> Iterator[Json]:
    for item in replayed(message.provider_extras, message.content or "", message.tool_calls, where=where):
        yield _call(item) if isinstance(item, MessageToolCall) else item


def _call(call: MessageToolCall) -> Json:
    written = json.dumps(call.arguments, ensure_ascii=False, separators=(",", ":"))
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": written}


def _content(message: Message, where: str) -> str | list[Json]:
    if not message.files:
        return message.content or ""
    parts: list[Json] = [{"type": "input_text", "text": message.content}] if message.content else []
    parts += [input_part(file, where=f"{where}.files[{i}]") for i, file in enumerate(message.files)]
    return parts
