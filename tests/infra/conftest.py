"""Four deployments, each synthesised once: as it comes, with options turned, on Managed Instances, and with tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.operators_copy import CALLERS_FUNCTION, CATALOG, FUNCTION
from tests.infra.templates import Templates, synthesised


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A synthesis is ten seconds of two processors; a busy machine has fewer, and another process may wait for it."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all test processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return (base if worker_id == "master" else base.parent) / "synthesised"


@pytest.fixture(scope="session")
def default(folder: Path) -> Templates:
    return synthesised(folder / "default")


@pytest.fixture(scope="session")
def turned(folder: Path) -> Templates:
    return synthesised(
        folder / "turned",
        *("stage=prod", "architecture=x86_64", "snapStart=true", "reservedConcurrency=50", "urlAuth=NONE"),
        *("costMultiplier=1.25", "memory=1024", "logRetentionDays=365", "alarmEmail=ops@example.com", "retain=false"),
        'providerBaseUrls={"openai": "https://llm.example.com/v1"}',
    )


@pytest.fixture(scope="session")
def managed(folder: Path) -> Templates:
    return synthesised(folder / "managed", "shape=managed-instances")


@pytest.fixture(scope="session")
def tooled(folder: Path) -> Templates:
    functions = f"toolFunctions={CALLERS_FUNCTION},{FUNCTION}"
    return synthesised(folder / "tooled", "toolExecutors=http,lambda", functions, catalog=CATALOG)


@pytest.fixture(params=["default", "turned", "managed", "tooled"])
def each(request: pytest.FixtureRequest) -> Templates:
    templates: Templates = request.getfixturevalue(request.param)
    return templates
