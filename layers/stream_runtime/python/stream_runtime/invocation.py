"""One invocation as the Runtime API hands it over: who asks, until when, and the event's bytes.

Pure: headers and bytes in, values out; only `Context.remaining_seconds` looks at the clock. Header names are those of
the Runtime API's `next` call (AWS Lambda developer guide, "Using the Lambda runtime API"). What to do with an
invocation is decided in `loop`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from .settings import Settings


class MalformedInvocationError(Exception):
    """The Runtime API sent something that is not an invocation: without an id there is nobody to answer."""


class UnmarshalError(Exception):
    """The event is not JSON."""

    expected = True
    error_type = "Runtime.UnmarshalError"


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler may know about the invocation it serves."""

    request_id: str
    deadline_ms: int
    """When Lambda ends this invocation, in milliseconds since the epoch."""
    invoked_function_arn: str = ""
    function_name: str = ""
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 0
    log_group_name: str = ""
    log_stream_name: str = ""
    trace_id: str | None = None
    client_context: Mapping[str, object] | None = None
    cognito_identity: Mapping[str, object] | None = None
    tenant_id: str | None = None

    @property
    def aws_request_id(self) -> str:
        """The name AWS's own Python runtime gives to `request_id`."""
        return self.request_id

    def remaining_seconds(self) -> float:
        """Seconds until the deadline, never below 0."""
        return max(0.0, self.deadline_ms / 1000 - time.time())

    def get_remaining_time_in_millis(self) -> int:
        """The same in whole milliseconds, under the name AWS's own Python runtime uses."""
        return int(self.remaining_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Invocation:
    """A context, the event as bytes, and the id to echo when the platform gave one."""

    context: Context
    payload: bytes
    invocation_id: str | None = None

    @classmethod
    def parse(cls, headers: Mapping[str, str], payload: bytes, settings: Settings) -> Invocation:
        """Read the headers (lower-case names) and body of an answer to `next`.

        Raises MalformedInvocationError when the request id or the deadline is missing or unreadable.
        """
        request_id = headers.get("lambda-runtime-aws-request-id", "")
        deadline = headers.get("lambda-runtime-deadline-ms", "")
        if not request_id:
            raise MalformedInvocationError("the Runtime API sent an invocation without Lambda-Runtime-Aws-Request-Id")
        if not deadline.isdecimal():
            raise MalformedInvocationError(
                f"invocation {request_id}: Lambda-Runtime-Deadline-Ms is {deadline!r}, not a number of milliseconds"
            )
        context = Context(
            request_id=request_id,
            deadline_ms=int(deadline),
            invoked_function_arn=headers.get("lambda-runtime-invoked-function-arn", ""),
            function_name=settings.function_name,
            function_version=settings.function_version,
            memory_limit_in_mb=settings.memory_limit_in_mb,
            log_group_name=settings.log_group_name,
            log_stream_name=settings.log_stream_name,
            trace_id=headers.get("lambda-runtime-trace-id") or None,
            client_context=_json_object(headers.get("lambda-runtime-client-context")),
            cognito_identity=_json_object(headers.get("lambda-runtime-cognito-identity")),
            tenant_id=headers.get("lambda-runtime-aws-tenant-id") or None,
        )
        return cls(context, payload, headers.get("lambda-runtime-invocation-id") or None)

    def event(self) -> object:
        """The event, decoded. Raises UnmarshalError when it is not JSON."""
        try:
            return json.loads(self.payload)
        except (ValueError, RecursionError) as error:
            raise UnmarshalError(f"the event is not JSON: {error}") from None


def from_function_url(event: object) -> bool:
    """Whether the event came through a function URL, and so whether the answer is a stream with a prelude.

    Nothing else tells: the Runtime API does not say whether the caller can take a stream.
    """
    if not isinstance(event, dict) or event.get("version") != "2.0":
        return False
    request = event.get("requestContext")
    return isinstance(request, dict) and isinstance(request.get("http"), dict)


def _json_object(text: str | None) -> Mapping[str, object] | None:
    """A header that holds a JSON object. What a caller put there wrongly is no reason to fail the invocation."""
    if not text:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
