"""The function as its callers find it: one port with a function URL and direct invocation, and N environments behind.

Whatever comes waits in one queue, in the order it came, until an environment asks for work. Lambda would start another
environment instead; a developer wants few processes and every request answered, so the queue is the default here and
429 an option.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from . import function_url, invoke
from .environment import Environment
from .function_url import UrlCaller
from .invoke import InvokeCaller
from .pending import Fault, Pending
from .plan import Plan
from .server import BodyTooLargeError, Exchange, Server


class LocalLambda:
    """A function served on loopback while the context lasts.

        async with LocalLambda("app.handler", python_path=["src"]) as local:
            ...  # POST to local.url, or to local.invoke_url

    `environment` is what the function sees besides the variables Lambda sets; of this process's own environment it
    sees nothing. `on_stdout` and `on_stderr` get its output line by line (the default is to pass it on). `timeout` is
    in seconds. `queue` is how many calls may wait while all environments are busy before others get a 429; None is
    any number.

    Entering raises StartError when the function cannot be started, and OSError when the port is taken.
    """

    def __init__(
        self,
        handler: str,
        *,
        environments: int = 1,
        concurrency: int = 1,
        environment: Mapping[str, str] | None = None,
        python_path: Sequence[str | Path] = (),
        task_root: str | Path | None = None,
        timeout: float = 900.0,
        host: str = "127.0.0.1",
        port: int = 0,
        queue: int | None = None,
        function_name: str = "function",
        memory: int = 512,
        snapstart: bool = False,
        python: str = sys.executable,
        on_stdout: Callable[[str], None] | None = None,
        on_stderr: Callable[[str], None] | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._most_waiting = queue
        self._places = environments * concurrency
        self._queue: asyncio.Queue[Pending] = asyncio.Queue()
        self._under_way: set[Pending] = set()
        plan = Plan(
            handler=handler,
            python=python,
            python_path=[str(Path(folder).resolve()) for folder in python_path],
            task_root=str(Path(task_root or Path.cwd()).resolve()),
            function_name=function_name,
            memory=memory,
            concurrency=concurrency,
            timeout=timeout,
            snapstart=snapstart,
            environment=environment or {},
            on_stdout=on_stdout or _to(sys.stdout.write, sys.stdout.flush),
            on_stderr=on_stderr or _to(sys.stderr.write, sys.stderr.flush),
        )
        self._environments = [Environment(plan, self._queue, self._one_is_down) for _ in range(environments)]
        self._server = Server(self._serve)

    @property
    def url(self) -> str:
        """The function URL, without a slash at its end."""
        return f"http://{self._host}:{self._server.port}"

    @property
    def invoke_url(self) -> str:
        """Where direct invocations are posted."""
        return f"{self.url}/2015-03-31/functions/function/invocations"

    @property
    def pids(self) -> list[int]:
        """The ids of the function's processes that are running."""
        return [pid for each in self._environments if (pid := each.pid) is not None]

    def break_responses(self) -> int:
        """Break every connection on which an environment is sending an answer, as a failing platform would.

        For tests of what a function does then. Gives the number of connections broken.
        """
        return sum(each.api.break_responses() for each in self._environments)

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _start(self) -> None:
        """The port is opened last: whoever can connect is served."""
        starts = (each.start(self._host) for each in self._environments)
        for outcome in await asyncio.gather(*starts, return_exceptions=True):
            if outcome is not None:
                raise outcome
        await self._server.start(self._host, self._port)

    async def _stop(self) -> None:
        """Environments first: they may still have something to say to those who wait."""
        await asyncio.gather(*(each.stop() for each in self._environments))
        await self._server.stop()

    async def _serve(self, exchange: Exchange) -> None:
        try:
            body = await exchange.body(function_url.LARGEST_BODY)
        except BodyTooLargeError:
            text = json.dumps({"Message": "the request is larger than 6 MB"}).encode()
            await exchange.answer(413, text, [("content-type", "application/json"), ("connection", "close")])
            return
        if invoke.is_invoke(exchange):
            await self._invoke(exchange, body)
        else:
            await self._url(exchange, body)

    async def _url(self, exchange: Exchange, body: bytes) -> None:
        request_id = str(uuid.uuid4())
        event = json.dumps(function_url.event(exchange, body, request_id), separators=(",", ":")).encode()
        await self._hand_over(Pending(request_id, event, UrlCaller(exchange, request_id)))

    async def _invoke(self, exchange: Exchange, body: bytes) -> None:
        request_id = str(uuid.uuid4())
        try:
            client_context = invoke.client_context(exchange)
            json.loads(body or b"{}")
        except ValueError as error:
            text = json.dumps({"Message": f"the payload or the client context is not JSON: {error}"}).encode()
            headers = [("content-type", "application/json"), ("x-amzn-errortype", "InvalidRequestContentException")]
            await exchange.answer(400, text, headers)
            return
        await self._hand_over(Pending(request_id, body or b"{}", InvokeCaller(exchange, request_id), client_context))

    async def _hand_over(self, pending: Pending) -> None:
        """Queue an invocation and wait until its caller has the whole answer."""
        if self._most_waiting is not None and len(self._under_way) >= self._places + self._most_waiting:
            await pending.end(Fault.of_platform("TooManyRequestsException", "all environments are busy", 429))
            return
        self._under_way.add(pending)
        self._queue.put_nowait(pending)
        for each in self._environments:
            each.want()
        try:
            await pending.over.wait()
        finally:
            self._under_way.discard(pending)

    async def _one_is_down(self) -> None:
        """When nobody is left who could serve, those who wait are told why."""
        reasons = [each.down for each in self._environments]
        if None in reasons:
            return
        while not self._queue.empty():
            pending = self._queue.get_nowait()
            await pending.end(Fault.of_platform("Runtime.ExitError", reasons[0] or ""))


def _to(write: Callable[[str], object], flush: Callable[[], object]) -> Callable[[str], None]:
    def pass_on(line: str) -> None:
        write(line + "\n")
        flush()

    return pass_on
