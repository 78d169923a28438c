"""The two functions: the same runtime, layers and log settings; what differs is what they may reach and are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.build.artifacts import Artifact
from infra.constructs.acknowledged import acknowledge
from infra.options import Options

WRAPPER = "/opt/stream-runtime"

ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


class Layers(Construct):
    """The built layers as Lambda layers, in the order in which they are laid over each other."""

    def __init__(self, scope: Construct, built: tuple[Artifact, ...], options: Options) -> None:
        super().__init__(scope, "Layers")
        self.versions = [
            lambda_.LayerVersion(
                self,
                layer.name,
                # Our own digest: the CDK's does not notice an executable bit that changed.
                code=lambda_.Code.from_asset(str(layer.folder), asset_hash=layer.digest),
                compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
                compatible_architectures=[ARCHITECTURES[options.architecture]],
                description=f"Keyway: {layer.name}",
            )
            for layer in built
        ]


@dataclass(frozen=True, slots=True)
class Sizing:
    """How one function runs: memory in MB, the most time one invocation may take, whether it starts from a snapshot."""

    memory: int
    timeout: Duration
    snap_start: bool = False


class KeywayFunction(Construct):
    """One function on our runtime client: ``function``, its ``role`` and its ``log_group``.

    Args:
        code: The built package that holds ``app.handler``.
        environment: Settings, beside the wrapper's own.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        code: Artifact,
        layers: Layers,
        environment: Mapping[str, str],
        sizing: Sizing,
        options: Options,
        description: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{name}",
            removal_policy=RemovalPolicy.RETAIN if options.retain else RemovalPolicy.DESTROY,
        )
        cast(logs.CfnLogGroup, self.log_group.node.default_child).retention_in_days = options.log_retention_days
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=ARCHITECTURES[options.architecture],
            handler=f"{code.name}.app.handler",
            code=lambda_.Code.from_asset(str(code.folder), asset_hash=code.digest),
            layers=layers.versions,
            role=self.role,
            memory_size=sizing.memory,
            timeout=sizing.timeout,
            environment={"AWS_LAMBDA_EXEC_WRAPPER": WRAPPER, **environment},
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if sizing.snap_start else None,
        )
        acknowledge(
            self.function,
            "L1",
            "Layers and tests are built for python3.13; a newer interpreter is a change we make, not one that happens.",
        )
