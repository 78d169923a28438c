"""The runtime's own words, one JSON object a line, on standard error.

Lambda forwards standard error to the function's log, and passes lines that are JSON already through as they are. The
function's output on standard output is never touched.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from .failure import Failure


def line(level: str, message: str, **fields: object) -> None:
    """Write one line: time, level, message and whatever fields help to find its cause."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = {"timestamp": now, "level": level, "message": message, **fields}
    sys.stderr.write(json.dumps(record, default=str) + "\n")
    sys.stderr.flush()


def failure(message: str, what: Failure, **fields: object) -> None:
    """Write a failure down: an expected one in short, a fault with its traceback."""
    level = "WARNING" if what.expected else "ERROR"
    trace = {} if what.expected else {"stackTrace": what.trace}
    line(level, message, errorType=what.type, errorMessage=what.message, **trace, **fields)
