"""Puts event streams together from literal messages."""

from __future__ import annotations

import json
from typing import Any

from infra.local.provider.bedrock_converse.frames import frame

JSON = {":content-type": "application/json"}


def event(name: str, /, **data: Any) -> bytes:
    """One event, with the padding that Bedrock adds."""
    return frame({":event-type": name, **JSON, ":message-type": "event"}, json.dumps({**data, "p": "abcdef"}).encode())


def exception(name: str, /, **data: Any) -> bytes:
    """One exception in the middle of a stream."""
    return frame({":exception-type": name, **JSON, ":message-type": "exception"}, json.dumps(data).encode())


def start() -> bytes:
    return event("messageStart", role="assistant")


def text(index: int, *pieces: str) -> bytes:
    deltas = [event("contentBlockDelta", contentBlockIndex=index, delta={"text": piece}) for piece in pieces]
    return b"".join([*deltas, block_stop(index)])


def call(index: int, call_id: str, name: str, *pieces: str) -> bytes:
    tool = {"toolUse": {"toolUseId": call_id, "name": name}}
    deltas = [
        event("contentBlockDelta", contentBlockIndex=index, delta={"toolUse": {"input": piece}}) for piece in pieces
    ]
    return b"".join([event("contentBlockStart", contentBlockIndex=index, start=tool), *deltas, block_stop(index)])


def reasoning(index: int, *deltas: dict[str, str]) -> bytes:
    told = [event("contentBlockDelta", contentBlockIndex=index, delta={"reasoningContent": delta}) for delta in deltas]
    return b"".join([*told, block_stop(index)])


def block_stop(index: int) -> bytes:
    return event("contentBlockStop", contentBlockIndex=index)


def stop(reason: str) -> bytes:
    return event("messageStop", stopReason=reason)


def metadata(input_tokens: int = 10, output_tokens: int = 7, **more: Any) -> bytes:
    usage = {"inputTokens": input_tokens, "outputTokens": output_tokens, "totalTokens": input_tokens + output_tokens}
    return event("metadata", usage={**usage, **more}, metrics={"latencyMs": 5})
