"""The whole system as fixtures, one per module, for every folder of end-to-end tests; their conftests name them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from infra.local.caller import Caller
from infra.local.provider import ScriptedProvider
from infra.local.seed import HOSTED_KEYS
from infra.local.system import CALLERS_KEY, OWN_KEYS, LocalSystem

SECRETS = frozenset({*HOSTED_KEYS.values(), *OWN_KEYS.values(), CALLERS_KEY})
"""Every key that exists in the system."""


@pytest.fixture(scope="module")
def options() -> Mapping[str, Any]:
    """Arguments for the module's ``LocalSystem``; a module overrides this."""
    return {}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(options: Mapping[str, Any]) -> AsyncIterator[LocalSystem]:
    """The running system. Nothing that its function writes may hold a secret."""
    async with LocalSystem(**options) as system:
        await system.ready()
        yield system
    for line in [*system.lines.all, *system.complaints]:
        assert not any(secret in line for secret in SECRETS), f"a secret was written: {line}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(system: LocalSystem) -> AsyncIterator[Caller]:
    """Somebody who calls the gateway, or invokes its function."""
    async with Caller(system.url, system.function.invoke_url) as caller:
        yield caller


@pytest.fixture
def provider(system: LocalSystem) -> Iterator[ScriptedProvider]:
    """The provider, with a clean memory. A script that nobody asked for is a mistake in the test."""
    system.provider.requests.clear()
    yield system.provider
    unused = system.provider.forget()
    assert unused == 0
