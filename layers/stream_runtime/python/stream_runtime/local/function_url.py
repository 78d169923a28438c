"""A function URL: an HTTP request becomes an event, and the function's answer an HTTP response, piece by piece.

The event is payload format 2.0 (AWS Lambda developer guide, "Invoking Lambda function URLs"). A streamed answer is
passed on as it comes: the prelude gives status and headers, everything after the eight NUL bytes is body. A buffered
answer is read as Lambda reads it. A caller who leaves is not noticed by the function: what it still sends is dropped.
"""

from __future__ import annotations

import base64
import json
import time
from enum import Enum, auto
from urllib.parse import parse_qsl

from stream_runtime.response import PRELUDE_END, InvalidResponseError, Response, response_to_url

from .pending import Fault
from .server import Exchange

LARGEST_BODY = 6 * 1024 * 1024
_LARGEST_PRELUDE = 64 * 1024
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "trailer"}


def event(exchange: Exchange, body: bytes, request_id: str) -> dict[str, object]:
    """The request as a function sees it."""
    headers: dict[str, str] = {}
    for name, value in exchange.headers:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    domain = headers.get("host", "localhost")
    now = time.time()
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": exchange.path,
        "rawQueryString": exchange.query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": domain.partition(".")[0],
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": exchange.method,
                "path": exchange.path,
                "protocol": exchange.protocol,
                "sourceIp": exchange.peer,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if exchange.query:
        parameters: dict[str, str] = {}
        for name, value in parse_qsl(exchange.query, keep_blank_values=True):
            parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
        event["queryStringParameters"] = parameters
    cookies = [cookie.strip() for name, value in exchange.headers if name == "cookie" for cookie in value.split(";")]
    if cookies:
        event["cookies"] = cookies
    if body:
        event["body"], event["isBase64Encoded"] = _text(body)
    return event


class Stage(Enum):
    """How far the answer to a function URL's caller has come."""

    PRELUDE = auto()
    BODY = auto()
    REFUSED = auto()


class UrlCaller:
    """Who called the function URL."""

    def __init__(self, exchange: Exchange, request_id: str) -> None:
        self._exchange = exchange
        self._request_id = request_id
        self._streaming = False
        self._stage = Stage.PRELUDE
        self._held = bytearray()

    async def open(self, *, streaming: bool) -> None:
        """The function begins: with a prelude if it streams."""
        self._streaming = streaming

    async def chunk(self, data: bytes) -> None:
        """Pass a piece on at once, when the prelude is complete."""
        if self._stage is Stage.BODY:
            await self._exchange.send(data)
        elif self._stage is Stage.PRELUDE:
            self._held += data
            await self._look_for_prelude()

    async def end(self, fault: Fault | None) -> None:
        """Complete the response, or show that it is not complete."""
        if self._stage is Stage.PRELUDE:
            if fault is not None:
                await self._refuse(fault.status)
            elif self._streaming:
                await self._refuse(502)
            else:
                await self._buffered()
        elif self._stage is Stage.BODY and fault is not None and fault.cut:
            self._exchange.abort()
        elif self._stage is Stage.BODY:
            await self._exchange.end()

    async def _look_for_prelude(self) -> None:
        end = self._held.find(PRELUDE_END) if self._streaming else -1
        if end >= 0:
            await self._begin(bytes(self._held[:end]), bytes(self._held[end + len(PRELUDE_END) :]))
        elif self._streaming and len(self._held) > _LARGEST_PRELUDE:
            await self._refuse(502)

    async def _begin(self, prelude: bytes, rest: bytes) -> None:
        try:
            response = response_to_url({"statusCode": 200, **json.loads(prelude)})
        except (ValueError, TypeError, InvalidResponseError):
            await self._refuse(502)
            return
        self._stage = Stage.BODY
        await self._exchange.begin(response.status, self._headers(response))
        if rest:
            await self._exchange.send(rest)

    async def _buffered(self) -> None:
        try:
            response = response_to_url(json.loads(bytes(self._held)))
        except (ValueError, InvalidResponseError):
            await self._refuse(502)
            return
        body = response.body if isinstance(response.body, bytes) else b""
        await self._exchange.answer(response.status, body, self._headers(response))

    async def _refuse(self, status: int) -> None:
        """What a function URL shows of a function that failed: nothing but that it did."""
        self._stage = Stage.REFUSED
        message = {429: "Too Many Requests", 504: "Gateway Timeout"}.get(status, "Internal Server Error")
        headers = [("content-type", "application/json"), ("x-amzn-requestid", self._request_id)]
        await self._exchange.answer(status, json.dumps({"Message": message}).encode(), headers)

    def _headers(self, response: Response) -> list[tuple[str, str]]:
        named = [(name, value) for name, value in response.headers.items() if name.lower() not in _HOP_BY_HOP]
        cookies = [("set-cookie", cookie) for cookie in response.cookies]
        return [*named, *cookies, ("x-amzn-requestid", self._request_id)]


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
