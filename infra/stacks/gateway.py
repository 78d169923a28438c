"""The gateway and the workspace-keys function: everything that can be thrown away and deployed anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from aws_cdk import Annotations, CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.build.artifacts import Artifact
from infra.constructs.functions import KeywayFunction, Layers, Sizing
from infra.constructs.gateway_settings import gateway_settings, workspace_keys_settings
from infra.constructs.managed_instances import MEMORY, ManagedInstances
from infra.constructs.task_storage import TaskStorage
from infra.constructs.tool_functions import grant_invoke
from infra.constructs.tool_limits import ToolLimits
from infra.names import Names
from infra.options import Options
from infra.stacks.flags import FlagsStack
from infra.stacks.keys import KeysStack
from keyway.tools.catalog import ToolCatalog


class GatewayStack(Stack):
    """``alias`` is the gateway as callers know it."""

    def __init__(
        self,
        scope: Construct,
        names: Names,
        options: Options,
        *,
        layers: tuple[Artifact, ...],
        functions: Mapping[str, Artifact],
        keys: KeysStack,
        flags: FlagsStack,
        catalog: ToolCatalog,
    ) -> None:
        super().__init__(scope, "Gateway", stack_name=names.stack("Gateway"), description="Keyway: the gateway")
        # Of this stack on purpose: a layer's version is replaced whenever its bytes change, and an export that another
        # stack imports cannot be.
        versions = Layers(self, layers, options)
        managed = options.shape == "managed-instances"
        tasks = TaskStorage(self, names)
        limits = ToolLimits(self, names)
        gateway = KeywayFunction(
            self,
            "Gateway",
            name=names.gateway,
            description="Keyway: runs requests to LLM providers and settles what they cost",
            code=functions["gateway"],
            layers=versions,
            environment={**gateway_settings(names, options), **tasks.settings},
            sizing=Sizing(
                memory=max(options.memory, MEMORY) if managed else options.memory,
                timeout=Duration.minutes(15),
                snap_start=options.snap_start,
            ),
            options=options,
        )
        keys.table.grant(gateway.function, "dynamodb:Query")
        keys.kms_key.grant(gateway.function, "kms:Decrypt")
        keys.hosted_keys.grant_read(gateway.function)
        flags.grant_read(gateway.function)
        tasks.grant_use(gateway.role)
        limits.grant_use(gateway.role)
        grant_invoke(gateway.role, catalog, options)
        if managed:
            ManagedInstances(self, gateway.function, options)
        self.alias = self._public(gateway.function, names, options)

        workspace_keys = KeywayFunction(
            self,
            "WorkspaceKeys",
            name=names.workspace_keys,
            description="Keyway: the only writer of workspaces' own keys",
            code=functions["workspace_keys"],
            layers=versions,
            environment=workspace_keys_settings(names, options),
            sizing=Sizing(512, Duration.seconds(60)),
            options=options,
        )
        # Lists and finds keys, writes and deletes them; encrypts, and cannot decrypt.
        keys.table.grant(
            workspace_keys.function, "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"
        )
        keys.kms_key.grant(workspace_keys.function, "kms:Encrypt")

    def _public(self, gateway: lambda_.Function, names: Names, options: Options) -> lambda_.Alias:
        """The alias, its streaming URL, and a policy for whoever may call it."""
        alias = lambda_.Alias(self, "Live", alias_name=names.alias, version=gateway.current_version)
        if options.reserved_concurrency is not None:
            resource = cast(lambda_.CfnFunction, gateway.node.default_child)
            resource.reserved_concurrent_executions = options.reserved_concurrency
        url = alias.add_function_url(
            auth_type=lambda_.FunctionUrlAuthType[options.url_auth], invoke_mode=lambda_.InvokeMode.RESPONSE_STREAM
        )
        if options.url_auth == "NONE":
            Annotations.of(url).add_warning_v2(
                "keyway:open-url", "urlAuth: NONE lets everybody who finds the URL spend your hosted keys"
            )
        callers = iam.ManagedPolicy(
            self,
            "Callers",
            managed_policy_name=f"{names.prefix}-callers",
            description="Attach this to the roles that may call Keyway",
        )
        url.grant_invoke_url(callers)
        alias.grant_invoke(callers)
        CfnOutput(self, "Url", value=url.url, description="POST /v1/execute here, signed with SigV4")
        CfnOutput(self, "CallersPolicy", value=callers.managed_policy_arn, description="For the roles that may call")
        return alias
