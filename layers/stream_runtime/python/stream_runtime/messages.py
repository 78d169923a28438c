"""Every call of the Lambda Runtime API as a value. Nothing here opens a socket.

    GET  /2018-06-01/runtime/invocation/next               the next invocation; waits as long as it takes
    POST /2018-06-01/runtime/invocation/{id}/response      its answer, whole or as a stream
    POST /2018-06-01/runtime/invocation/{id}/error         its failure, before anything was answered
    POST /2018-06-01/runtime/init/error                    the function could not be loaded
    GET  /2018-06-01/runtime/restore/next                  ready for the snapshot; answers after a restore
    POST /2018-06-01/runtime/restore/error                 the function could not be restored
    POST /2020-01-01/extension/register                    an internal extension, which is what brings SIGTERM
    GET  /2020-01-01/extension/event/next                  its event loop, which for us never turns

What may follow what is `state`; who sends these is `link`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .failure import Failure
from .invocation import Invocation

_RUNTIME = "/2018-06-01/runtime"
_EXTENSION = "/2020-01-01/extension"

ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
HTTP_INTEGRATION = "application/vnd.awslambda.http-integration-response"


@dataclass(frozen=True, slots=True)
class Call:
    """One request. A `body` of None is sent in chunks by whoever makes the call."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


NEXT = Call("GET", f"{_RUNTIME}/invocation/next")
RESTORE_NEXT = Call("GET", f"{_RUNTIME}/restore/next")


def buffered_response(invocation: Invocation, body: bytes) -> Call:
    """The whole answer at once, as JSON."""
    return Call("POST", _of(invocation, "response"), (("Content-Type", "application/json"), *_echo(invocation)), body)


def streaming_response(invocation: Invocation) -> Call:
    """The opening of an answer whose prelude, body and trailers follow in chunks."""
    return Call(
        "POST",
        _of(invocation, "response"),
        (
            ("Lambda-Runtime-Function-Response-Mode", "streaming"),
            ("Content-Type", HTTP_INTEGRATION),
            ("Transfer-Encoding", "chunked"),
            ("Trailer", f"{ERROR_TYPE}, {ERROR_BODY}"),
            *_echo(invocation),
        ),
        None,
    )


def invocation_error(invocation: Invocation, failure: Failure) -> Call:
    """The invocation failed, and nothing of an answer has been sent."""
    return _error(_of(invocation, "error"), failure, invocation.context.request_id, _echo(invocation))


def init_error(failure: Failure) -> Call:
    """The function cannot be started; the process ends after this."""
    return _error(f"{_RUNTIME}/init/error", failure)


def restore_error(failure: Failure) -> Call:
    """The function cannot be restored from its snapshot; the process ends after this."""
    return _error(f"{_RUNTIME}/restore/error", failure)


def extension_register(name: str) -> Call:
    """An internal extension that asks for no events. Its identifier comes back in a header."""
    return Call(
        "POST",
        f"{_EXTENSION}/register",
        (("Content-Type", "application/json"), ("Lambda-Extension-Name", name)),
        b'{"events":[]}',
    )


def extension_next(identifier: str) -> Call:
    """Tells Lambda that the extension is ready; Lambda never answers one that asked for no events."""
    return Call("GET", f"{_EXTENSION}/event/next", (("Lambda-Extension-Identifier", identifier),))


def _error(path: str, failure: Failure, request_id: str | None = None, extra: tuple[tuple[str, str], ...] = ()) -> Call:
    headers = (("Content-Type", "application/vnd.aws.lambda.error+json"), (ERROR_TYPE, failure.header), *extra)
    return Call("POST", path, headers, failure.document(request_id))


def _of(invocation: Invocation, what: str) -> str:
    return f"{_RUNTIME}/invocation/{invocation.context.request_id}/{what}"


def _echo(invocation: Invocation) -> tuple[tuple[str, str], ...]:
    """Newer platforms give an invocation a second id and want it back."""
    return (("Lambda-Runtime-Invocation-Id", invocation.invocation_id),) if invocation.invocation_id else ()
