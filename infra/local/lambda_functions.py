"""Lambda's ``Invoke`` on this machine, for functions that are Python callables. moto's needs Docker.

A WSGI application with one operation of the public API (Lambda API reference, "Invoke"), synchronous only: an
asynchronous invocation is refused. It behaves as documented where a caller can tell: what a function returns and what
it raises both come with status 200, a failure being told by a header; an unknown function and a throttled one are
errors of the API. It keeps no time limit. ``aws.py`` puts it in front of moto; the functions are ``tools.py``'s.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Run: TypeAlias = Callable[[Any], object]
"""A function: takes the decoded payload, gives JSON."""

LARGEST = 6_291_556
"""Bytes of a payload, in and out."""

_ARN = re.compile(
    r"arn:aws:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):function:(?P<name>[A-Za-z0-9_-]{1,64})"
    r"(?::(?P<qualifier>[A-Za-z0-9$_-]+))?"
)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation that arrived. ``function`` is named as it was asked for; ``payload`` is decoded."""

    function: str
    payload: Any


class Held:
    """A point that an invocation does not pass before the test says so. Safe to use from any thread."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def open(self) -> None:
        """Lets every invocation that is held here go on, now and later."""
        self._opened.set()

    def reached(self, *, timeout: float = 30.0) -> None:
        """Blocks until an invocation is held here. Raises ``TimeoutError`` after ``timeout`` seconds."""
        if not self._reached.wait(timeout):
            raise TimeoutError("the function has not been invoked")

    def pass_through(self) -> None:
        """What an invocation does here."""
        self._reached.set()
        self._opened.wait()


class _Refusal(Exception):  # noqa: N818 - an answer, not a failure of this program
    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.response = _json(status, {"Type": "User", "Message": message}, {"x-amzn-ErrorType": code, **headers})


class LambdaFunctions:
    """The functions of one account, by ARN. ``handles`` tells which requests are for them.

    ``invocations`` holds everything that arrived and was for a function that exists, throttled or not, in its order.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._functions: dict[str, Run] = {}
        self._throttled: dict[str, list[int | None]] = {}
        self._held: dict[str, Held] = {}
        self.invocations: list[Invocation] = []
        self._routes = Map([Rule("/2015-03-31/functions/<function>/invocations", methods=["POST"], endpoint="invoke")])

    def register(self, function: str, run: Run) -> None:
        """From now on the function with this ARN, without a qualifier, is ``run``. It is called in threads."""
        if not (named := _ARN.fullmatch(function)) or named["qualifier"]:
            raise ValueError(f"{function} is not the ARN of a function")
        with self._lock:
            self._functions[function] = run

    def throttle(self, function: str, *, times: int = 1, retry_after: int | None = None) -> None:
        """The next ``times`` invocations of the function are refused with 429; ``retry_after`` is in seconds."""
        with self._lock:
            self._throttled.setdefault(function, []).extend([retry_after] * times)

    def hold(self, function: str) -> Held:
        """From now on invocations of the function wait, before they are run, until what is returned is opened."""
        with self._lock:
            self._held[function] = held = Held()
        return held

    def release(self) -> None:
        """Lets everything go that is held."""
        with self._lock:
            held = list(self._held.values())
            self._held.clear()
        for one in held:
            one.open()

    def handles(self, method: str, path: str) -> bool:
        """Whether ``method path`` is an invocation."""
        return self._routes.bind("").test(path, method=method)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serves one request."""
        _, arguments = self._routes.bind_to_environ(environ).match()
        try:
            response = self._invoke(Request(environ), arguments["function"])
        except _Refusal as refusal:
            response = refusal.response
        response.headers["x-amzn-RequestId"] = secrets.token_hex(16)
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def _invoke(self, request: Request, function: str) -> Response:
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind != "RequestResponse":
            raise _Refusal(400, "InvalidParameterValueException", f"{kind}: this stand-in invokes synchronously only.")
        payload = _payload(request)
        with self._lock:
            arn = self._find(function, request.args.get("Qualifier"))
            self.invocations.append(Invocation(function, payload))
            if waits := self._throttled.get(arn):
                raise _throttled(waits.pop(0))
            run, held = self._functions[arn], self._held.get(arn)
        if held is not None:
            held.pass_through()
        return _run(run, payload)

    def _find(self, function: str, qualifier: str | None) -> str:
        """The ARN of the function that is asked for by its name, or by its whole ARN."""
        asked = _ARN.fullmatch(function)
        qualifier = (asked["qualifier"] if asked else None) or qualifier
        for arn in self._functions:
            known = _ARN.fullmatch(arn)
            assert known is not None
            same = function == known["name"] if asked is None else arn == function.removesuffix(f":{qualifier}")
            if same and qualifier in (None, "$LATEST"):
                return arn
        raise _Refusal(404, "ResourceNotFoundException", f"Function not found: {function}")


def _run(run: Run, payload: object) -> Response:
    try:
        result = run(payload)
    except Exception as error:  # noqa: BLE001 - a function may raise anything, and is answered with it
        trace = traceback.format_tb(error.__traceback__)[1:]
        return _failed({"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace})
    try:
        body = json.dumps(result).encode()
    except (TypeError, ValueError) as error:
        said = f"Unable to marshal response: {error}"
        return _failed({"errorMessage": said, "errorType": "Runtime.MarshalError", "stackTrace": []})
    if len(body) > LARGEST:
        said = f"Response payload size exceeded maximum allowed payload size ({LARGEST} bytes)."
        return _failed({"errorMessage": said, "errorType": "Function.ResponseSizeTooLarge"})
    return Response(body, 200, {"X-Amz-Executed-Version": "$LATEST"}, content_type="application/json")


def _failed(body: Mapping[str, object]) -> Response:
    told = {"X-Amz-Function-Error": "Unhandled", "X-Amz-Executed-Version": "$LATEST"}
    return _json(200, {**body, "requestId": secrets.token_hex(16)}, told)


def _payload(request: Request) -> object:
    data = request.get_data()
    if len(data) > LARGEST:
        said = f"Request must be smaller than {LARGEST} bytes for the InvokeFunction operation"
        raise _Refusal(413, "RequestTooLargeException", said)
    try:
        return json.loads(data) if data else {}
    except ValueError as error:
        said = f"Could not parse request body into json: {error}"
        raise _Refusal(400, "InvalidRequestContentException", said) from None


def _throttled(retry_after: int | None) -> _Refusal:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return _Refusal(429, "TooManyRequestsException", "Rate Exceeded.", **headers)


def _json(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    return Response(json.dumps(body), status, dict(headers), content_type="application/json")
