"""The functions of a request as Gemini sees them: what it may call, and what the functions it called have said."""

from __future__ import annotations

from typing import Any

from infra.local.provider.protocol import Offered, Question, compact


def offered(question: Question) -> list[Offered]:
    """The functions that may be called."""
    body: Any = question.body
    if body.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode") == "NONE":
        return []
    declared = (each for tool in body.get("tools") or () for each in tool.get("functionDeclarations") or ())
    return [
        Offered(each["name"], each.get("parametersJsonSchema") or each.get("parameters") or {}) for each in declared
    ]


def results(question: Question) -> list[str] | None:
    """The responses that the last turn consists of. Where the user has spoken beside them, that is what matters."""
    contents: Any = question.body["contents"]
    parts = contents[-1].get("parts") or ()
    if any("functionResponse" not in part for part in parts):
        return None
    return [compact(part["functionResponse"]["response"]) for part in parts] or None
