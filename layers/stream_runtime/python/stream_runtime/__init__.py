"""A client of the Lambda Runtime API that can stream. It knows nothing of what it carries.

A function is one coroutine function, or an object with an async `__call__`:

    async def handler(event: dict[str, object], context: Context) -> Response | JsonValue

A `Response` answers a function URL as a stream; any other value is the buffered JSON result of any other event.
An object may also define `async def start(self)` (awaited before the first invocation), `stop` (awaited at shutdown)
and `restored` (awaited after a SnapStart restore).

Reading order: `runtime` is a process's life, `loop` an invocation's, `answer` what goes out, `messages` and `state` the
protocol, `link` the only socket. `local` is the other side of that socket, on one machine. Importing this package
brings neither asyncio nor h11.
"""

from __future__ import annotations

from .hooks import after_restore, before_snapshot, on_shutdown
from .invocation import Context
from .response import JsonValue, Response
from .trace import trace_id

__all__ = ["Context", "JsonValue", "Response", "after_restore", "before_snapshot", "on_shutdown", "trace_id"]
