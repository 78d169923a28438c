"""The ``recording`` fixture of the conformance tests; ``feeding.recorded`` says which recordings a test gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.feeding import Recording, load


@pytest.fixture
def recording(request: pytest.FixtureRequest, recordings: Path) -> Recording:
    return load(recordings, request.param)
