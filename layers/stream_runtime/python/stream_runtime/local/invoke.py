"""Direct invocation: the `Invoke` operation of the Lambda API, as far as a developer's machine needs it.

POST /2015-03-31/functions/{any name}/invocations, so that an AWS SDK may be pointed here. The payload is the event; the
answer's body is the function's, and a failed function is a 200 with the header X-Amz-Function-Error, as on Lambda. A
function that streams to such a caller has its prelude passed on as it is, as on Lambda.
"""

from __future__ import annotations

import base64
import re

from .pending import Fault
from .server import Exchange

_PATH = re.compile(r"/2015-03-31/functions/[^/]+/invocations")


def is_invoke(exchange: Exchange) -> bool:
    """Whether this request is a direct invocation rather than a call of the function URL."""
    return exchange.method == "POST" and _PATH.fullmatch(exchange.path) is not None


def client_context(exchange: Exchange) -> str | None:
    """The JSON an SDK sends as base64. Raises ValueError when it is not."""
    encoded = exchange.header("x-amz-client-context")
    return base64.b64decode(encoded, validate=True).decode() if encoded else None


class InvokeCaller:
    """Who called Invoke: waits for the whole answer."""

    def __init__(self, exchange: Exchange, request_id: str) -> None:
        self._exchange = exchange
        self._request_id = request_id
        self._held = bytearray()

    async def open(self, *, streaming: bool) -> None:
        """Nothing to send yet, whichever way it comes."""

    async def chunk(self, data: bytes) -> None:
        """Keep a piece."""
        self._held += data

    async def end(self, fault: Fault | None) -> None:
        """Send everything, or the failure."""
        headers = [
            ("content-type", "application/json"),
            ("x-amzn-requestid", self._request_id),
            ("x-amz-executed-version", "$LATEST"),
        ]
        if fault is not None and fault.status == 429:
            headers.append(("x-amzn-errortype", "TooManyRequestsException"))
            await self._exchange.answer(429, fault.document, headers)
            return
        if fault is not None:
            headers.append(("x-amz-function-error", "Unhandled"))
        await self._exchange.answer(200, bytes(self._held) if fault is None else fault.document, headers)
