"""Lines on standard output: what Lambda hands to CloudWatch Logs, and CloudWatch reads metrics from.

A line is one write under one lock, so that lines of two threads never run into each other. Log records are shaped
by Powertools' formatter, which is imported with the first record, not before.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from functools import partial

_lock = threading.Lock()


def write_line(line: str) -> None:
    """Writes ``line`` and a line feed to standard output, whole, at once."""
    with _lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class JsonLines(logging.Handler):
    """Writes every log record as one JSON line: level, message, timestamp, and what ``extra`` brought."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            write_line(self.format(record))
        except Exception:  # noqa: BLE001 - a record that cannot be shaped or written must not break an exchange
            self.handleError(record)

    def format(self, record: logging.LogRecord) -> str:
        if self.formatter is None:
            from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter  # noqa: PLC0415 - slow

            self.formatter = LambdaPowertoolsFormatter(
                log_record_order=["level", "message", "timestamp"],
                utc=True,
                use_rfc3339=True,
                location=None,
                service=None,
                # In ASCII: half a character, which a model may write, is nothing that standard output can take.
                json_serializer=partial(json.dumps, default=str, separators=(",", ":")),
            )
        return self.formatter.format(record)


def log_to_stdout(name: str, level: int = logging.INFO) -> None:
    """Sends the records of logger ``name`` to standard output, and nowhere else. May be called again."""
    logger = logging.getLogger(name)
    logger.setLevel(level)
    logger.propagate = False
    if not any(isinstance(handler, JsonLines) for handler in logger.handlers):
        logger.addHandler(JsonLines())
