"""What the gateway only says in its log, made countable: each is an error that no metric of its own tells of."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.names import Names

NAMESPACE = "Keyway/Log"


@dataclass(frozen=True, slots=True)
class Sign:
    """A kind of log line: ``field`` of the JSON line is ``value``."""

    field: str
    value: str
    meaning: str


SIGNS: dict[str, Sign] = {
    "key-store-unavailable": Sign(
        "$.exchange.error",
        "KeyStoreUnavailable",
        "Stored keys could not be read, so requests were refused: nobody knows who should pay.",
    ),
    "internal-error": Sign(
        "$.exchange.error", "InternalError", "A bug of ours ended a request; the log has its place."
    ),
    "unpriced-model": Sign(
        "$.exchange.error",
        "UnpricedModel",
        "A hosted key would have paid for a model whose price is not known; the request was refused.",
    ),
    "task-not-remembered": Sign(
        "$.message",
        "a task was answered, and that could not be remembered*",
        "Another attempt of a Step Functions task may be charged again.",
    ),
    "ledger-line-lost": Sign(
        "$.message", "a metric could not be written", "A ledger line could not be written; the log has what it held."
    ),
}


def count_signs(scope: Construct, log_group: logs.ILogGroup, names: Names) -> None:
    """Creates a metric for each kind of line in ``log_group``."""
    for name, found in SIGNS.items():
        logs.MetricFilter(
            scope,
            f"Count-{name}",
            log_group=log_group,
            filter_pattern=logs.FilterPattern.string_value(found.field, "=", found.value),
            metric_namespace=NAMESPACE,
            metric_name=_metric(name, names),
            metric_value="1",
        )


def sign(name: str, names: Names, period: Duration) -> cloudwatch.Metric:
    """How often the kind of line called ``name`` was written."""
    return cloudwatch.Metric(
        namespace=NAMESPACE, metric_name=_metric(name, names), statistic="Sum", period=period, label=name
    )


def _metric(name: str, names: Names) -> str:
    # The stage is part of the name: a filter on a line without the stage in it cannot make it a dimension.
    return f"{names.stage}-{name}"
