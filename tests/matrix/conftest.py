"""The stage on which every provider is played, and the matrix as a table at the end of a run that names this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.matrix.stage import Stage, stage
from tests.matrix.table import cell_of, table


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    async with stage() as opened:
        yield opened


@pytest.fixture
def on(shared_stage: Stage) -> Iterator[Stage]:
    """The stage, with nothing left over from another test, and nothing left over for the next."""
    shared_stage.provider.forget()
    shared_stage.provider.requests.clear()
    yield shared_stage
    assert shared_stage.provider.forget() == 0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    outcomes: dict[tuple[str, str, str], str] = {}
    for outcome in ("passed", "skipped", "failed", "error"):  # the worst of a test's phases comes last
        for report in terminalreporter.stats.get(outcome, ()):
            if (cell := cell_of(report.nodeid)) is not None:
                outcomes[cell] = outcome
    if outcomes:
        terminalreporter.section("providers")
        for line in table(outcomes):
            terminalreporter.write_line(line)
