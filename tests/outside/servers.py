"""HTTP servers on loopback that stand in for AWS and fail on demand.

``Server`` answers and misbehaves; ``Proxy`` passes requests on to moto; ``AppConfigData`` speaks AppConfig's data
plane, which moto lacks.
"""

from __future__ import annotations

import http.client
import json
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

LEAK = "sk-LEAK-0123456789-ABCDEF"
"""A secret that wrong answers quote and that nothing may repeat."""


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str] = {}


def error(status: int, code: str, message: str = LEAK) -> Reply:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Reply(status, body, {"x-amzn-errortype": code, "content-type": "application/x-amz-json-1.1"})


REPLIES = {
    "broken": error(500, "InternalServerError"),
    "throttled": error(400, "ThrottlingException"),
    "denied": error(403, "AccessDeniedException"),
    "a page": Reply(200, f"<html>{LEAK}</html>".encode()),
    "cut json": Reply(200, f'{{"SecretString": "{LEAK}", "Plaintext": "{LEAK}'.encode()),
    "other json": Reply(200, json.dumps({"SecretString": 5, "Items": LEAK, "Plaintext": "!!"}).encode()),
    "a list": Reply(200, json.dumps([LEAK]).encode()),
    "an error page": Reply(502, f"<html>{LEAK}</html>".encode()),
}

FAULTS = ("hung up", *REPLIES)
"""Faults that are over at once. There is one more, ``slow``: no answer until ``permit`` is called."""


class Server(ABC):
    """A server with a ``fault`` for every operation, or for those in ``faults``. ``asked`` holds operations."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self.faults: dict[str, str | Reply] = {}
        self.asked: list[str] = []
        self._permission = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer._serve(self)

            do_GET = do_POST  # noqa: N815  the name http.server calls

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    @abstractmethod
    def answer(self, operation: str, request: BaseHTTPRequestHandler, body: bytes) -> Reply:
        """The answer to one request that no fault has hit."""

    def permit(self) -> None:
        """Lets slow answers go."""
        self._permission.set()

    def close(self) -> None:
        self.permit()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        target = request.headers.get("x-amz-target", "")
        operation = target.rpartition(".")[2] or urlsplit(request.path).path.strip("/")
        self.asked.append(operation)
        fault = self.faults.get(operation, self.fault)
        if fault == "hung up":
            self.answer(operation, request, body)  # the work is done, its answer is lost
            request.close_connection = True
            return
        if fault == "slow":
            self._permission.wait(30)
        if isinstance(fault, Reply):
            reply = fault
        else:
            reply = REPLIES[fault] if fault in REPLIES else self.answer(operation, request, body)
        try:
            request.send_response(reply.status)
            for name, value in reply.headers.items():
                request.send_header(name, value)
            request.send_header("content-length", str(len(reply.body)))
            request.end_headers()
            request.wfile.write(reply.body)
        except OSError:
            request.close_connection = True  # whoever asked has given up


class Proxy(Server):
    """Passes everything on to ``upstream``; ``alter`` may change a request's JSON on the way."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self.alter: Callable[[str, dict[str, object]], None] = lambda _operation, _body: None
        super().__init__()

    def answer(self, operation: str, request: BaseHTTPRequestHandler, body: bytes) -> Reply:
        document = json.loads(body)
        self.alter(operation, document)
        connection = http.client.HTTPConnection(*self._upstream, timeout=30)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
            connection.request(request.command, request.path, json.dumps(document).encode(), headers)
            answer = connection.getresponse()
            kept = ("content-type", "x-amzn-errortype", "x-amzn-requestid")
            said = {name: value for name, value in answer.getheaders() if name.lower() in kept}
            return Reply(answer.status, answer.read(), said)
        finally:
            connection.close()


class Atomic(Proxy):
    """DynamoDB changes an item once at a time. Moto checks a condition and writes in two steps."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._one_at_a_time = threading.Lock()
        super().__init__(upstream)

    def answer(self, operation: str, request: BaseHTTPRequestHandler, body: bytes) -> Reply:
        with self._one_at_a_time:
            return super().answer(operation, request, body)


class AppConfigData(Server):
    """AppConfig's data plane with one profile: single-use tokens, and an empty body for what has not changed."""

    def __init__(self) -> None:
        self.document = b"{}"
        self.interval = 60
        self.sessions: list[dict[str, object]] = []
        self._tokens: dict[str, bytes | None] = {}
        super().__init__()

    def deploy(self, document: object) -> None:
        self.document = document if isinstance(document, bytes) else json.dumps(document).encode()

    def expire(self) -> None:
        """A day passes: every token is refused from now on."""
        self._tokens.clear()

    def answer(self, operation: str, request: BaseHTTPRequestHandler, body: bytes) -> Reply:
        if operation == "configurationsessions":
            self.sessions.append(json.loads(body))
            return Reply(201, json.dumps({"InitialConfigurationToken": self._token(None)}).encode())
        token = parse_qs(urlsplit(request.path).query)["configuration_token"][0]
        if token not in self._tokens:
            return error(400, "BadRequestException", "the token was used or has expired")
        seen = self._tokens.pop(token)
        document = self.document
        return Reply(
            200,
            b"" if document == seen else document,
            {
                "Next-Poll-Configuration-Token": self._token(document),
                "Next-Poll-Interval-In-Seconds": str(self.interval),
                "content-type": "application/json",
            },
        )

    def _token(self, seen: bytes | None) -> str:
        token = secrets.token_hex(8)
        self._tokens[token] = seen
        return token
