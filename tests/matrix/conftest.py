"""The stage on which every provider is played, and the matrix as a table at the end of a run that names this folder."""

from __future__ import annotations

import pytest

from tests.matrix.features import FEATURES
from tests.matrix.fixtures import on, shared_stage
from tests.matrix.not_offered import source
from tests.matrix.table import summary

__all__ = ["on", "shared_stage"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    summary(terminalreporter, "providers", [feature.name for feature in FEATURES], source)
