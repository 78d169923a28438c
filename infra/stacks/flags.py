"""The feature flags, in a stack of their own: a change of a flag takes minutes on purpose, and deploys nothing else.

AppConfig hands a new document to a fifth of the gateway's environments at a time, and takes it back by itself when
hosted keys begin to fail.
"""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.acknowledged import acknowledge
from infra.constructs.flag_document import SCHEMA, flag_document
from infra.constructs.hosted_key_metrics import total
from infra.names import PROFILE, Names
from keyway.tools.catalog import ToolCatalog

FAILURES = 20
"""Failed exchanges on hosted keys, in one minute, at which a rollout is taken back."""


class FlagsStack(Stack):
    """The flags; ``grant_read`` lets a function read them. ``catalog`` is the operator's tools."""

    def __init__(self, scope: Construct, names: Names, catalog: ToolCatalog) -> None:
        super().__init__(
            scope, "Flags", stack_name=names.stack("Flags"), description="Keyway: feature flags, rolled out slowly"
        )
        # The metric is named here rather than taken from the gateway: the gateway's role names this stack's
        # environment, and the two would otherwise wait for each other.
        alarm = cloudwatch.Alarm(
            self,
            "RolloutAlarm",
            alarm_name=f"{names.prefix}-flag-rollout",
            alarm_description="Hosted keys began to fail; a flag that is being rolled out is taken back.",
            # A flag is about models: a tool that fails on its own keys has nothing to do with it.
            metric=total("Failed", environment=names.stage, period=Duration.minutes(1), without_tools=catalog.tools),
            threshold=FAILURES,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        application = appconfig.Application(self, "Application", application_name=names.application)
        watched = appconfig.Environment(
            self,
            "Environment",
            application=application,
            environment_name=names.stage,
            monitors=[appconfig.Monitor.from_cloud_watch_alarm(alarm)],
        )
        acknowledge(
            watched,
            "IAM5[Resource::*]",
            "AppConfig looks alarms up with cloudwatch:DescribeAlarms, which lists; it may read states, nothing else.",
        )
        flags = appconfig.HostedConfiguration(
            self,
            "FeatureFlags",
            application=application,
            name=PROFILE,
            type=appconfig.ConfigurationType.FREEFORM,
            content=appconfig.ConfigurationContent.from_inline_json(flag_document()),
            validators=[appconfig.JsonSchemaValidator.from_inline(SCHEMA.read_text())],
            deploy_to=[watched],
            deployment_strategy=appconfig.DeploymentStrategy(
                self,
                "Gradually",
                deployment_strategy_name=f"{names.prefix}-gradually",
                rollout_strategy=appconfig.RolloutStrategy.linear(
                    growth_factor=20, deployment_duration=Duration.minutes(10), final_bake_time=Duration.minutes(5)
                ),
            ),
        )
        self._profile_arn = self.format_arn(
            service="appconfig",
            resource="application",
            resource_name=(
                f"{application.application_id}/environment/{watched.environment_id}"
                f"/configuration/{flags.configuration_profile_id}"
            ),
        )

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets ``grantee`` poll this one profile. (AppConfig's own grant covers every profile there will ever be.)"""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"],
            resource_arns=[self._profile_arn],
        )
