"""``python -m tests.tool_loop``: plays every story on every provider, and prints the table of settlement."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main([str(Path(__file__).parent / "test_settlement.py"), "-q", "--no-header", *sys.argv[1:]]))
