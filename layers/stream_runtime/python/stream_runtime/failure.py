"""An exception as the Runtime API and an operator's log want to see it.

The class name, without its module, is the error's type: Step Functions matches it by the letter. An exception whose
class says `expected = True` is an answer rather than a fault, and carries no traceback; one with an `error_type` is
known by that instead of its class name. Pure.
"""

from __future__ import annotations

import base64
import json
import os
import traceback
from dataclasses import dataclass

INTERNAL = "internal error"
"""All that a stranger at the function URL is told of a fault; the log has the rest."""

_OWN_CODE = __file__.rpartition(os.sep)[0] + os.sep


@dataclass(frozen=True, slots=True)
class Failure:
    """A type, a message, and for a fault its traceback, innermost frame last."""

    type: str
    message: str
    trace: tuple[str, ...] = ()
    expected: bool = False
    status: int = 500

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """What `error` was. Any exception will do, even one whose own `str` fails."""
        expected = getattr(error, "expected", False) is True
        name = getattr(error, "error_type", None)
        return cls(
            type=name if isinstance(name, str) else type(error).__name__,
            message=_message(error),
            trace=() if expected else tuple(_trace(error)),
            expected=expected,
        )

    @property
    def public_message(self) -> str:
        """What may be told to whoever called the function URL."""
        return self.message if self.expected else INTERNAL

    def document(self, request_id: str | None = None) -> bytes:
        """The JSON object of `error`, `init/error` and `restore/error`."""
        body: dict[str, object] = {
            "errorMessage": self.message,
            "errorType": self.type,
            "stackTrace": list(self.trace),
        }
        if request_id is not None:
            body["requestId"] = request_id
        return json.dumps(body).encode()

    def public_document(self, request_id: str) -> bytes:
        """The JSON body of an HTTP error: no stack trace, nothing an expected error did not mean to say."""
        error = {"type": self.type, "message": self.public_message, "requestId": request_id}
        return json.dumps({"error": error}).encode()

    def trailers(self, request_id: str) -> list[tuple[str, str]]:
        """What ends a stream that broke after its first byte."""
        body = {"errorMessage": self.public_message, "errorType": self.type, "stackTrace": [], "requestId": request_id}
        return [
            ("Lambda-Runtime-Function-Error-Type", self.header),
            ("Lambda-Runtime-Function-Error-Body", base64.b64encode(json.dumps(body).encode()).decode()),
        ]

    @property
    def header(self) -> str:
        """The type as a header can carry it: a class name may hold letters that HTTP may not."""
        return "".join(letter if "!" <= letter <= "~" else "?" for letter in self.type)


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 — a broken __str__ must not hide the error it belongs to
        return f"({type(error).__name__} could not be printed)"


def _trace(error: BaseException) -> list[str]:
    """The traceback, causes included, from the first frame that is not the runtime's own."""
    here = error.__traceback__
    while here is not None and here.tb_frame.f_code.co_filename.startswith((_OWN_CODE, "<frozen importlib")):
        here = here.tb_next
    return [text.rstrip("\n") for text in traceback.format_exception(type(error), error, here)]
