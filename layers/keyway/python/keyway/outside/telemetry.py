"""Where exchanges are written down: metrics in CloudWatch's Embedded Metric Format, and one log line each.

Every dimension set of an exchange is a Powertools ``EphemeralMetrics`` of its own: the shared ``Metrics`` object keeps
its state on the class and mixes up concurrent requests. Workspace, user, request id, tokens and price version ride
along as metadata, never as a dimension (a dimension is a metric to pay for). These lines are the ledger.

What is recorded is decided in ``billing/settlement.py``, and for a tool's calls in ``tools/call.py``; which metrics
there are is ``billing/records.py``. Here they are only written. Powertools is imported with the
first line, which is never on the way to an answer's first byte.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from keyway.billing.records import Record, Subject, UnknownModelCost
from keyway.billing.settlement import Statement
from keyway.errors import KeywayError
from keyway.outside.log_lines import write_line
from keyway.report import Report

if TYPE_CHECKING:
    from aws_lambda_powertools.metrics import EphemeralMetrics

log = logging.getLogger("keyway.exchange")


class Telemetry:
    """The journal of all exchanges (a ``Journal``, see ``ports.py``)."""

    def __init__(self, *, namespace: str, environment: str) -> None:
        self._namespace = namespace
        self._environment = environment

    def refused(self, report: Report, error: BaseException) -> None:
        """A request that was never sent."""
        log.info("request refused", extra={"exchange": {**report.ledger(), "ending": "refused", **_shown(error)}})

    def record(self, report: Report, records: Sequence[Record], subject: Subject | None = None) -> None:
        """Metrics of an exchange that goes on: about its model, or about ``subject``, a tool of it."""
        for record in records:
            try:
                metrics = self._metrics(report, record, subject or report.subject)
                write_line(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")))
            except Exception as error:  # noqa: BLE001
                # A ledger line that cannot be written must not break the answer, nor vanish.
                log.error(  # noqa: TRY400 - a stack trace may not stand in a log
                    "a metric could not be written",
                    extra={"record": repr(record), "cause": type(error).__name__, "exchange": dict(report.ledger())},
                )
            if isinstance(record, UnknownModelCost):
                log.error(
                    "the price of a tool could not be worked out, so nothing was charged for it",
                    extra={"tool": subject.tool if subject else None, **_whose(report)},
                )

    def tool_bug(self, report: Report, error: BaseException) -> None:
        """A tool could not be run, because of a bug of ours."""
        log.error("a tool could not be run", extra={**_whose(report), **_shown(error)})

    def settled(self, report: Report, statement: Statement, error: BaseException | None) -> None:
        """The metrics and the log line of an exchange that ended."""
        self.record(report, statement.records)
        for subject, record in statement.tool_records:
            self.record(report, (record,), subject)
        level = logging.INFO
        if statement.reason == "metering":
            level = logging.ERROR
        elif error is not None:
            level = logging.WARNING
        log.log(level, _headline(statement), extra={"exchange": _line(report, statement, error)})

    def _metrics(self, report: Report, record: Record, subject: Subject) -> EphemeralMetrics:
        from aws_lambda_powertools.metrics import EphemeralMetrics  # noqa: PLC0415 - slow, see above

        # Without a service name of its own, the environment's would become one more dimension.
        metrics = EphemeralMetrics(namespace=self._namespace, service="")
        metrics.add_metric(type(record).__name__, record.unit, record.value)
        reason: str | None = getattr(record, "reason", None)
        named = {"Provider": subject.provider, "Tool": subject.tool, "Key": subject.key, "Reason": reason}
        metrics.add_dimension("Environment", self._environment)
        for dimension in record.dimensions:
            if entry := named[dimension]:
                metrics.add_dimension(dimension, entry)
        for name, known in (report.ledger() if subject.call_id is None else _of_a_tool(report, subject)).items():
            metrics.add_metadata(name, known)
        return metrics


_OF_THE_MODEL = frozenset({"credentialOrigin", "key", "multiplier", "priceVersion", "tokens"})


def _of_a_tool(report: Report, subject: Subject) -> Mapping[str, object]:
    """The ledger's entries on a tool's line: whose request it was and which model called, but nothing of its bill.

    The tool has a key and a price of its own, on which there is no multiplier, and whoever adds up tokens would count
    them twice.
    """
    entries = {name: known for name, known in report.ledger().items() if name not in _OF_THE_MODEL}
    own = {
        "credentialOrigin": "hosted" if subject.key is not None else None,
        "key": subject.key,
        "multiplier": "1",
        "priceVersion": subject.price_version,
        "tool": subject.tool,
        "toolCallId": subject.call_id,
    }
    return entries | {name: known for name, known in own.items() if known is not None}


def _whose(report: Report) -> dict[str, object]:
    """Whose request a line is about, where it is not the line of the exchange."""
    return {"requestId": report.request_id, "workspaceId": report.caller_ids.get("workspaceId")}


def _headline(statement: Statement) -> str:
    if statement.reason == "metering":
        return "exchange could not be metered: the provider reported no usable token counts, so nothing was charged"
    return f"exchange {statement.ending}"


def _line(report: Report, statement: Statement, error: BaseException | None) -> dict[str, object]:
    line: dict[str, object] = {
        **report.ledger(),
        "ending": statement.ending.value,
        "streamed": report.streamed,
        "callerLeft": report.left,
        "cost": str(statement.cost.total),
        "durationMs": round((report.ended - report.started) * 1000),
    }
    if report.first_byte is not None:
        line["firstByteMs"] = round(report.first_byte * 1000)
    if report.response_id is not None:
        line["responseId"] = report.response_id
    if report.warnings:
        line["warnings"] = list(report.warnings)
    if tools := report.tools():
        line["tools"] = tools
    if statement.absorbed:
        line["absorbed"] = str(statement.absorbed)
    if statement.reason:
        line["reason"] = statement.reason
    return {**line, **_shown(error)}


def _place(error: BaseException) -> str:
    """Where a bug struck: the innermost line of code, which is all that a log may hold of a stack."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    code = trace.tb_frame.f_code
    return f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} in {code.co_name}"


def _shown(error: BaseException | None) -> dict[str, object]:
    """An error as a log may show it: of one that is not ours, only its name, for its text may hold anything."""
    if error is None:
        return {}
    if not isinstance(error, KeywayError):
        return {"error": type(error).__name__, "at": _place(error)}
    shown: dict[str, object] = {"error": error.type, "errorMessage": error.message, "status": error.status}
    if error.upstream_status is not None:
        shown["upstreamStatus"] = error.upstream_status
    return shown
