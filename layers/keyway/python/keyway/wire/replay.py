"""What wires share that put an assistant's calls back where they stood among its text and reasoning."""

from __future__ import annotations

from collections.abc import Sequence

from keyway.chat import MessageToolCall


def calls_by_id(calls: Sequence[MessageToolCall]) -> dict[str, list[MessageToolCall]]:
    """``calls`` in their order, to be taken out by the id under which a note names them; usually one for each."""
    found: dict[str, list[MessageToolCall]] = {}
    for call in calls:
        found.setdefault(call.id, []).append(call)
    return found
