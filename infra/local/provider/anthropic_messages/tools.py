"""The tools of a request as Claude sees them: what it may call, and what the tools it called have said."""

from __future__ import annotations

from typing import Any

from infra.local.provider.protocol import Offered, Question, text_of


def offered(question: Question) -> list[Offered]:
    """The tools that may be used."""
    body: Any = question.body
    if (body.get("tool_choice") or {}).get("type") == "none":
        return []
    return [Offered(tool["name"], tool["input_schema"]) for tool in body.get("tools") or ()]


def results(question: Question) -> list[str] | None:
    """The results that the last turn consists of. Where the user has spoken beside them, that is what matters."""
    messages: Any = question.body["messages"]
    blocks = messages[-1]["content"]
    if isinstance(blocks, str) or any(block["type"] != "tool_result" for block in blocks):
        return None
    return [text_of(block.get("content")) for block in blocks] or None
