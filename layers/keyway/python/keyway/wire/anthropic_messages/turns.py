"""Our messages as the API's turns, and the system text beside them.

The API's rules: roles alternate and the user begins; the results of tool calls come first in the user's turn right
after the calls; a text block holds more than white space; an answer begun by the caller does not end in white
space. Our messages need not keep any of them, so neighbours of one role are merged into one turn here.
"""

from __future__ import annotations

from collections.abc import Sequence

from keyway.chat import ChatRequest, Message
from keyway.errors import InvalidRequest
from keyway.wire.anthropic_messages.blocks import (
    Attachment,
    Block,
    Role,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
    Turn,
    text_blocks,
)
from keyway.wire.anthropic_messages.files import attachment
from keyway.wire.anthropic_messages.replay import replayed
from keyway.wire.anthropic_messages.tool_ids import ToolIds

_OPENING = "Hello"
"""The user's first words where a conversation begins with the assistant's."""


def conversation(request: ChatRequest) -> tuple[str, list[Turn]]:
    """The system text (``""`` for none) and the turns of ``request``; there is at least one turn.

    System messages at the start join the system prompt. Further on they become user text in their place, marked as
    the system's: most models take no system turn, and moving it to the front would change what it refers to and
    spoil the provider's cache of everything after it.

    Raises:
        InvalidRequest: A message holds what the API cannot express; the message names its place.
    """
    opening = _system_messages_at_start(request.messages)
    ids = ToolIds()
    turns: list[Turn] = []
    _add(turns, "user", text_blocks(request.context))
    for index, message in enumerate(request.messages):
        where = f"messages[{index}]"
        if message.files and message.role in ("system", "assistant"):
            raise InvalidRequest(
                f"{where}.files: this model takes files from the user and from tools, not in a {message.role} message."
            )
        if index >= opening:
            _add(turns, "assistant" if message.role == "assistant" else "user", _blocks(message, ids, where))
    _trim_unfinished_answer(turns)
    system = "\n\n".join(_spoken(request.system_prompt, *(m.content for m in request.messages[:opening])))
    if not turns:
        if not system:
            raise InvalidRequest("messages: hold nothing but white space. Say something to the model.")
        return "", [{"role": "user", "content": [*text_blocks(system)]}]
    if turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [*text_blocks(_OPENING)]})
    for turn in turns:
        if turn["role"] == "user":
            turn["content"].sort(key=_results_first)
    return system, turns


def _system_messages_at_start(messages: Sequence[Message]) -> int:
    return next((i for i, message in enumerate(messages) if message.role != "system"), len(messages))


def _add(turns: list[Turn], role: Role, blocks: Sequence[Block]) -> None:
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    else:
        turns.append({"role": role, "content": [*blocks]})


def _blocks(message: Message, ids: ToolIds, where: str) -> Sequence[Block]:
    if message.role == "assistant":
        calls: list[ToolUseBlock] = [
            {"type": "tool_use", "id": ids.of_call(call.id), "name": call.name, "input": call.arguments}
            for call in message.tool_calls
        ]
        return replayed(message.provider_extras, message.content or "", calls, where=where)
    if message.role == "system":
        return [block for text in _spoken(message.content) for block in text_blocks(f"<system>\n{text}\n</system>")]
    content: list[TextBlock | Attachment] = [*text_blocks(message.content)]
    content += [attachment(file, where=f"{where}.files[{j}]") for j, file in enumerate(message.files)]
    if message.role == "user":
        return content
    result: ToolResultBlock = {"type": "tool_result", "tool_use_id": ids.of_result(message.tool_call_id or "")}
    if content:
        result["content"] = content
    return [result]


def _results_first(block: Block) -> bool:
    return block["type"] != "tool_result"


def _trim_unfinished_answer(turns: list[Turn]) -> None:
    """An answer the caller began, for the model to go on with, must not end in white space."""
    if turns and turns[-1]["role"] == "assistant":
        last = turns[-1]["content"][-1]
        if last["type"] == "text":
            last["text"] = last["text"].rstrip()


def _spoken(*texts: str | None) -> list[str]:
    return [text for text in texts if text and not text.isspace()]
