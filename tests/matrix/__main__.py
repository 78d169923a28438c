"""``python -m tests.matrix``: runs the matrix and prints it. Further arguments are pytest's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main([str(Path(__file__).parent), "-q", "--no-header", *sys.argv[1:]]))
