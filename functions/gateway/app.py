"""The gateway's Lambda function: a function URL that streams, a Step Functions task, a direct invocation.

Which of these it is shows in the event alone. This module only routes; the story of a request is ``keyway/gateway.py``,
then ``keyway/exchange.py``, and its words are read and written in ``keyway/doors/``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

from keyway import __version__
from keyway.answer import Answer
from keyway.chat import Caller, ChatRequest
from keyway.doors.function_url import is_function_url, json_body, method_and_path
from keyway.doors.models import models_json
from keyway.doors.native.answer import answer_json
from keyway.doors.native.request import read_request
from keyway.doors.native.stream import PING, EventStream
from keyway.errors import InvalidRequest, KeywayError
from keyway.gateway import Invocation
from keyway.settings import Settings
from keyway.wiring import Keyway
from stream_runtime import Context, Response


class Function:
    """The handler. The runtime calls ``start`` while the environment initialises."""

    def __init__(self) -> None:
        self._keyway: Keyway | None = None

    async def start(self) -> None:
        """Reads the settings and builds the gateway. Raises ``SettingError`` naming a wrong variable."""
        self._keyway = Keyway(Settings.from_environment())
        await self._keyway.start()

    async def restored(self) -> None:
        """After a SnapStart restore."""
        await self._started.restored()

    async def stop(self) -> None:
        """Before the environment goes away."""
        await self._started.stop()

    async def __call__(self, event: Mapping[str, object], context: Context) -> Response | dict[str, object]:
        """One invocation. A bare event's errors are raised: their class names are what Step Functions sees."""
        invocation = Invocation(request_id=context.request_id, deadline=context.deadline_ms / 1000)
        if is_function_url(event):
            return await self._over_http(event, invocation)
        return await self._started.tasks.run(
            event,
            request_id=invocation.request_id,
            deadline=invocation.deadline,
            ask=partial(self._whole, invocation=invocation),
        )

    async def _over_http(self, event: Mapping[str, object], invocation: Invocation) -> Response:
        try:
            match method_and_path(event):
                case "POST", "/v1/execute":
                    return await self._execute(event, invocation)
                case "GET", "/v1/models":
                    return _json(200, models_json(self._started.catalog.listing()))
                case "GET", "/v1/tools":
                    return _json(200, self._tools())
                case "GET", "/health":
                    return _json(200, {"status": "ok", "version": __version__})
                case method, path:
                    raise _no_such_route(method, path)
        except KeywayError as error:
            headers = {"retry-after": str(max(1, round(error.retry_after)))} if error.retry_after is not None else {}
            return _json(error.status, {"error": error.to_json(invocation.request_id)}, headers)

    async def _execute(self, event: Mapping[str, object], invocation: Invocation) -> Response:
        request, caller = read_request(json_body(event))
        if not request.stream:
            return _json(200, answer_json(await self._whole(request, caller, invocation)))
        exchange = await self._started.gateway.open(request, caller, invocation)
        return Response(
            status=200,
            headers={
                "content-type": "text/event-stream",
                "cache-control": "no-cache",
                "x-request-id": invocation.request_id,
            },
            body=EventStream(exchange, invocation.request_id),
            heartbeat=PING,
        )

    def _tools(self) -> dict[str, object]:
        from keyway.doors.tools import tools_json  # noqa: PLC0415 - slow to load, and seldom asked for

        tools = self._started.tools
        return tools_json(tools.catalog if tools else None)

    async def _whole(self, request: ChatRequest, caller: Caller, invocation: Invocation) -> Answer:
        return await (await self._started.gateway.open(request, caller, invocation)).whole()

    @property
    def _started(self) -> Keyway:
        assert self._keyway is not None, "the runtime calls start() before the first invocation"
        return self._keyway


def _no_such_route(method: str, path: str) -> InvalidRequest:
    known = "POST /v1/execute, GET /v1/models, GET /v1/tools or GET /health"
    error = InvalidRequest(f"there is no {method} {path} here; try {known}")
    error.status = 404
    return error


def _json(status: int, body: dict[str, object], headers: Mapping[str, str] | None = None) -> Response:
    content = json.dumps(body).encode()
    return Response(status=status, headers={"content-type": "application/json", **(headers or {})}, body=content)


handler = Function()
