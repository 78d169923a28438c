"""The ways in which a stand-in for an AWS service can fail on request.

A WSGI wrapper that recognises the service of a signed request and, while an outage of it is declared, answers
in its place. It knows nothing of what the services do (``aws.py`` puts it in front of them).
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")


class Outage(Enum):
    """What callers of a failing service meet."""

    UNREACHABLE = "the connection closes without an answer"
    SILENT = "the connection stays open and nothing comes until the service is mended"
    FAILING = "every request is answered with 500"
    DENIED = "every request is answered with 403 AccessDeniedException"
    NONSENSE = "every request is answered with 200 and a page of HTML"


class Outages:
    """A WSGI application around another one; failing services never reach the inner one.

    Services are named as in a request's signature: ``secretsmanager``, ``dynamodb``, ``kms``, ``appconfig``,
    ``lambda``. Safe to use from any thread.
    """

    def __init__(self, inner: WSGIApplication) -> None:
        self._inner = inner
        self._lock = threading.Condition()
        self._declared: dict[str, tuple[Outage, threading.Event]] = {}
        self._calls: list[str] = []

    def declare(self, service: str, outage: Outage) -> None:
        """From now on ``service`` fails in this way."""
        with self._lock:
            _, mended = self._declared.get(service, (outage, threading.Event()))
            self._declared[service] = (outage, threading.Event())
        mended.set()

    def mend(self, service: str | None = None) -> None:
        """Ends the outage of ``service``, or of all; requests that were held get the true answer."""
        with self._lock:
            names = list(self._declared) if service is None else [service]
            ended = [self._declared.pop(name) for name in names if name in self._declared]
        for _, mended in ended:
            mended.set()

    def calls(self, service: str) -> int:
        """How many requests for ``service`` have arrived, answered or not."""
        with self._lock:
            return self._calls.count(service)

    def wait_for_calls(self, service: str, count: int, *, timeout: float = 30.0) -> None:
        """Blocks until ``count`` requests for ``service`` have arrived. Raises ``TimeoutError`` after ``timeout`` s."""
        with self._lock:
            if not self._lock.wait_for(lambda: self._calls.count(service) >= count, timeout):
                raise TimeoutError(f"{service} has had {self._calls.count(service)} of {count} requests")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serves one request."""
        scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        service = scope["service"] if scope else ""
        with self._lock:
            self._calls.append(service)
            self._lock.notify_all()
            outage, mended = self._declared.get(service, (None, threading.Event()))
        match outage:
            case None:
                pass
            case Outage.SILENT:
                mended.wait()
            case Outage.UNREACHABLE:
                connection = environ["werkzeug.socket"]
                assert isinstance(connection, socket.socket)
                connection.shutdown(socket.SHUT_RDWR)
                return []
            case Outage.NONSENSE:
                return _answer(start_response, "200 OK", "text/html", b"<html><body>It works!</body></html>")
            case Outage.FAILING:
                return _error(start_response, "500 Internal Server Error", "InternalServerException")
            case Outage.DENIED:
                return _error(start_response, "403 Forbidden", "AccessDeniedException")
        return self._inner(environ, start_response)


def _error(start_response: StartResponse, status: str, code: str) -> Iterable[bytes]:
    body = json.dumps({"__type": code, "message": f"declared outage: {code}"}).encode()
    return _answer(start_response, status, "application/json", body, ("x-amzn-ErrorType", code))


def _answer(
    start_response: StartResponse, status: str, content_type: str, body: bytes, *more: tuple[str, str]
) -> Iterable[bytes]:
    start_response(
        status, [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Connection", "close"), *more]
    )
    return [body]
