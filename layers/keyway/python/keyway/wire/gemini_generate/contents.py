"""Our messages as ``contents``, and the system text beside them.

The API's rules: roles are ``user`` and ``model``; a turn with function calls follows a turn of the user; the results
of all its calls come in the one turn right after it. Our messages need not keep any of them, so neighbours of one
role are merged into one turn here. Results stay a turn of their own: the API counts them against the calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from keyway import strict_json
from keyway.capabilities import Model
from keyway.chat import ChatRequest, File, Json, Message
from keyway.errors import InvalidRequest
from keyway.wire.gemini_generate.generation import Generation
from keyway.wire.gemini_generate.replay import replayed

Speaker: TypeAlias = Literal["user", "model", "function"]

_OPENING = "Hello"
"""The user's first words where a conversation begins with the model's."""
_IN_RESULTS = frozenset({"image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"})
"""What Gemini 3 takes inside a function's result (Google's guide "Function calling", "Multimodal function
responses"); anything else follows the results as the user's."""


@dataclass(slots=True)
class _Turn:
    speaker: Speaker
    parts: list[Json] = field(default_factory=list)

    def json(self) -> Json:
        return {"role": "model" if self.speaker == "model" else "user", "parts": self.parts}


class _Turns:
    def __init__(self) -> None:
        self.all: list[_Turn] = []
        self.held: list[Json] = []
        """Files that came with results and have to wait until the last of these."""

    def add(self, speaker: Speaker, parts: Sequence[Json]) -> None:
        if speaker != "function":
            self.end()
        if not parts:
            return
        if not self.all or self.all[-1].speaker != speaker:
            self.all.append(_Turn(speaker))
        self.all[-1].parts += parts

    def end(self) -> None:
        """No more results are to come for now."""
        held, self.held = self.held, []
        if held:
            self.add("user", held)


def conversation(request: ChatRequest, model: Model, of: Generation) -> tuple[str, list[Json]]:
    """The system text (``""`` for none) and the turns of ``request``; there is at least one turn.

    System messages at the start join the system prompt. Further on they become user text in their place, marked as
    the system's: the API knows no system turn, and moving it to the front would change what it refers to.

    Raises:
        InvalidRequest: A message cannot be expressed, or answers a call that nobody made. Names ``messages[i]``.
    """
    opening = next((i for i, message in enumerate(request.messages) if message.role != "system"), len(request.messages))
    names: dict[str, str] = {}
    turns = _Turns()
    turns.add("user", _text(request.context))
    for index, message in enumerate(request.messages):
        where = f"messages[{index}]"
        if message.role == "system" and message.files:
            raise InvalidRequest(f"{where}.files: a system message cannot carry files to this model.")
        if message.role == "assistant":
            turns.add("model", _answer(message, model, of, where))
            names.update((call.id, call.name) for call in message.tool_calls)
        elif message.role == "tool":
            _result(turns, message, names, of, where)
        elif index >= opening:
            turns.add("user", _user(message))
    turns.end()
    said = (request.system_prompt, *(message.content for message in request.messages[:opening]))
    return _complete("\n\n".join(text for text in said if text), turns.all)


def _complete(system: str, turns: list[_Turn]) -> tuple[str, list[Json]]:
    """The first turn is the user's, and there is one."""
    if turns and turns[0].speaker == "model":
        turns.insert(0, _Turn("user", _text(_OPENING)))
    if not turns:
        if not system:
            raise InvalidRequest("messages: hold no text. Say something to the model.")
        system, turns = "", [_Turn("user", _text(system))]
    return system, [turn.json() for turn in turns]


def _user(message: Message) -> list[Json]:
    if message.role == "system":
        return _text(f"<system>\n{message.content}\n</system>" if message.content else None)
    return [*_text(message.content), *map(_file, message.files)]


def _answer(message: Message, model: Model, of: Generation, where: str) -> list[Json]:
    files = [_file(file) for file in message.files]
    parts = replayed(
        message.provider_extras,
        message.content or "",
        message.tool_calls,
        model,
        signature_required=of.is_3,
        where=where,
    )
    return [*files, *parts]


def _result(turns: _Turns, message: Message, names: dict[str, str], of: Generation, where: str) -> None:
    call_id = message.tool_call_id or ""
    name = names.get(call_id)
    if name is None:
        raise InvalidRequest(f"{where}.toolCallId: {call_id[:64]!r} answers no call of an assistant message before it.")
    response: dict[str, object] = {"id": call_id, "name": name, "response": _response(message.content)}
    inside = [file for file in message.files if of.is_3 and _media_type(file) in _IN_RESULTS]
    if inside:
        response["parts"] = [_file(file) for file in inside]
    turns.add("function", [{"functionResponse": response}])
    turns.held += [_file(file) for file in message.files if file not in inside]


def _response(content: str | None) -> Json:
    """A result as the object that the API wants; anything else is wrapped in one."""
    if not content:
        return {}
    try:
        value = strict_json.loads(content, levels=strict_json.LEVELS)
    except ValueError:
        value = content
    return value if isinstance(value, dict) else {"value": value}


def _file(file: File) -> Json:
    """Any media type goes along: models differ in what they read, and say so themselves."""
    if file.url is not None:
        return {"fileData": {"mimeType": _media_type(file), "fileUri": file.url}}
    return {"inlineData": {"mimeType": _media_type(file), "data": file.data or ""}}


def _media_type(file: File) -> str:
    return file.mime_type.partition(";")[0].strip().lower()


def _text(text: str | None) -> list[Json]:
    return [{"text": text}] if text else []
