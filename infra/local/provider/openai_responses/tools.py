"""The tools of a request as the model sees them: what it may call, and what the tools it called have said."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from infra.local.provider.protocol import Offered, Question, text_of


def offered(question: Question) -> list[Offered]:
    """The functions that may be called."""
    body: Any = question.body
    if body.get("tool_choice") == "none":
        return []
    return [Offered(tool["name"], tool.get("parameters") or {}) for tool in body.get("tools") or ()]


def results(question: Question) -> list[str] | None:
    """The outputs that the input ends with, if it does."""
    items: Any = question.body["input"]
    if isinstance(items, str):
        return None
    last = [*takewhile(lambda item: item.get("type") == "function_call_output", reversed(items))]
    return [text_of(item["output"]) for item in reversed(last)] or None
