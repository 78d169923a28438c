"""How the values of options are read: one function for each kind, which takes text or JSON. Pure.

Each raises ``ValueError``, and says what the value has to be; whose value it is, the caller knows (``options.py``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from pydantic import ValidationError

from keyway.chat import ExecutorKind, LambdaExecutor

RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653)
"""Days for which CloudWatch Logs can be told to keep a log group."""

_LONGEST = 3_000
"""Characters of all ARNs together."""


def stage(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", value):
        raise ValueError("must be 1 to 16 lower-case letters, digits and hyphens, beginning with a letter")
    return value


def one_of(literal: Any) -> Callable[[object], Any]:
    """One of the values of a ``Literal``."""
    allowed = get_args(literal)

    def parse(value: object) -> object:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return parse


def whole(least: int, most: int) -> Callable[[object], int]:
    """A whole number from ``least`` to ``most``."""

    def parse(value: object) -> int:
        number = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value) else value
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return number

    return parse


def boolean(value: object) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise ValueError("must be true or false")


def decimal(value: object) -> Decimal:
    wrong = ValueError("must be a decimal number, zero or more, such as 1.25")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise wrong from None
    if isinstance(value, bool) or not number.is_finite() or number < 0:
        raise wrong
    return number


def addresses(value: object) -> Mapping[str, str]:
    """Base URLs by provider id; what a URL has to be, the gateway's own settings say."""
    wrong = ValueError("must be a JSON object of provider id to base URL")
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise wrong from None
    if not isinstance(parsed, dict):
        raise wrong
    return parsed


def executors(value: object) -> tuple[ExecutorKind, ...]:
    kind = one_of(ExecutorKind)
    return tuple(kind(entry) for entry in _entries(value))


def functions(value: object) -> tuple[str, ...]:
    """ARNs of Lambda functions."""
    arns = _entries(value)
    for arn in arns:
        try:
            LambdaExecutor(type="lambda", function=arn)
        except ValidationError:
            example = "arn:aws:lambda:us-east-1:123456789012:function:clock"
            raise ValueError(f"{arn!r} is not the ARN of a Lambda function, such as {example}") from None
    if len(",".join(arns)) > _LONGEST:
        raise ValueError(
            f"are too many: more than {_LONGEST:,} characters, and a function's variables hold 4 KB in all"
        )
    return arns


def retention(value: object) -> int:
    days = whole(1, RETENTIONS[-1])(value)
    if days not in RETENTIONS:
        raise ValueError(f"must be one of {', '.join(map(str, RETENTIONS))}")
    return days


def email(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ValueError("must be an e-mail address")
    return value


def _entries(value: object) -> tuple[str, ...]:
    """A list of texts; on the command line with commas between them, or as JSON. None of them twice."""
    wrong = ValueError("must be a list, with commas between its entries")
    entries = value
    if isinstance(value, str):
        try:
            entries = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
        except ValueError:
            raise wrong from None
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise wrong
    return tuple(dict.fromkeys(entry.strip() for entry in entries))
