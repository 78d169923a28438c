"""The gateway's function, which also tells the CPU seconds its process has used when it is asked ``{"cpu": true}``.

As a program it is the function without a runtime around it: each line of its standard input is an event. Answers go
to the file descriptor that its argument names, piece by piece; a NUL byte and a line of JSON (the status, or the
answer to a bare event) end one.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import aclosing

from gateway.app import Function
from keyway.doors.native.stream import EventStream
from stream_runtime import Context, Response


class Metered(Function):
    """See above."""

    async def __call__(self, event: Mapping[str, object], context: Context) -> Response | dict[str, object]:
        if "cpu" in event:
            return {"cpu": time.process_time()}
        return await super().__call__(event, context)


handler = Metered()


async def _serve(answers: int) -> None:
    await handler.start()
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        last = json.dumps(await _answer(json.loads(line), answers))
        os.write(answers, b"\0" + last.encode() + b"\n")


async def _answer(event: Mapping[str, object], answers: int) -> object:
    result = await handler(event, _context())
    if not isinstance(result, Response):
        return result
    if isinstance(result.body, EventStream):
        async with aclosing(result.body) as body:
            async for piece in body:
                os.write(answers, piece)
    return result.status


def _context() -> Context:
    return Context(request_id="bench", deadline_ms=int(time.time() * 1000) + 60_000)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
