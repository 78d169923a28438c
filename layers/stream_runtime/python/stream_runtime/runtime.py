"""The life of one execution environment: load the function, start it, serve, and go when told to.

    extension -> import -> start() -> [snapshot, restore] -> pollers ... SIGTERM -> invocations end -> stop() -> exit

Whatever fails before the first invocation is told to the Runtime API (`init/error`) and to whoever reads the log, in
one screen, and ends the process. What one invocation does is `loop`.
"""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
from collections.abc import Callable, Sequence
from typing import cast

from . import extension, log, messages, snapstart
from .failure import Failure
from .hooks import Callback, Hooks, call
from .invocation import MalformedInvocationError
from .link import Link, LinkError
from .loop import Function, RuntimeApiGoneError, poll
from .settings import Settings

INIT_FAILED = 1


class HandlerNotFoundError(Exception):
    """The configured handler does not name something that can be called."""

    expected = True
    error_type = "Runtime.HandlerNotFound"


def load(name: str) -> Function:
    """Import `module.attribute` (`folder/module.attribute` too, as Lambda allows) and give the attribute.

    Raises HandlerNotFoundError, and whatever the module raises while it is imported.
    """
    module_name, dot, attribute = name.rpartition(".")
    if not dot or not module_name or not attribute:
        raise HandlerNotFoundError(f"the handler is {name!r}: module.attribute is expected, for example app.handler")
    module = importlib.import_module(module_name.replace("/", "."))
    function = getattr(module, attribute, None)
    if not callable(function):
        what = "is not there" if function is None else f"is a {type(function).__name__}, which cannot be called"
        raise HandlerNotFoundError(f"the handler is {name!r}, but {attribute!r} in {module.__file__} {what}")
    return cast("Function", function)


async def run(
    settings: Settings,
    hooks: Hooks,
    loaded: Callable[[], Function],
    trace_to_process: Callable[[str | None], None] = lambda _: None,
) -> int:
    """Live through the whole life of an environment. Gives the process's exit code."""
    told_to_go = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_go.set)
    link, extension_link = Link(settings.runtime_api), Link(settings.runtime_api)
    background: list[asyncio.Task[None]] = []
    try:
        identifier = await extension.register(extension_link)
        if identifier is not None:
            background.append(asyncio.create_task(extension.wait(extension_link, identifier)))
        function = loaded()
        start = _method(function, "start")
        if start is not None:
            await call(start)
    except (Exception, SystemExit) as error:  # noqa: BLE001 — whatever an import raises is told, then the process ends
        failure = Failure.of(error)
        _explain(settings.handler, failure)
        return await _end(link, messages.init_error(failure), INIT_FAILED)
    try:
        if settings.snapstart:
            await snapstart.cross(link, hooks, _method(function, "restored"))
    except snapstart.SnapshotError as error:
        _explain(settings.handler, error.failure)
        return await _end(link, error.report, error.exit_code)
    except LinkError as broken:
        log.line("ERROR", "the Runtime API is gone", reason=str(broken))
        return INIT_FAILED
    pollers = [asyncio.create_task(poll(settings, function, trace_to_process)) for _ in range(settings.concurrency)]
    leave = asyncio.create_task(told_to_go.wait())
    await asyncio.wait({leave, *pollers}, return_when=asyncio.FIRST_COMPLETED)
    exit_code = _verdict(pollers)
    await _shut_down(function, hooks, [*pollers, *background, leave], settings.shutdown_budget)
    return exit_code


def _verdict(pollers: list[asyncio.Task[None]]) -> int:
    """A poller ends only when it is cancelled or can no longer work; then neither can the others."""
    errors = [error for task in pollers if task.done() and (error := task.exception()) is not None]
    for error in errors:
        if isinstance(error, RuntimeApiGoneError | MalformedInvocationError):
            log.line("ERROR", "the environment can take no more work", reason=str(error))
        else:
            log.failure("the runtime itself failed", Failure.of(error))
    return 1 if errors else 0


async def _shut_down(function: Function, hooks: Hooks, tasks: Sequence[asyncio.Task[object]], budget: float) -> None:
    """End what is under way, then let the function and its libraries flush, each with half of the budget."""
    for task in tasks:
        task.cancel()
    _, still_running = await asyncio.wait(tasks, timeout=budget / 2)
    stop = _method(function, "stop")
    farewells = [asyncio.create_task(_say(farewell)) for farewell in [stop, *hooks.on_shutdown] if farewell]
    if farewells:
        _, unsaid = await asyncio.wait(farewells, timeout=budget / 2)
        still_running |= unsaid
    if still_running:
        log.line("WARNING", "shutdown took longer than Lambda allows and was cut short", seconds=budget)


async def _say(farewell: Callback) -> None:
    """One that fails must not keep the others from their turn."""
    try:
        await call(farewell)
    except (Exception, SystemExit) as error:  # noqa: BLE001 — whatever it was, the others still have their turn
        log.failure("a shutdown callback failed", Failure.of(error))


def _method(function: Function, name: str) -> Callback | None:
    """An optional part of a function that is an object. A plain coroutine function has none."""
    method = getattr(function, name, None)
    return cast("Callback", method) if callable(method) else None


async def _end(link: Link, report: messages.Call, exit_code: int) -> int:
    try:
        await link.call(report)
    except LinkError as broken:
        log.line("ERROR", "the Runtime API could not be told", reason=str(broken))
    return exit_code


def _explain(handler: str, failure: Failure) -> None:
    """What went wrong, for a person, in one screen; and once more as a line for a machine."""
    shown = failure.trace[-12:]
    text = "\n".join(shown) if shown else f"{failure.type}: {failure.message}"
    sys.stderr.write(f"stream_runtime: {handler} could not be started\n{text}\n")
    log.failure("the function could not be started", failure, handler=handler)
