"""The stage as fixtures, for every folder of tests that plays on it; their conftests name them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.matrix.stage import Stage, stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A stage for a module of tests."""
    async with stage() as opened:
        yield opened


@pytest.fixture
def on(shared_stage: Stage) -> Iterator[Stage]:
    """The stage, with nothing left over from another test, and nothing left over for the next."""
    shared_stage.provider.forget()
    shared_stage.provider.requests.clear()
    yield shared_stage
    assert shared_stage.provider.forget() == 0
