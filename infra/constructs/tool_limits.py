"""How often each workspace has called a tool of late, and who stands in line: the table of rate limits.

What is in an item, and how it is counted, is ``keyway/outside/tool_limits.py``. Only calls on the platform's keys are
counted, and of those only such as have a limit. A count is worth minutes, so items leave by their time to live and the
table goes with its stack.
"""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.acknowledged import acknowledge
from infra.names import Names


class ToolLimits(Construct):
    """The table; its name is ``Names.tool_limits``.

    It holds ids and counts, and nobody's words, so the key that DynamoDB encrypts every table with is enough.
    """

    def __init__(self, scope: Construct, names: Names) -> None:
        super().__init__(scope, "ToolLimits")
        self._table = dynamodb.Table(
            self,
            "Buckets",
            table_name=names.tool_limits,
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiration",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(self._table, "DDB3", "Nothing here is worth restoring: a bucket is full again within minutes.")

    def grant_use(self, role: iam.IRole) -> None:
        """Lets the gateway count calls. An item is read and written whole, and what is old leaves by itself."""
        self._table.grant(role, "dynamodb:GetItem", "dynamodb:PutItem")
