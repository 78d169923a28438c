"""Where exchanges are written down: metrics in CloudWatch's Embedded Metric Format, and one log line each.

Every dimension set of an exchange is a Powertools ``EphemeralMetrics`` of its own: the shared ``Metrics`` object keeps
its state on the class and mixes up concurrent requests. Workspace, user, request id, tokens and price version ride
along as metadata, never as a dimension (a dimension is a metric to pay for). These lines are the ledger.

What is recorded is decided in ``billing/settlement.py``; here it is only written. Powertools is imported with the
first line, which is never on the way to an answer's first byte.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from keyway.billing.settlement import CostAbsorbed, CostCharged, Failed, Record, Statement, Used
from keyway.errors import KeywayError
from keyway.outside.lines import write_line
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

    def record(self, report: Report, records: Sequence[Record]) -> None:
        """Metrics of an exchange that goes on."""
        for record in records:
            try:
                write_line(json.dumps(self._metrics(report, record).serialize_metric_set(), separators=(",", ":")))
            except Exception as error:  # noqa: BLE001
                # A ledger line that cannot be written must not break the answer, nor vanish.
                log.error(  # noqa: TRY400 - a stack trace may not stand in a log
                    "a metric could not be written",
                    extra={"record": repr(record), "cause": type(error).__name__, "exchange": dict(report.ledger())},
                )

    def settled(self, report: Report, statement: Statement, error: BaseException | None) -> None:
        """The metrics and the log line of an exchange that ended."""
        self.record(report, statement.records)
        level = logging.INFO
        if statement.reason == "metering":
            level = logging.ERROR
        elif error is not None:
            level = logging.WARNING
        log.log(level, _headline(statement), extra={"exchange": _line(report, statement, error)})

    def _metrics(self, report: Report, record: Record) -> EphemeralMetrics:
        from aws_lambda_powertools.metrics import EphemeralMetrics  # noqa: PLC0415 - slow, see above

        # Without a service name of its own, the environment's would become one more dimension.
        metrics = EphemeralMetrics(namespace=self._namespace, service="")
        dimensions = {"Environment": self._environment, "Provider": report.provider, "Tool": report.model}
        match record:
            case Used():
                dimensions["Key"] = report.key or ""
                metrics.add_metric("Used", "Count", 1)
            case Failed(reason):
                dimensions |= {"Key": report.key or "", "Reason": reason}
                metrics.add_metric("Failed", "Count", 1)
            case CostCharged(amount):
                metrics.add_metric("CostCharged", "None", float(amount))
            case CostAbsorbed(amount):
                metrics.add_metric("CostAbsorbed", "None", float(amount))
        for name, value in dimensions.items():
            if value:
                metrics.add_dimension(name, value)
        for name, entry in report.ledger().items():
            metrics.add_metadata(name, entry)
        return metrics


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
