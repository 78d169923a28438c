"""Jobs for tools that speak HTTP, what a server replies to them, and what comes of those that fail."""

from __future__ import annotations

from typing import Any

import pytest

from keyway.chat import Caller, HttpExecutor
from keyway.outside.http_tools import HttpTools
from keyway.tools.executor import Job, ToolFailure

SECRET = "tk-hosted/aaaabbbbccccdddd+=="


def reply(body: bytes | str = b"{}", status: int = 200, *headers: str) -> bytes:
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(content)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + content


def job(url: str, arguments: dict[str, Any] | None = None, **fields: Any) -> Job:
    """``fields`` are those of the executor, in JSON, or of the job."""
    ours = {"key": None, "trusted": True, "max_response_bytes": 1_000} | {
        name: fields.pop(name) for name in ("key", "trusted", "max_response_bytes") if name in fields
    }
    return Job(
        tool="web_search",
        executor=HttpExecutor.model_validate({"type": "http", "url": url, **fields}),
        arguments=arguments or {},
        place="tools[0].executor",
        caller=Caller(),
        request_id="request-1",
        **ours,
    )


async def failure(tools: HttpTools, wanted: Job) -> ToolFailure:
    with pytest.raises(ToolFailure) as found:
        await tools.run(wanted)
    assert found.value.__cause__ is None
    for text in (found.value.message, str(found.value), repr(found.value)):
        assert SECRET not in text
    return found.value


def said(found: ToolFailure) -> tuple[object, ...]:
    return (found.message, found.status, found.retry_after, found.timed_out)
