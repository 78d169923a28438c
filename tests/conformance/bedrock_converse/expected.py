"""What an answer of the Converse API says, told by botocore's parsers and without our decoder."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from botocore.eventstream import EventStreamBuffer

_FINISH = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length"}


@dataclass
class Expected:
    """``content`` is the list of blocks of the whole message."""

    content: list[dict[str, Any]] = field(default_factory=list)
    stop_reason: str = ""
    usage: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "".join(block["text"] for block in self.content if "text" in block)

    @property
    def thinking(self) -> str:
        return "".join(reasoning["text"] for reasoning in self._reasoning if "text" in reasoning)

    @property
    def signed(self) -> list[dict[str, Any]]:
        return [reasoning for reasoning in self._reasoning if "signature" in reasoning]

    @property
    def calls(self) -> list[tuple[str, str, dict[str, Any]]]:
        called = [block["toolUse"] for block in self.content if "toolUse" in block]
        return [(call["toolUseId"], call["name"], call["input"]) for call in called]

    @property
    def finish_reason(self) -> str:
        return _FINISH[self.stop_reason]

    @property
    def counts(self) -> dict[str, int]:
        read = self.usage.get("cacheReadInputTokens", 0)
        written = self.usage.get("cacheWriteInputTokens", 0)
        assert self.usage["totalTokens"] == self.usage["inputTokens"] + read + written + self.usage["outputTokens"]
        return {
            "input": self.usage["inputTokens"] + read + written,
            "output": self.usage["outputTokens"],
            "cache_read": read,
            "cache_write": written,
            "cache_write_1h": 0,
            "reasoning": 0,
        }

    @property
    def _reasoning(self) -> list[dict[str, Any]]:
        return [block["reasoningContent"]["reasoningText"] for block in self.content if "reasoningContent" in block]


def from_document(body: bytes) -> Expected:
    answer = json.loads(body)
    return Expected(answer["output"]["message"]["content"], answer["stopReason"], answer["usage"])


def from_stream(body: bytes) -> Expected:
    expected = Expected()
    blocks: dict[int, dict[str, Any]] = {}
    for name, data in events(body):
        if name == "contentBlockDelta":
            _grow(blocks.setdefault(data["contentBlockIndex"], {}), data["delta"])
        elif name == "contentBlockStart":
            blocks[data["contentBlockIndex"]] = {"toolUse": {**data["start"]["toolUse"], "json": ""}}
        elif name == "messageStop":
            expected.stop_reason = data["stopReason"]
        elif name == "metadata":
            expected.usage = data["usage"]
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"].pop("json") or "{}")
    expected.content = [blocks[index] for index in sorted(blocks)]
    return expected


def events(body: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream by name, as botocore frames them."""
    buffer: Any = EventStreamBuffer()
    buffer.add_data(body)
    return [(message.headers[":event-type"], json.loads(message.payload)) for message in buffer]


def frames(body: bytes) -> list[bytes]:
    """The stream's messages, cut where their lengths say."""
    cut: list[bytes] = []
    while body:
        size = int.from_bytes(body[:4], "big")
        cut.append(body[:size])
        body = body[size:]
    return cut


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    elif "toolUse" in delta:
        block["toolUse"]["json"] += delta["toolUse"]["input"]
    elif "reasoningContent" in delta:
        reasoning = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {})
        for key, piece in delta["reasoningContent"].items():
            reasoning[key] = reasoning.get(key, "") + piece
