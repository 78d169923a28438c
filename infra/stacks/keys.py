"""What must outlive every deployment: workspaces' own keys, and the secret of the platform's."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.constructs.acknowledged import acknowledge
from infra.names import Names
from infra.options import Options


class KeysStack(Stack):
    """``table`` and ``kms_key`` hold workspaces' own keys, ``hosted_keys`` the platform's."""

    def __init__(self, scope: Construct, names: Names, options: Options) -> None:
        super().__init__(
            scope,
            "Keys",
            stack_name=names.stack("Keys"),
            description="Keyway: stored keys",
            termination_protection=options.retain,
        )
        removal = RemovalPolicy.RETAIN if options.retain else RemovalPolicy.DESTROY
        self.kms_key = kms.Key(
            self,
            "WorkspaceKeysKey",
            alias=names.kms_alias,
            description="Encrypts each key that a workspace stored, bound to its workspace and provider",
            enable_key_rotation=True,
            removal_policy=removal,
        )
        self.table = dynamodb.Table(
            self,
            "WorkspaceKeysTable",
            table_name=names.table,
            partition_key=dynamodb.Attribute(name="workspaceId", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            # Not with the key above: whoever reads the table would have to be able to decrypt with it, and the
            # workspace-keys function must not. What is secret in an item is encrypted with it already.
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=options.retain,
            removal_policy=removal,
        )
        self.hosted_keys = secretsmanager.Secret(
            self,
            "HostedKeys",
            secret_name=names.secret,
            description=(
                "Keyway's hosted keys: a flat JSON object such as {OPENAI_API_KEY_1: ...}. To rotate, put the new"
                " key in the place of the old one; the gateway reads it again within five minutes."
            ),
            # Valid and empty: the gateway starts, and says KeyRequired until keys are put in. CloudFormation sets it
            # once; keys that were put in later stay as long as this line does.
            secret_string_value=SecretValue.unsafe_plain_text("{}"),
            removal_policy=removal,
        )
        acknowledge(
            self.hosted_keys,
            "SMG4",
            "The providers have no API to rotate these keys with; an operator replaces them (docs/operate.md).",
        )
