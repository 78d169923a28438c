"""What Step Functions tasks need beside the gateway: which have been answered, and answers too large for a state.

Both are there for days, not for good: a task is remembered as long as its time to live, an answer a week. Both hold
workspaces' words, so both are encrypted, and the bucket answers over TLS only.
"""

from __future__ import annotations

from typing import cast

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.acknowledged import acknowledge
from infra.names import Names

KEPT = Duration.days(7)
_FOLDER = "answers/*"


class TaskStorage(Construct):
    """``settings`` is what the gateway is told of it."""

    def __init__(self, scope: Construct, names: Names) -> None:
        super().__init__(scope, "TaskStorage")
        self._names = names
        self._table = dynamodb.Table(
            self,
            "Tasks",
            table_name=names.tasks,
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiration",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(self._table, "DDB3", "Nothing here is worth restoring: a task is remembered for a day.")
        self._bucket = s3.Bucket(
            self,
            "Answers",
            # Names of buckets are shared by all of AWS.
            bucket_name=f"{names.prefix}-answers-{Aws.ACCOUNT_ID}-{Aws.REGION}",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[s3.LifecycleRule(expiration=KEPT)],
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(self._bucket, "S1", "One writer, objects of a week; CloudTrail's data events tell who read them.")

    @property
    def settings(self) -> dict[str, str]:
        return {"IDEMPOTENCY_TABLE": self._names.tasks, "ANSWERS_BUCKET": self._bucket.bucket_name}

    def grant_use(self, role: iam.IRole) -> None:
        """Lets the gateway remember tasks and store answers; it can read no answer."""
        self._table.grant(role, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
        iam.Grant.add_to_principal(
            grantee=role, actions=["s3:PutObject"], resource_arns=[self._bucket.arn_for_objects(_FOLDER)]
        )
        bucket = Stack.of(self).get_logical_id(cast(s3.CfnBucket, self._bucket.node.default_child))
        acknowledge(
            role,
            f"IAM5[Resource::<{bucket}.Arn>/{_FOLDER}]",
            "An answer's name is known only when it is there; the gateway may write below this folder, nothing else.",
        )
