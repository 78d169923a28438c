"""The whole system, and an interpreter of the states language in front of it. One of each per module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.local.aws import REGION
from infra.local.system import LocalSystem
from tests.local.fixtures import caller, options, provider, system

__all__ = ["caller", "options", "provider", "system"]


@pytest.fixture(scope="session")
def session() -> boto3.session.Session:
    """One session for all tests: reading the services' models is what takes boto3 so long."""
    return boto3.session.Session("test", "test", region_name=REGION)


@pytest.fixture(scope="module")
def operator(system: LocalSystem, session: boto3.session.Session) -> Iterator[Any]:
    """Clients of the system's AWS, by service."""
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=system.aws.url)
        return made[service]

    yield client
    for one in made.values():
        one.close()
