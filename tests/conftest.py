"""Fixtures every suite may use. Recordings of real exchanges are used when they stand beside the project."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine makes examples slow, not wrong.
settings.register_profile("keyway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("keyway")

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "recordings"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recorded exchanges; tests that need it are skipped where it is absent."""
    if not (RECORDINGS / "index.json").is_file():
        pytest.skip("no recordings beside the project (../shared/recordings)")
    return RECORDINGS
