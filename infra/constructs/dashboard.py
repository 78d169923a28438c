"""The dashboard: traffic, time to the first byte, money by provider, failures by reason and by key, and tools."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.alarms import FIVE_MINUTES, of_function
from infra.constructs.hosted_key_metrics import average, total
from infra.names import Names

_HOUR = Duration.hours(1)


def dashboard(scope: Construct, names: Names, alarms: list[cloudwatch.Alarm]) -> cloudwatch.Dashboard:
    """The dashboard of one stage."""
    log = names.log_group(names.gateway)
    return cloudwatch.Dashboard(
        scope,
        "Dashboard",
        dashboard_name=names.prefix,
        default_interval=Duration.hours(12),
        widgets=[
            [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24, height=3)],
            [
                _graph(
                    "Requests",
                    of_function("Invocations", names.gateway, FIVE_MINUTES),
                    total("Used", environment=names.stage, period=FIVE_MINUTES, label="on hosted keys"),
                ),
                _lines(
                    "Time to the first byte, ms",
                    log,
                    "filter ispresent(exchange.firstByteMs)",
                    "stats pct(exchange.firstByteMs, 50) as p50, pct(exchange.firstByteMs, 95) as p95 by bin(5m)",
                ),
                _graph(
                    "In flight and turned away",
                    of_function("ConcurrentExecutions", names.gateway, FIVE_MINUTES, "Maximum"),
                    of_function("Throttles", names.gateway, FIVE_MINUTES),
                ),
            ],
            [
                _by(names, "Charged, USD per hour, by provider", "CostCharged", "Provider"),
                _by(names, "Absorbed, USD per hour, by provider", "CostAbsorbed", "Provider"),
                _by(names, "Used per hour, by key", "Used", "Key"),
            ],
            [
                _by(names, "Failed per hour, by reason", "Failed", "Reason"),
                _by(names, "Failed per hour, by key", "Failed", "Key"),
                _lines(
                    "Errors that callers saw",
                    log,
                    "filter ispresent(exchange.error)",
                    "stats count(*) as errors by exchange.error as error, exchange.provider as provider",
                    view=cloudwatch.LogQueryVisualizationType.TABLE,
                ),
            ],
            [
                _by(names, "Tools: calls given up per hour, by tool", "Throttled", "Tool"),
                _graph(
                    "Tools: time in line, ms, by provider",
                    average("QueueWaitDuration", environment=names.stage, period=FIVE_MINUTES, by="Provider"),
                ),
                # From the log, because the metric's series of tools and of models look alike.
                _lines(
                    "Tools: charged, USD, by tool",
                    log,
                    "filter ispresent(CostCharged.0) and ispresent(toolCallId)",
                    "stats sum(CostCharged.0) as usd, count(*) as calls by Tool",
                    "sort usd desc",
                    view=cloudwatch.LogQueryVisualizationType.TABLE,
                ),
            ],
        ],
    )


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8)


def _by(names: Names, title: str, metric: str, dimension: str) -> cloudwatch.GraphWidget:
    return _graph(title, total(metric, environment=names.stage, period=_HOUR, label="", by=dimension))


def _lines(
    title: str,
    log_group: str,
    *query: str,
    view: cloudwatch.LogQueryVisualizationType = cloudwatch.LogQueryVisualizationType.LINE,
) -> cloudwatch.LogQueryWidget:
    return cloudwatch.LogQueryWidget(
        title=title, log_group_names=[log_group], query_lines=list(query), view=view, width=8
    )
