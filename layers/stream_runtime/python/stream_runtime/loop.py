"""What happens to one invocation, and the pollers that ask for the next.

As many pollers as the environment takes invocations at once, each with a connection of its own, all in one event loop
with nothing shared between them. An invocation runs in a task and a context of its own: what it does to context
variables, how it fails and when it is cancelled stays there.

The platform does not end an invocation that runs over on Lambda Managed Instances, and elsewhere it ends the whole
environment; so the runtime ends it itself, shortly before. A handler that ignores even that is left behind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, TypeAlias, cast

from . import log, messages
from .answer import Answer
from .failure import Failure
from .invocation import Context, Invocation, from_function_url
from .link import Link, LinkError
from .response import InvalidResponseError, Response, encode, response_to_url
from .settings import Settings
from .trace import trace_id

Function: TypeAlias = Callable[[Any, Context], object]
"""A handler. It should be async, which only a call of it shows: decorators hide it."""

TIMED_OUT = Failure(
    "Runtime.DeadlineExceeded", "the function did not finish before its deadline", expected=True, status=504
)
SHUT_DOWN = Failure(
    "Runtime.Shutdown", "the environment was shut down before the function finished", expected=True, status=503
)

_LAST_WORDS = 0.1
"""Seconds a cancelled invocation has to go once its deadline is reached."""

_LARGEST_RESERVE = 0.25
"""The part of an invocation's time that may be set aside for ending it; a short timeout is not all reserve."""

_RECONNECTS = (0.0, 0.05, 0.2, 0.8)
"""Seconds before each new try when the Runtime API drops `next` straight away; after that it is gone for good."""


class RuntimeApiGoneError(Exception):
    """There is no Runtime API to take work from any more. The process can only end."""


async def poll(settings: Settings, function: Function, trace_to_process: Callable[[str | None], None]) -> None:
    """Take one invocation after the other, for ever. Raises RuntimeApiGoneError when there is nobody to ask."""
    link = Link(settings.runtime_api)
    strays: set[asyncio.Task[None]] = set()
    try:
        while True:
            reply = await _next(link)
            invocation = Invocation.parse(reply.headers, reply.body, settings)
            trace_to_process(invocation.context.trace_id)
            stray = await _supervise(invocation, function, link, settings)
            if stray is not None:
                strays.add(stray)  # asyncio itself would forget it
                stray.add_done_callback(strays.discard)
    finally:
        link.close()


async def _next(link: Link) -> messages.Reply:
    loop = asyncio.get_running_loop()
    tries = 0
    while True:
        asked = loop.time()
        try:
            reply = await link.call(messages.NEXT)
        except LinkError as broken:
            tries = 0 if loop.time() - asked > 1 else tries
            if tries == len(_RECONNECTS):
                raise RuntimeApiGoneError(str(broken)) from None
            await asyncio.sleep(_RECONNECTS[tries])
            tries += 1
            continue
        if reply.status != 200:
            body = reply.body[:500].decode("utf-8", "replace")
            raise RuntimeApiGoneError(f"the Runtime API answered {reply.status} to `next`: {body}")
        return reply


async def _supervise(
    invocation: Invocation, function: Function, link: Link, settings: Settings
) -> asyncio.Task[None] | None:
    """See one invocation to its end. One that will not end is given back, cut off from the Runtime API."""
    left = invocation.context.deadline_ms / 1000 - time.time()
    reserve = min(settings.deadline_reserve, left * _LARGEST_RESERVE)
    answer = Answer(invocation, link, settings.heartbeat_after)
    served = asyncio.create_task(_serve(invocation, function, answer, left - reserve))
    try:
        await asyncio.wait({served}, timeout=max(left, 0))
        if not served.done():
            served.cancel()
            await asyncio.wait({served}, timeout=_LAST_WORDS)
    except asyncio.CancelledError:
        served.cancel()
        await asyncio.wait({served}, timeout=settings.shutdown_budget)
        raise
    if served.done():
        return None
    answer.lose()
    link.close()
    log.line(
        "ERROR", "the function ignores its cancellation and was left behind", requestId=invocation.context.request_id
    )
    return served


async def _serve(invocation: Invocation, function: Function, answer: Answer, seconds: float) -> None:
    """Run the handler and send what it returns, or what became of it. Never raises, unless cancelled."""
    context = invocation.context
    trace_id.set(context.trace_id)
    from_url = False
    result: object = None
    deadline = asyncio.timeout(seconds)
    try:
        try:
            async with deadline:
                event = invocation.event()
                from_url = from_function_url(event)
                result = await _call(function, event, context)
                await _answer(result, answer, from_url=from_url)
        except LinkError:
            raise
        except asyncio.CancelledError:
            await answer.fail(SHUT_DOWN, from_url=from_url)
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 — whatever a handler raises is its answer
            over = deadline.expired() and isinstance(error, TimeoutError)
            failure = TIMED_OUT if over else Failure.of(error)
            log.failure("the invocation failed", failure, requestId=context.request_id)
            await answer.fail(failure, from_url=from_url)
    except LinkError as broken:
        log.line("WARNING", "the answer could not be delivered", requestId=context.request_id, reason=str(broken))
    finally:
        answer.lose()
        await _close(result, context)


async def _call(function: Function, event: object, context: Context) -> object:
    pending = function(event, context)
    if not isawaitable(pending):
        what = type(pending).__name__
        raise InvalidResponseError(f"the handler returned a {what} without being awaited: it must be an async function")
    return await pending


async def _answer(result: object, answer: Answer, *, from_url: bool) -> None:
    if from_url:
        await answer.stream(result if isinstance(result, Response) else response_to_url(result))
    elif isinstance(result, Response):
        # Whoever invoked the function directly could not tell a prelude from the answer it waits for.
        raise InvalidResponseError(
            "the handler returned a Response to an event that is not from a function URL; return a JSON value"
        )
    else:
        await answer.respond(encode(result))


async def _close(result: object, context: Context) -> None:
    """Close the body of a Response. Its owner decides what that means; the caller already has its answer."""
    aclose = getattr(result.body, "aclose", None) if isinstance(result, Response) else None
    if aclose is None:
        return
    try:
        await cast("Callable[[], Awaitable[object]]", aclose)()
    except (Exception, SystemExit) as error:  # noqa: BLE001 — whatever it was, the next invocation must not suffer
        log.failure("the body could not be closed", Failure.of(error), requestId=context.request_id)
