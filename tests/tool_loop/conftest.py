"""The stage of the matrix, on which all twenty providers are played, for conversations with tools, and the table of
their settlement at the end of a run."""

from __future__ import annotations

import pytest

from tests.matrix.fixtures import on, shared_stage
from tests.matrix.table import summary
from tests.tool_loop.stories import STORIES, not_offered

__all__ = ["on", "shared_stage"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    summary(terminalreporter, "settlement of tools", [story.name for story in STORIES], not_offered)
