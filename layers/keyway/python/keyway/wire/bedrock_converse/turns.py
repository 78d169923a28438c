"""Our messages as the API's turns, and the system text beside them.

The API's rules: roles alternate and the user begins; the results of one turn's calls stand together at the start of
the user's next turn; a text block holds more than white space; a document has text beside it; and a conversation
with calls in it needs ``toolConfig``. Our messages need not keep any of them, so neighbours of one role are merged
into one turn here, and calls become text when no tool is offered any more: the API has no way to forbid a tool but
to leave all of them out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from keyway.chat import ChatRequest, Message, MessageToolCall
from keyway.errors import InvalidRequest
from keyway.wire.bedrock_converse.blocks import (
    Attachment,
    Block,
    Role,
    TextBlock,
    Turn,
    text_blocks,
)
from keyway.wire.bedrock_converse.files import Attachments
from keyway.wire.bedrock_converse.replay import replayed
from keyway.wire.bedrock_converse.tool_ids import ToolIds, tool_name

_OPENING = "Hello"
"""The user's first words where a conversation begins with the assistant's."""

_BESIDE_A_DOCUMENT = "See the attached document."
_NO_RESULT = "(no output)"
"""What a tool said that said nothing: a result without content is not accepted by every model."""


def conversation(request: ChatRequest) -> tuple[str, list[Turn]]:
    """The system text (``""`` for none) and the turns of ``request``; there is at least one turn.

    System messages at the start join the system prompt. Further on they become user text in their place, marked as
    the system's: most models take no system turn, and moving it to the front would change what it refers to and
    spoil the provider's cache of everything after it.

    Raises:
        InvalidRequest: A message holds what the API cannot express; the message names its place.
    """
    opening = next((i for i, message in enumerate(request.messages) if message.role != "system"), len(request.messages))
    writer = _Writer(calls_as_text=not request.offered_tools)
    turns: list[Turn] = []
    _add(turns, "user", text_blocks(request.context))
    for index, message in enumerate(request.messages[opening:], start=opening):
        role: Role = "assistant" if message.role == "assistant" else "user"
        _add(turns, role, writer.blocks(message, f"messages[{index}]"))
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
            turn["content"].sort(key=lambda block: "toolResult" not in block)
            if any("document" in block for block in turn["content"]) and not any("text" in b for b in turn["content"]):
                turn["content"] += text_blocks(_BESIDE_A_DOCUMENT)
    return system, turns


class _Writer:
    """Writes the messages of one conversation, met in order, as blocks."""

    def __init__(self, *, calls_as_text: bool) -> None:
        self._calls_as_text = calls_as_text
        self._ids = ToolIds()
        self._attachments = Attachments()
        self._names: dict[str, str] = {}

    def blocks(self, message: Message, where: str) -> Sequence[Block]:
        """The blocks of ``message``, which stands at ``where``."""
        if message.files and message.role in ("system", "assistant"):
            raise InvalidRequest(
                f"{where}.files: this model takes files from the user and from tools, not in a {message.role} message."
            )
        match message.role:
            case "assistant":
                calls = [self._call(call) for call in message.tool_calls]
                return replayed(message.provider_extras, message.content or "", calls, where=where)
            case "system":
                spoken = _spoken(message.content)
                return [block for text in spoken for block in text_blocks(f"<system>\n{text}\n</system>")]
            case "user":
                return self._content(message, where)
            case "tool":
                return self._result(message, where)

    def _call(self, call: MessageToolCall) -> Block:
        if self._calls_as_text:
            self._names[call.id] = call.name
            return {"text": f"[called {call.name} with {json.dumps(call.arguments, ensure_ascii=False)}]"}
        return {
            "toolUse": {
                "toolUseId": self._ids.of_call(call.id),
                "name": tool_name(call.name),
                "input": call.arguments,
            }
        }

    def _result(self, message: Message, where: str) -> Sequence[Block]:
        given = message.tool_call_id or ""
        content = self._content(message, where)
        if self._calls_as_text:
            return [{"text": f"[result of {self._names.get(given, 'the tool')}:]"}, *(content or [_nothing()])]
        return [{"toolResult": {"toolUseId": self._ids.of_result(given), "content": content or [_nothing()]}}]

    def _content(self, message: Message, where: str) -> list[TextBlock | Attachment]:
        files = [
            self._attachments.block(file, where=f"{where}.files[{index}]") for index, file in enumerate(message.files)
        ]
        return [*text_blocks(message.content), *files]


def _nothing() -> TextBlock:
    return {"text": _NO_RESULT}


def _add(turns: list[Turn], role: Role, blocks: Sequence[Block]) -> None:
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    else:
        turns.append({"role": role, "content": [*blocks]})


def _trim_unfinished_answer(turns: list[Turn]) -> None:
    """An answer the caller began, for the model to go on with, must not end in white space."""
    if turns and turns[-1]["role"] == "assistant":
        last = turns[-1]["content"][-1]
        if "text" in last:
            last["text"] = last["text"].rstrip()


def _spoken(*texts: str | None) -> list[str]:
    return [text for text in texts if text and not text.isspace()]
