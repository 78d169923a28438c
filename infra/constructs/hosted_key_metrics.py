"""The metrics the gateway writes, as an alarm or a dashboard reads them: over whatever dimensions they have.

Their names and dimensions are those of ``keyway/outside/telemetry.py``. A metric there has one series for each
provider, model, tool, key and reason, so no alarm can name them all; a Metrics Insights query takes those that exist.
"""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.names import METRICS


def total(
    metric: str,
    *,
    environment: str,
    period: Duration,
    label: str | None = None,
    by: str | None = None,
    without_tools: Iterable[str] = (),
    **only: str,
) -> cloudwatch.MathExpression:
    """The sum of ``metric`` over all its series.

    Args:
        environment: The ``Environment`` dimension.
        by: A dimension to give a line each; not for alarms.
        without_tools: Values of ``Tool`` that are left out.
        only: Other dimensions, and the value each must have.
    """
    chosen = [f"{name} = '{value}'" for name, value in {"Environment": environment, **only}.items()]
    chosen += [f"Tool != '{tool}'" for tool in without_tools]
    return _query("SUM", metric, chosen, period=period, label=label, by=by)


def average(metric: str, *, environment: str, period: Duration, by: str) -> cloudwatch.MathExpression:
    """The average of ``metric``, a line for each value of the dimension ``by``. (Such a query knows no percentiles.)"""
    return _query("AVG", metric, [f"Environment = '{environment}'"], period=period, label="", by=by)


def _query(
    function: str, metric: str, chosen: Iterable[str], *, period: Duration, label: str | None, by: str | None
) -> cloudwatch.MathExpression:
    where = " AND ".join(chosen)
    query = f'SELECT {function}({metric}) FROM "{METRICS}" WHERE {where}'  # noqa: S608 - no SQL, no stranger's words
    if by:
        query += f" GROUP BY {by} ORDER BY {function}() DESC LIMIT 20"
    return cloudwatch.MathExpression(expression=query, using_metrics={}, period=period, label=label or metric)
