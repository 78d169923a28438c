from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from stream_runtime.loop import Function, poll
from stream_runtime.settings import Settings
from tests.runtime.scripted_api import ScriptedRuntimeApi

Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[None]]

SETTINGS = Settings(
    runtime_api="", handler="app.handler", function_name="f", function_version="7", memory_limit_in_mb=512
)


@pytest.fixture
async def api() -> AsyncIterator[ScriptedRuntimeApi]:
    async with ScriptedRuntimeApi().listening() as listening:
        yield listening


@pytest.fixture
def serve(api: ScriptedRuntimeApi) -> Serve:
    """Run pollers against the scripted Runtime API while the context lasts. A poller that fails fails the test."""

    @asynccontextmanager
    async def serving(handler: Function, **settings: Any) -> AsyncIterator[None]:
        chosen = replace(SETTINGS, runtime_api=api.address, **settings)
        pollers = [asyncio.create_task(poll(chosen, handler, lambda _: None)) for _ in range(chosen.concurrency)]
        try:
            yield
        finally:
            for task in pollers:
                task.cancel()
            outcomes = await asyncio.gather(*pollers, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}, f"a poller ended: {outcomes}"

    return serving
