"""The scripted provider, for the vendors' own clients."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from infra.local.provider import ScriptedProvider
from infra.local.provider.vendors import VENDORS
from tests.clients.scripts import KEY


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    """A provider that knows one key. A script that no client asked for is a mistake in the test."""
    async with ScriptedProvider(keys={name: {KEY} for name in VENDORS}) as provider:
        yield provider
        assert provider.forget() == 0
