"""The whole system for the end-to-end tests: one per module, on the module's event loop.

A module that uses it says ``pytestmark = pytest.mark.asyncio(loop_scope="module")``. When the module is done,
nothing that the function wrote may hold a secret.
"""

from __future__ import annotations

import pytest

from tests.local.fixtures import SECRETS, caller, options, provider, system

__all__ = ["caller", "options", "provider", "system"]


@pytest.fixture(scope="session")
def secrets() -> frozenset[str]:
    """Every key that exists in the system; none of them may be seen."""
    return SECRETS
