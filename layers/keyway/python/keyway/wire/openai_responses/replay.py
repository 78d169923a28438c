"""Reasoning items: kept from an answer as ``providerExtras``, and put back where they stood.

Nothing is stored at the provider, so a model's reasoning before a tool call has to come back with the next request,
and in its place (OpenAI's guide "Reasoning models", "Keeping reasoning items in context"). Newer models
also mark a message as ``commentary`` or ``final_answer`` and want that ``phase`` back. We keep the reasoning
items, and between them only which call or how much text came there; text and calls themselves come back in the message.

    {"openai_responses": [{"type": "reasoning", …}, {"type": "message", "length": 57, "phase": "commentary"},
                          {"type": "function_call", "call_id": "call_1"}]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from keyway.chat import Json, MessageToolCall
from keyway.errors import InvalidRequest
from keyway.wire.openai_responses.fields import members, text
from keyway.wire.replay import calls_by_id

KEY = "openai_responses"

_REASONING_FIELDS = ("id", "summary", "content", "encrypted_content")
"""What of a reasoning item the API takes back; its ``status`` it refuses."""


def extras(items: Sequence[Json]) -> Json:
    """What ``TurnFinished.extras`` carries of an answer's output ``items``; empty when nothing is worth replaying."""
    entries: list[Json] = []
    kept = 0
    for item in items:
        match item.get("type"):
            case "reasoning" if item.get("encrypted_content") or item.get("content"):
                entries.append({"type": "reasoning", **_replayable(item)})
                kept = len(entries)
            case "message":
                entry: dict[str, object] = {"type": "message", "length": _length(item)}
                entries.append(entry)
                if phase := text(item, "phase"):
                    entry["phase"] = phase
                    kept = len(entries)
            case "function_call":
                entries.append({"type": "function_call", "call_id": text(item, "call_id")})
            case _:
                pass
    return {KEY: entries[:kept]} if kept else {}


def replayed(
    kept: Mapping[str, object], content: str, calls: Sequence[MessageToolCall], *, where: str
) -> list[Json | MessageToolCall]:
    """An assistant turn's items in their order, with its ``calls`` still ours.

    The caller may have shortened the text or dropped a call; what the notes do not mention comes last.

    Raises:
        InvalidRequest: ``kept`` is this wire's, but not as it wrote it. Names ``where``.
    """
    items: list[Json | MessageToolCall] = []
    waiting = calls_by_id(calls)
    said = 0
    for entry in _entries(kept, where):
        match entry:
            case {"type": "reasoning", **fields} if set(fields) <= set(_REASONING_FIELDS):
                items.append(entry)
            case {"type": "message", "length": int(length), **fields} if length >= 0:
                items += _message(content[said : said + length], text(fields, "phase"))
                said += length
            case {"type": "function_call", "call_id": str(call_id)}:
                items += waiting.pop(call_id, ())
            case _:
                raise _not_ours(where)
    return [*items, *_message(content[said:]), *chain(*waiting.values())]


def _message(content: str, phase: str = "") -> list[Json]:
    if not content:
        return []
    message = {"role": "assistant", "content": content}
    return [message | {"phase": phase} if phase else message]


def _replayable(item: Json) -> Json:
    fields = {name: item[name] for name in _REASONING_FIELDS if item.get(name)}
    return {"summary": [], **fields}  # the API requires a summary, even an empty one


def _length(item: Json) -> int:
    return sum(len(text(part, "text") or text(part, "refusal")) for part in members(item, "content"))


def _entries(kept: Mapping[str, object], where: str) -> list[Mapping[str, object]]:
    entries = kept.get(KEY, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _not_ours(where)
    return entries


def _not_ours(where: str) -> InvalidRequest:
    return InvalidRequest(
        f"{where}.providerExtras.{KEY}: is not what an answer carried. Hand it back unchanged, or leave it out."
    )
