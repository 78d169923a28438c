"""The tools of a request as a model on Bedrock sees them: what it may call, and what the tools it called have said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from infra.local.provider.protocol import Offered, Question, compact


def offered(question: Question) -> list[Offered]:
    """The tools that may be used. Bedrock knows no choice of none."""
    body: Any = question.body
    specs = (tool["toolSpec"] for tool in body.get("toolConfig", {}).get("tools", ()) if "toolSpec" in tool)
    return [Offered(spec["name"], spec["inputSchema"]["json"]) for spec in specs]


def results(question: Question) -> list[str] | None:
    """The results that the last turn consists of. Where the user has spoken beside them, that is what matters."""
    messages: Any = question.body["messages"]
    blocks = messages[-1]["content"]
    if any("toolResult" not in block and "cachePoint" not in block for block in blocks):
        return None
    return [_text(block["toolResult"]["content"]) for block in blocks if "toolResult" in block] or None


def _text(content: Iterable[Mapping[str, Any]]) -> str:
    return " ".join(part["text"] if "text" in part else compact(part.get("json")) for part in content)
