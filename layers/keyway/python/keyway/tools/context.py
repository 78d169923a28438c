"""The exchange that a tool's call is part of, as far as the call needs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keyway.billing.records import Record, Subject
from keyway.chat import Caller


@dataclass(frozen=True, slots=True)
class CallContext:
    """For whom a call is made, and whom it reports to.

    Attributes:
        note: Writes down a record about a subject, at once.
        bug: Is told of an exception that nobody foresaw.
        remaining: Seconds until the exchange has to stop.
        left: Whether the caller is gone.
    """

    caller: Caller
    request_id: str
    note: Callable[[Subject, Record], None]
    bug: Callable[[BaseException], None]
    remaining: Callable[[], float]
    left: Callable[[], bool]
