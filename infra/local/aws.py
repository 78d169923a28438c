"""AWS on loopback, behind one endpoint URL: moto's services, and those of AppConfig and Lambda that it lacks.

``AWS_ENDPOINT_URL`` set to ``LocalAws.url`` is all a client needs. Services can be made to fail
(``outage.py``); what is stored in them is ``seed.py``'s. moto keeps its state per process, so two of these in
one process see the same resources.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Self

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from infra.local.appconfigdata import AppConfigData
from infra.local.lambda_functions import LambdaFunctions
from infra.local.outage import Outages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REGION = "us-east-1"

_AT_ONCE = threading.Lock()
"""DynamoDB looks at a condition and writes at once; moto does one after the other, and other threads come between."""


class _QuietHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's signature
        """One line per request would drown the lines that matter."""


class LocalAws:
    """A context manager around the server's thread. ``url`` is known from construction on.

    ``outages`` declares and mends failures; ``functions`` are what Lambda can invoke; ``environment`` is what a
    client's process needs. ``clock`` gives epoch seconds to AppConfig's tokens.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._appconfigdata = AppConfigData(clock=clock)
        self.functions = LambdaFunctions()
        self.outages = Outages(self._route)
        self._server = make_server("127.0.0.1", 0, self.outages, threaded=True, request_handler=_QuietHandler)
        self._thread = threading.Thread(target=self._serve, name="local-aws", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for a process whose AWS this is. The credentials are moto's usual fakes."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKIALOCALLOCALLOCAL0",
            "AWS_SECRET_ACCESS_KEY": "local-secret-access-key",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def __enter__(self) -> Self:
        """Starts serving."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops serving. Requests held by a ``SILENT`` outage, and invocations that are held, are let go first."""
        self.outages.mend()
        self.functions.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def _route(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._appconfigdata.handles(environ["REQUEST_METHOD"], environ["PATH_INFO"]):
            return self._appconfigdata(environ, start_response)
        if self.functions.handles(environ["REQUEST_METHOD"], environ["PATH_INFO"]):
            return self.functions(environ, start_response)
        with _AT_ONCE if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_") else nullcontext():
            answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer
