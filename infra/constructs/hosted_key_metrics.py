"""The metrics the gateway writes, as an alarm or a dashboard reads them: summed over whatever dimensions they have.

Their names and dimensions are those of ``keyway/outside/telemetry.py``. A metric there has one series for each
provider, model, key and reason, so no alarm can name them all; a Metrics Insights query sums those that exist.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.stacks.names import METRICS


def total(
    metric: str, *, environment: str, period: Duration, label: str | None = None, by: str | None = None, **only: str
) -> cloudwatch.MathExpression:
    """The sum of ``metric`` over all its series.

    Args:
        environment: The ``Environment`` dimension.
        by: A dimension to give a line each; not for alarms.
        only: Other dimensions, and the value each must have.
    """
    chosen = " AND ".join(f"{name} = '{value}'" for name, value in {"Environment": environment, **only}.items())
    query = f'SELECT SUM({metric}) FROM "{METRICS}" WHERE {chosen}'  # noqa: S608 - no SQL, and no stranger's words
    if by:
        query += f" GROUP BY {by} ORDER BY SUM() DESC LIMIT 20"
    return cloudwatch.MathExpression(expression=query, using_metrics={}, period=period, label=label or metric)
