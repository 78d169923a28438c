"""Thought signatures: kept from an answer as ``providerExtras``, and put back on the parts they came on.

A signature is the model's reasoning in a form that only the API can read. It belongs to one part: a function call, a
piece of text (often an empty one after the last word), rarely a thought. Parts with signatures must come back
as they were, neither merged nor split (Google's guide "Thought signatures"). We keep the signatures, and between
them only how much text or which call came there; text and calls themselves come back in the message.

    {"gemini_generate": {"provider": "google", "model": "gemini-3-flash-preview", "parts": [
        {"type": "text", "length": 57}, {"type": "functionCall", "id": "96c1su3s", "thoughtSignature": "EpID…"}]}}

Another model, or the same one at another host, cannot read them; the turn is then as foreign as another vendor's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from keyway.capabilities import Model
from keyway.chat import Json, MessageToolCall
from keyway.errors import InvalidRequest
from keyway.wire.replay import calls_by_id

KEY = "gemini_generate"

UNKNOWN_SIGNATURE = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""Base64 of ``skip_thought_signature_validator``: what Google's guide says to send with a function call that the
model did not make itself, since Gemini 3 refuses a call without a signature."""


class Layout:
    """Notes the order of an answer's parts while it is decoded."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._entries: list[Json] = []
        self._kept = 0
        self._unsigned = 0

    def text(self, length: int, signature: str) -> None:
        """Text of that many characters was emitted. Pieces of it without a signature are as good as one."""
        if signature:
            self._add({"type": "text", "length": length}, signature)
        else:
            self._unsigned += length

    def thought(self, thought: str, signature: str) -> None:
        """A thought was emitted. Without a signature it need not come back."""
        if signature:
            self._add({"type": "thought", "text": thought}, signature)

    def call(self, call_id: str, signature: str) -> None:
        """A call was emitted."""
        self._add({"type": "functionCall", "id": call_id}, signature)

    def extras(self, model: str) -> Mapping[str, object]:
        """What ``TurnFinished.extras`` carries of an answer by ``model``; empty when nothing was signed."""
        if not self._kept:
            return {}
        return {KEY: {"provider": self._provider, "model": model, "parts": self._entries[: self._kept]}}

    def _add(self, entry: Json, signature: str) -> None:
        if self._unsigned:
            self._entries.append({"type": "text", "length": self._unsigned})
            self._unsigned = 0
        self._entries.append({**entry, "thoughtSignature": signature} if signature else entry)
        if signature:
            self._kept = len(self._entries)  # what follows the last signature needs no note


def replayed(
    extras: Mapping[str, object],
    text: str,
    calls: Sequence[MessageToolCall],
    model: Model,
    *,
    signature_required: bool,
    where: str,
) -> list[Json]:
    """An assistant's parts: ``text`` and ``calls`` in their order, with their signatures.

    The caller may have shortened the text or dropped a call; what the notes do not mention comes last.

    Args:
        signature_required: The model refuses a turn whose first call has none; one is then made up for it.

    Raises:
        InvalidRequest: ``extras`` are this wire's, but not as it wrote them. Names ``where``.
    """
    parts: list[Json] = []
    waiting = calls_by_id(calls)
    said = 0
    for entry in _entries(extras, model, where):
        signature = entry.get("thoughtSignature")
        side = {"thoughtSignature": signature} if isinstance(signature, str) else {}
        match entry:
            case {"type": "text", "length": int(length)} if length >= 0:
                piece = text[said : said + length]
                said += length
                if piece or side:
                    parts.append({"text": piece, **side})
            case {"type": "thought", "text": str(thought)} if side:
                parts.append({"text": thought, "thought": True, **side})
            case {"type": "functionCall", "id": str(call_id)}:
                parts += [{**_call(call), **side} for call in waiting.pop(call_id, ())]
            case _:
                raise _not_ours(where)
    if text[said:]:
        parts.append({"text": text[said:]})
    parts += [_call(call) for call in chain(*waiting.values())]
    if signature_required:
        first = next((index for index, part in enumerate(parts) if "functionCall" in part), None)
        if first is not None:
            parts[first] = {"thoughtSignature": UNKNOWN_SIGNATURE, **parts[first]}
    return parts


def _call(call: MessageToolCall) -> Json:
    return {"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}}


def _entries(extras: Mapping[str, object], model: Model, where: str) -> Sequence[Json]:
    """The noted parts, or none when it was not ``model`` that signed them."""
    kept = extras.get(KEY)
    if kept is None:
        return ()
    match kept:
        case {"provider": str(provider), "model": str(signer), "parts": list(entries)}:
            pass
        case _:
            raise _not_ours(where)
    if not all(isinstance(entry, dict) for entry in entries):
        raise _not_ours(where)
    # An alias answers by the name of the model behind it, and a host may not name the model at all.
    same = not signer or signer == model.sent_as or model.sent_as.endswith("latest")
    return entries if same and provider == model.provider else ()


def _not_ours(where: str) -> InvalidRequest:
    return InvalidRequest(
        f"{where}.providerExtras.{KEY}: is not what an answer carried. Hand it back unchanged, or leave it out."
    )
