"""Runs tools that speak HTTP: one request, filled from a template, and one JSON answer.

    no such request can be made, or its address is refused    nothing is sent
    no connection, or it breaks                                a failure without a status: what was sent may have
                                                               arrived, and must not be sent again as to a busy tool
    no end of the answer in the tool's time                    timed out; what the tool was doing may go on there
    3xx                                                        a failure: a redirect is not followed
    4xx, 5xx                                                   a failure, in the tool's own words
    2xx                                                        the output: JSON, or ``{}`` for nothing at all

An operator's tool is reached wherever the operator says. One that came with the request has to be https, its host is
resolved once and must be public (``addresses.py``), and no key is ever sent there. Nothing is sent twice here; whether
another try may help is ``tools/call.py``'s affair, filling the template ``tools/template.py``'s, and reading what the
tool answered ``tool_answers.py``'s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from keyway import __version__
from keyway.chat import HttpExecutor
from keyway.error_body import error_body
from keyway.errors import KeywayError
from keyway.http_request import HttpRequest
from keyway.keys.credential import fits_a_header
from keyway.outside.tool_answers import decoded, quoted_body, too_long
from keyway.outside.upstream import HttpAnswer, HttpUpstream
from keyway.tools.executor import Job, ToolFailure
from keyway.tools.placeholder import TemplateError
from keyway.tools.template import HttpCall, check_template, fill_template
from keyway.wire.failure import retry_after


class HttpTools:
    """Runs HTTP tools (an ``Executor``, see ``tools/executor.py``). One per environment."""

    def __init__(self, upstream: HttpUpstream, *, now: Callable[[], float] = time.time) -> None:
        self._upstream = upstream
        self._now = now

    async def run(self, job: Job) -> object:
        """See ``Executor.run``. When it is cancelled, the connection is closed at once."""
        assert isinstance(job.executor, HttpExecutor)
        request, seconds = _request(job, job.executor), job.executor.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                answer = await self._upstream.send(request)
                try:
                    return await self._output(job, answer)
                finally:
                    await answer.aclose()
        except TimeoutError:
            raise ToolFailure(f"{job.tool} did not answer within {seconds:g} seconds", timed_out=True) from None
        except KeywayError as error:
            raise ToolFailure(error.message) from None

    async def _output(self, job: Job, answer: HttpAnswer) -> object:
        status = answer.status
        if status >= 400:
            words = quoted_body(await error_body(answer), job)
            raise ToolFailure(
                f"{job.tool} answered with status {status}{f': {words}' if words else ''}",
                status=status,
                words=words,
                retry_after=retry_after(answer.headers, now=self._now()),
            )
        if not 200 <= status < 300:
            raise ToolFailure(
                f"{job.tool} answered with status {status}, a redirect, which is not followed",
                status=status,
            )
        body = bytearray()
        while data := await answer.read():
            body += data
            if len(body) > job.max_response_bytes:
                await answer.abandon()
                raise too_long(job)
        return decoded(bytes(body), job)


def _request(job: Job, executor: HttpExecutor) -> HttpRequest:
    try:
        check_template(executor, trusted=job.trusted)
    except ValueError as error:
        raise ToolFailure(f"{job.place}.{error}", sent=False) from None
    try:
        call = fill_template(executor, job.arguments)
    except TemplateError as error:
        raise ToolFailure(f"{job.tool} was not called: {error}", sent=False) from None
    return HttpRequest(
        recipient=job.tool,
        url=call.url,
        headers=_headers(job, call),
        content=call.content or b"",
        caller_chosen=not job.trusted,
        method=call.method,
        chosen_in=f"{job.place}.url",
    )


def _headers(job: Job, call: HttpCall) -> dict[str, str]:
    headers = {"accept": "application/json", "user-agent": f"keyway/{__version__}", **call.headers}
    headers["accept-encoding"] = "identity"  # an unpacked answer has no length to be known beforehand
    if job.key is None or job.key.header is None:
        return headers
    if not job.trusted:
        raise ToolFailure(f"{job.tool} was not called: no key is sent to an address that came with the request")
    value = job.key.prefix + job.key.secret
    if not fits_a_header(value):
        raise ToolFailure(f"{job.tool} was not called: its key holds characters that no HTTP header may carry")
    return headers | {job.key.header.lower(): value}
