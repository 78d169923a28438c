"""An alarm for every failure the code can tell of, retention for every log, and queries over fields that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from keyway import errors
from keyway.billing import records

ROOT = Path(__file__).resolve().parents[2]
ALARM = "AWS::CloudWatch::Alarm"


def alarms(templates):
    return {alarm.properties["AlarmName"]: alarm.properties for alarm in templates.all(ALARM, "Observability")}


def test_there_is_an_alarm_for_every_reason_a_hosted_key_can_fail_for(default):
    metrics = [metric for alarm in alarms(default).values() for metric in alarm.get("Metrics", [])]
    queries = [metric["Expression"] for metric in metrics if "Expression" in metric]
    failed = "SELECT SUM(Failed) FROM \"Keyway/HostedKey\" WHERE Environment = 'dev' AND Reason = "
    for reason in get_args(records.Reason):
        assert f"{failed}'{reason}'" in queries
    assert [query for query in queries if "SUM(CostAbsorbed)" in query]


def test_absorbed_cost_throttles_and_errors_have_alarms(default):
    names = alarms(default).keys()
    for name in ("cost-absorbed", "gateway-throttles", "gateway-errors", "workspace-keys-throttles"):
        assert f"keyway-dev-{name}" in names


@pytest.mark.parametrize(
    ("alarm", "watched"),
    [
        ("tool-cost-unknown", "SUM(UnknownModelCost)"),
        ("tool-limits-uncounted", "SUM(LimitUncounted)"),
        ("tool-retries-exhausted", "SUM(Throttled)"),
    ],
)
def test_where_a_tool_needs_an_operator_there_is_an_alarm(default, alarm, watched):
    (metric,) = alarms(default)[f"keyway-dev-{alarm}"]["Metrics"]
    assert watched in metric["Expression"]


def test_a_tool_that_ran_free_or_uncounted_is_one_too_many(default):
    for name in ("tool-cost-unknown", "tool-limits-uncounted"):
        assert alarms(default)[f"keyway-dev-{name}"]["Threshold"] == 1


def test_a_workspace_that_is_kept_to_its_own_limit_wakes_nobody(default):
    watched = json.dumps([alarm for alarm in alarms(default).values() if "Throttled" in json.dumps(alarm)])
    assert "Reason = 'upstream_retries_exhausted'" in watched
    assert "billing_actor_limit" not in watched


def test_only_metrics_that_the_gateway_writes_are_asked_for(default):
    written = {
        name for name, kind in vars(records).items() if isinstance(kind, type) and issubclass(kind, records.Record)
    }
    shown = "".join(default.text(stack) for stack in ("Observability", "Flags"))
    metrics = set(re.findall(r"SELECT (?:SUM|AVG)\((\w+)\)", shown))
    amounts = set(re.findall(r"(\w+)\.0\b", shown))
    assert {"CostCharged", "Throttled", "QueueWaitDuration"} <= metrics <= written
    assert {"CostCharged", "UnknownModelCost", "QueueWaitDuration"} <= amounts <= written


def test_every_alarm_is_announced_and_silence_is_no_alarm(default):
    topic = default.one("AWS::SNS::Topic").id
    for alarm in alarms(default).values():
        assert alarm["AlarmActions"] == [{"Ref": topic}]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_every_alarm_has_its_paragraph_in_the_operators_guide(default):
    guide = (ROOT / "docs" / "operate.md").read_text()
    for name in alarms(default):
        assert f"### {name.removeprefix('keyway-dev-')}\n" in guide
    assert "### flag-rollout\n" in guide


def test_lines_that_are_counted_are_lines_that_are_written(default):
    written = "".join(path.read_text() for path in (ROOT / "layers/keyway/python/keyway").rglob("*.py"))
    for metric_filter in default.all("AWS::Logs::MetricFilter"):
        field, value = re.fullmatch(r'\{ (\S+) = "(.+)" \}', metric_filter.properties["FilterPattern"]).groups()
        if field == "$.exchange.error":
            assert issubclass(getattr(errors, value), errors.KeywayError)
        else:
            assert (field, value.removesuffix("*") in written) == ("$.message", True)
        (transformation,) = metric_filter.properties["MetricTransformations"]
        name = transformation["MetricName"]
        assert f'"MetricName": "{name}"' in json.dumps(alarms(default)), f"nobody listens to {name}"


def test_every_log_group_is_kept_for_a_while_and_no_longer(each):
    days = 365 if each.folder.name == "turned" else 90
    groups = {group.properties["LogGroupName"]: group.properties for group in each.all("AWS::Logs::LogGroup")}
    stage = "prod" if each.folder.name == "turned" else "dev"
    for function in ("gateway", "workspace-keys"):
        assert groups[f"/aws/lambda/keyway-{stage}-{function}"]["RetentionInDays"] == days
    assert all("RetentionInDays" in group for group in groups.values())
    for function in each.all("AWS::Lambda::Function"):
        assert "LogGroup" in function.properties["LoggingConfig"]


def test_the_dashboard_shows_traffic_money_and_failures(default):
    shown = json.dumps(default.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"])
    for part in ("Invocations", "SUM(Used)", "firstByteMs", "SUM(CostCharged)", "SUM(CostAbsorbed)", "SUM(Failed)"):
        assert part in shown
    for dimension in ("Provider", "Key", "Reason"):
        assert f"GROUP BY {dimension}" in shown


def test_the_dashboard_shows_how_tools_fare(default):
    shown = json.dumps(default.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"])
    for part in (
        *("SELECT SUM(Throttled) FROM", "GROUP BY Tool", "SELECT AVG(QueueWaitDuration) FROM"),
        "ispresent(CostCharged.0) and ispresent(toolCallId)",
    ):
        assert part in shown


def test_saved_queries_read_the_ledger_of_the_gateway(default):
    queries = {query.properties["Name"]: query.properties for query in default.all("AWS::Logs::QueryDefinition")}
    assert "sum(CostCharged.0)" in queries["keyway/dev/bill every workspace"]["QueryString"]
    assert "ispresent(toolCallId)" in queries["keyway/dev/bill tools by workspace"]["QueryString"]
    for query in queries.values():
        assert query["LogGroupNames"] == ["/aws/lambda/keyway-dev-gateway"]
