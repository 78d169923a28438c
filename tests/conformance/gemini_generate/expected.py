"""What a recorded ``generateContent`` answer says, read straight from its JSON and without our decoder."""

from __future__ import annotations

import json
from typing import Any


def chunks_of(body: bytes, *, streamed: bool) -> list[dict[str, Any]]:
    if not streamed:
        return [json.loads(body)]
    return [json.loads(line[6:]) for line in body.decode().split("\n") if line.startswith("data: ")]


def parts_of(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    contents = [chunk["candidates"][0].get("content", {}) for chunk in chunks if "candidates" in chunk]
    return [part for content in contents for part in content.get("parts", [])]


def text_of(parts: list[dict[str, Any]], *, thought: bool) -> str:
    return "".join(part["text"] for part in parts if "text" in part and part.get("thought", False) is thought)


def calls_of(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part["functionCall"] for part in parts if "functionCall" in part]


def signatures_of(parts: list[dict[str, Any]]) -> list[str]:
    return [part["thoughtSignature"] for part in parts if "thoughtSignature" in part]


def finish_reason_of(chunks: list[dict[str, Any]], calls: list[dict[str, Any]]) -> str:
    if "promptFeedback" in chunks[0]:
        return "content_filter"
    reasons = [c["finishReason"] for chunk in chunks for c in chunk["candidates"] if "finishReason" in c]
    assert len(reasons) == 1
    return {"STOP": "tool_calls" if calls else "stop", "MODEL_ARMOR": "content_filter"}[reasons[0]]


def counts_of(chunks: list[dict[str, Any]]) -> dict[str, int]:
    """The last report, checked against the vendor's own total."""
    usage = chunks[-1]["usageMetadata"]
    prompt, tools = usage.get("promptTokenCount", 0), usage.get("toolUsePromptTokenCount", 0)
    written, thoughts = usage.get("candidatesTokenCount", 0), usage.get("thoughtsTokenCount", 0)
    assert usage.get("totalTokenCount", 0) == prompt + tools + written + thoughts
    return {
        "input": prompt + tools,
        "output": written + thoughts,
        "cache_read": usage.get("cachedContentTokenCount", 0),
        "cache_write": 0,
        "cache_write_1h": 0,
        "reasoning": thoughts,
    }
