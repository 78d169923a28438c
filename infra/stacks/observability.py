"""What an operator looks at: the dashboard, the alarms, and queries that bill a workspace from the ledger."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.constructs.alarms import alarms
from infra.constructs.dashboard import dashboard
from infra.constructs.log_metrics import count_signs
from infra.constructs.saved_queries import QUERIES
from infra.names import Names
from infra.options import Options


class ObservabilityStack(Stack):
    """Everything here only reads; it can be deleted and deployed again at any time."""

    def __init__(self, scope: Construct, names: Names, options: Options) -> None:
        super().__init__(
            scope,
            "Observability",
            stack_name=names.stack("Observability"),
            description="Keyway: dashboard, alarms and saved queries",
        )
        log_group = logs.LogGroup.from_log_group_name(self, "GatewayLog", names.log_group(names.gateway))
        count_signs(self, log_group, names)
        topic = sns.Topic(self, "Alarms", topic_name=names.topic, enforce_ssl=True)
        if options.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(options.alarm_email))
        dashboard(self, names, self._alarms(names, options, topic))
        for name, query in QUERIES.items():
            logs.CfnQueryDefinition(
                self,
                f"Query-{name.replace(' ', '-')}",
                name=f"keyway/{names.stage}/{name}",
                query_string=query,
                log_group_names=[names.log_group(names.gateway)],
            )
        CfnOutput(self, "AlarmsTopic", value=topic.topic_arn, description="Subscribe to be told of alarms")

    def _alarms(self, names: Names, options: Options, topic: sns.Topic) -> list[cloudwatch.Alarm]:
        made = []
        for watched in alarms(names, options):
            alarm = cloudwatch.Alarm(
                self,
                f"Alarm-{watched.name}",
                alarm_name=f"{names.prefix}-{watched.name}",
                alarm_description=f"{watched.meaning} See docs/operate.md, {watched.name}.",
                metric=watched.metric,
                threshold=watched.threshold,
                evaluation_periods=1,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            alarm.add_alarm_action(actions.SnsAction(topic))
            made.append(alarm)
        return made
