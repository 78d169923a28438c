"""The Runtime API of one environment: what its process is told, and what it may say.

Every environment has a port of its own, which is its identity. Invocations come from a queue that all environments
share; whichever asks first gets the next one. The calls are those of `stream_runtime.messages`, from the other side.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable

from .pending import Fault, Pending
from .server import Exchange, PeerGoneError

_INVOCATION = "/2018-06-01/runtime/invocation/"


class RuntimeApi:
    """The routes of one environment's Runtime API, and the invocations it has in hand."""

    def __init__(
        self,
        queue: asyncio.Queue[Pending],
        timeout: float,
        function_arn: str,
        on_ready: Callable[[], None],
        on_expired: Callable[[Pending], None],
    ) -> None:
        self._queue = queue
        self._on_ready = on_ready
        self._timeout = timeout
        self._function_arn = function_arn
        self._on_expired = on_expired
        self._taken: dict[str, Pending] = {}
        self._responding: set[Exchange] = set()
        self.took_any = False
        """Whether the process has taken an invocation since it began."""
        self.init_error: str | None = None

    @property
    def taken(self) -> list[Pending]:
        """The invocations whose answer is not complete."""
        return [pending for pending in self._taken.values() if not pending.ended]

    def reset(self) -> None:
        """A new process begins; it knows nothing of the old one's invocations."""
        self._taken.clear()
        self.took_any = False
        self.init_error = None

    def break_responses(self) -> int:
        """Break the connections on which answers are being sent. Gives their number."""
        for exchange in self._responding:
            exchange.abort()
        return len(self._responding)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one call of the process."""
        match exchange.method, exchange.path:
            case "GET", "/2018-06-01/runtime/invocation/next":
                await self._next(exchange)
            case "GET", "/2018-06-01/runtime/restore/next":
                await exchange.body()
                await exchange.answer(200)
            case "POST", "/2018-06-01/runtime/init/error" | "/2018-06-01/runtime/restore/error":
                self.init_error = (await exchange.body()).decode("utf-8", "replace")
                await exchange.answer(202)
            case "POST", "/2020-01-01/extension/register":
                await exchange.body()
                await exchange.answer(200, b"{}", [("Lambda-Extension-Identifier", "local")])
            case "GET", "/2020-01-01/extension/event/next":
                await exchange.body()
                await exchange.until_gone()
            case "POST", path if path.startswith(_INVOCATION):
                await self._answer(exchange, *path.removeprefix(_INVOCATION).partition("/")[::2])
            case _:
                await _refuse(exchange, 404, "NotFound", f"no such call: {exchange.method} {exchange.path}")

    async def _next(self, exchange: Exchange) -> None:
        await exchange.body()
        self._on_ready()
        pending = await self._take(exchange)
        if pending is None:
            return
        self.took_any = True
        self._taken[pending.request_id] = pending
        pending.timer = asyncio.get_running_loop().call_later(self._timeout, self._expire, pending)
        headers = [
            ("Lambda-Runtime-Aws-Request-Id", pending.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(int((time.time() + self._timeout) * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", self._function_arn),
            ("Lambda-Runtime-Trace-Id", pending.trace_id),
            ("Content-Type", "application/json"),
        ]
        if pending.client_context is not None:
            headers.append(("Lambda-Runtime-Client-Context", pending.client_context))
        await exchange.answer(200, pending.payload, headers)
        if exchange.gone:
            await pending.end(Fault.of_platform("Runtime.ExitError", "the runtime left before it took the event"))

    async def _take(self, exchange: Exchange) -> Pending | None:
        """The next invocation, or None when the process hangs up first."""
        take = asyncio.create_task(self._queue.get())
        gone = asyncio.create_task(exchange.until_gone())
        try:
            await asyncio.wait({take, gone}, return_when=asyncio.FIRST_COMPLETED)
            return take.result() if take.done() else None
        finally:
            gone.cancel()
            take.cancel()
            await asyncio.wait({take, gone})

    def _expire(self, pending: Pending) -> None:
        pending.expired = True
        self._on_expired(pending)

    async def _answer(self, exchange: Exchange, request_id: str, what: str) -> None:
        pending = self._taken.get(request_id)
        if pending is None or what not in {"response", "error"}:
            await _refuse(exchange, 400, "InvalidRequestID", f"no invocation {request_id} waits for {what!r}")
        elif pending.expired:
            await _refuse(exchange, 410, "InvokeTimeout", f"invocation {request_id} has run out of time")
        elif pending.opened or pending.ended:
            await _refuse(exchange, 403, "InvalidStateTransition", f"invocation {request_id} has been answered already")
        elif what == "error":
            await self._failed(exchange, pending)
        else:
            await self._respond(exchange, pending)

    async def _failed(self, exchange: Exchange, pending: Pending) -> None:
        document = await exchange.body()
        type_ = exchange.header("lambda-runtime-function-error-type") or "Function.Unknown"
        await pending.end(Fault(type_, document))
        self._done(pending)
        await exchange.answer(202, b'{"status":"OK"}')

    async def _respond(self, exchange: Exchange, pending: Pending) -> None:
        self._responding.add(exchange)
        try:
            await pending.open(streaming=exchange.header("lambda-runtime-function-response-mode") == "streaming")
            async for chunk in exchange.chunks():
                await pending.chunk(chunk)
        except PeerGoneError:
            await pending.end(Fault.of_platform("Runtime.TruncatedResponse", "the runtime broke off its answer"))
            raise
        finally:
            self._responding.discard(exchange)
        await pending.end(_from_trailers(exchange.trailers))
        expired = pending.expired
        self._done(pending)
        if expired:
            await _refuse(exchange, 410, "InvokeTimeout", f"invocation {pending.request_id} has run out of time")
        else:
            await exchange.answer(202, b'{"status":"OK"}')

    def _done(self, pending: Pending) -> None:
        self._taken.pop(pending.request_id, None)


def _from_trailers(trailers: dict[str, str]) -> Fault | None:
    type_ = trailers.get("lambda-runtime-function-error-type")
    if type_ is None:
        return None
    try:
        document = base64.b64decode(trailers.get("lambda-runtime-function-error-body", ""), validate=True)
    except ValueError:
        document = b""
    return Fault(type_, document or json.dumps({"errorType": type_}).encode(), cut=False)


async def _refuse(exchange: Exchange, status: int, type_: str, message: str) -> None:
    body = json.dumps({"errorType": type_, "errorMessage": message}).encode()
    await exchange.answer(status, body, [("content-type", "application/json")])
