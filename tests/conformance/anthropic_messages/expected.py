"""What a body of the Messages API says, read straight from its JSON and without our decoder."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

_FINISH = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length", "refusal": "content_filter"}


@dataclass
class Expected:
    response_id: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    stop_reason: str = ""
    usage: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "".join(block["text"] for block in self.blocks if block["type"] == "text")

    @property
    def thinking(self) -> str:
        return "".join(block["thinking"] for block in self.blocks if block["type"] == "thinking")

    @property
    def calls(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [(b["id"], b["name"], b["input"]) for b in self.blocks if b["type"] == "tool_use"]

    @property
    def finish_reason(self) -> str:
        return _FINISH[self.stop_reason]

    @property
    def counts(self) -> dict[str, int]:
        read = self.usage["cache_read_input_tokens"]
        written = self.usage["cache_creation_input_tokens"]
        return {
            "input": self.usage["input_tokens"] + read + written,
            "output": self.usage["output_tokens"],
            "cache_read": read,
            "cache_write": written,
            "cache_write_1h": self.usage["cache_creation"]["ephemeral_1h_input_tokens"],
            "reasoning": self.usage.get("output_tokens_details", {}).get("thinking_tokens", 0),
        }


def from_document(body: bytes) -> Expected:
    message = json.loads(body)
    return Expected(message["id"], message["content"], message["stop_reason"], message["usage"])


def from_stream(body: bytes) -> Expected:
    expected = Expected("")
    for line in body.decode().splitlines():
        if not line.startswith("data: "):
            continue
        data = json.loads(line.removeprefix("data: "))
        if data["type"] == "message_start":
            expected.response_id = data["message"]["id"]
            expected.usage |= data["message"]["usage"]
        elif data["type"] == "content_block_start":
            assert data["index"] == len(expected.blocks)
            expected.blocks.append({**data["content_block"], "json": ""})
        elif data["type"] == "content_block_delta":
            _apply(expected.blocks[data["index"]], data["delta"])
        elif data["type"] == "message_delta":
            expected.stop_reason = data["delta"]["stop_reason"]
            expected.usage |= data["usage"]
    for block in expected.blocks:
        if block["type"] == "tool_use":
            block["input"] = json.loads(block["json"] or "{}")
    return expected


def _apply(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if delta["type"] == "input_json_delta":
        block["json"] += delta["partial_json"]
        return
    for key in ("text", "thinking", "signature"):
        if delta["type"] == f"{key}_delta":
            block[key] += delta[key]
