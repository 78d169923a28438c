"""What a body of Chat Completions says, read straight from its JSON and without our decoder."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Expected:
    response_id: str = ""
    text: str = ""
    thinking: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    reason: str | None = None
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    @property
    def finish_reason(self) -> str:
        assert self.reason in {"stop", "length", "tool_calls"}
        return self.reason or ""

    @property
    def read_calls(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [(call["id"], call["name"], json.loads(call["arguments"])) for call in self.calls]

    @property
    def counts(self) -> dict[str, int]:
        assert self.usage is not None
        of_prompt = self.usage.get("prompt_tokens_details") or {}
        of_completion = self.usage.get("completion_tokens_details") or {}
        return {
            "input": self.usage["prompt_tokens"],
            "output": self.usage["completion_tokens"],
            "cache_read": of_prompt.get("cached_tokens", self.usage.get("num_cached_tokens", 0)),
            "cache_write": of_prompt.get("cache_write_tokens", 0),
            "cache_write_1h": 0,
            "reasoning": of_completion.get("reasoning_tokens", 0),
        }

    def add(self, message: dict[str, Any]) -> None:
        self.thinking += message.get("reasoning_content") or message.get("reasoning") or ""
        content = message.get("content") or ""
        if isinstance(content, str):
            self.text += content
        else:
            self.text += "".join(chunk["text"] for chunk in content if chunk["type"] == "text")
            self.thinking += "".join(
                thought["text"] for chunk in content if chunk["type"] == "thinking" for thought in chunk["thinking"]
            )
        for position, call in enumerate(message.get("tool_calls") or []):
            index = call.get("index", position)
            if index == len(self.calls):
                self.calls.append({"id": call["id"], "name": call["function"]["name"], "arguments": ""})
            self.calls[index]["arguments"] += call["function"]["arguments"]


def from_document(body: bytes) -> Expected:
    data = json.loads(body)
    expected = Expected(data["id"], reason=data["choices"][0]["finish_reason"], usage=data["usage"])
    expected.add(data["choices"][0]["message"])
    return expected


def from_stream(body: bytes) -> Expected:
    expected = Expected()
    for line in body.decode().splitlines():
        if not line.startswith("data: {"):
            continue
        data = json.loads(line.removeprefix("data: "))
        if "error" in data:
            expected.error = data["error"]
            break
        expected.response_id = data["id"]
        expected.usage = data.get("usage") or expected.usage
        for choice in data["choices"]:
            expected.add(choice["delta"])
            expected.reason = choice["finish_reason"] or expected.reason
    return expected
