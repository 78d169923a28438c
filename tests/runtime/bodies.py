"""Response bodies that a test can steer and look into."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence


class Body:
    """Yields its chunks and counts how often it is closed.

    A chunk that is an exception is raised; one that is an event is waited for.
    """

    def __init__(self, *chunks: bytes | BaseException | asyncio.Event) -> None:
        self._chunks: Sequence[bytes | BaseException | asyncio.Event] = chunks
        self._at = 0
        self.closed = 0
        self.has_closed = asyncio.Event()

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        while self._at < len(self._chunks):
            chunk = self._chunks[self._at]
            self._at += 1
            if isinstance(chunk, BaseException):
                raise chunk
            if not isinstance(chunk, asyncio.Event):
                return chunk
            await chunk.wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed += 1
        self.has_closed.set()
