"""Every alarm, as a table: what is watched, from which value on, and what it means. docs/operate.md says what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.constructs.hosted_key_metrics import total
from infra.constructs.log_metrics import SIGNS, sign
from infra.names import Names
from infra.options import Options

FIVE_MINUTES = Duration.minutes(5)

FAILURES: dict[str, tuple[int, str]] = {
    "rate_limited": (
        10,
        "Providers throttle the hosted keys: callers get 429. More keys, or a higher limit, are needed.",
    ),
    "auth": (1, "A provider refuses a hosted key: it was revoked, has expired, or was put in wrongly."),
    "timeout": (5, "Providers do not finish within the function's time; callers get DeadlineExceeded."),
    "metering": (1, "An answer could not be priced, so nobody was charged for it."),
    "other": (
        10,
        "Requests on hosted keys fail for other reasons: an outage at a provider, or a change of its protocol.",
    ),
}
"""For each ``Reason`` of the metric ``Failed``: how many within five minutes sound the alarm, and what it means."""


@dataclass(frozen=True, slots=True)
class OfTools:
    """An alarm on a metric that only tools write: ``threshold`` of it within five minutes."""

    metric: str
    threshold: int
    meaning: str
    only: Mapping[str, str] = field(default_factory=dict)


TOOLS: dict[str, OfTools] = {
    "tool-cost-unknown": OfTools(
        "UnknownModelCost",
        1,
        "A tool ran on a hosted key and its price could not be worked out, so nobody was charged for it.",
    ),
    "tool-limits-uncounted": OfTools(
        "LimitUncounted", 1, "Calls of tools could not be counted, so their rate limits were not enforced."
    ),
    "tool-retries-exhausted": OfTools(
        "Throttled",
        5,
        "Whoever runs a tool turned calls on hosted keys away until they were given up, the last try on another key.",
        {"Reason": "upstream_retries_exhausted"},
    ),
}
"""The alarms of tools, by name. A workspace that is kept to its own limit is none: nobody has to act."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One alarm. It sounds when ``metric`` is at or above ``threshold``."""

    name: str
    meaning: str
    metric: cloudwatch.IMetric
    threshold: float


def alarms(names: Names, options: Options) -> Iterator[Watched]:
    """Every alarm of one stage."""
    for reason, (threshold, meaning) in FAILURES.items():
        metric = total("Failed", environment=names.stage, period=FIVE_MINUTES, Reason=reason)
        yield Watched(f"failed-{reason.replace('_', '-')}", meaning, metric, threshold)
    yield Watched(
        "cost-absorbed",
        "Exchanges that failed cost more than the limit within an hour; the platform pays that itself.",
        total("CostAbsorbed", environment=names.stage, period=Duration.hours(1)),
        float(options.absorbed_cost_limit),
    )
    for name, of in TOOLS.items():
        metric = total(of.metric, environment=names.stage, period=FIVE_MINUTES, **of.only)
        yield Watched(name, of.meaning, metric, of.threshold)
    for name in SIGNS:
        yield Watched(name, SIGNS[name].meaning, sign(name, names, FIVE_MINUTES), 1)
    for function in (names.gateway, names.workspace_keys):
        part = function.removeprefix(f"{names.prefix}-")
        yield Watched(
            f"{part}-throttles",
            "Lambda turned requests away: the account's or the function's concurrency is used up.",
            of_function("Throttles", function, FIVE_MINUTES),
            1,
        )
        yield Watched(
            f"{part}-errors",
            "Invocations ended in an error. Step Functions and direct callers see each; URL callers only crashes.",
            of_function("Errors", function, FIVE_MINUTES),
            10,
        )


def of_function(metric: str, function: str, period: Duration, statistic: str = "Sum") -> cloudwatch.Metric:
    """One of Lambda's own metrics of a function, over all its versions."""
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=metric,
        dimensions_map={"FunctionName": function},
        statistic=statistic,
        period=period,
    )
