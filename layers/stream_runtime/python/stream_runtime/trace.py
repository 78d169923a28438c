"""The X-Ray trace header of the invocation that is running now.

The process-wide variable `_X_AMZN_TRACE_ID` cannot tell concurrent invocations apart; a context variable can. Each
invocation runs in a context of its own, so the value never leaks into another.
"""

from __future__ import annotations

from contextvars import ContextVar

trace_id: ContextVar[str | None] = ContextVar("stream_runtime.trace_id", default=None)
