"""The tools of a chat as its model sees them: what it may call, and what the tools it called have said."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from infra.local.provider.protocol import Offered, Question, text_of


def offered(question: Question) -> list[Offered]:
    """The functions that may be called."""
    body: Any = question.body
    if body.get("tool_choice") == "none":
        return []
    functions = (tool["function"] for tool in body.get("tools") or ())
    return [Offered(function["name"], function.get("parameters") or {}) for function in functions]


def results(question: Question) -> list[str] | None:
    """The messages of tools that the conversation ends with, if it does."""
    messages: Any = question.body["messages"]
    last = [*takewhile(lambda message: message["role"] == "tool", reversed(messages))]
    return [text_of(message["content"]) for message in reversed(last)] or None
