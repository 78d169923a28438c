"""The Lambda functions that tools are run by: those of the operator's catalog, and those that callers may name."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from infra.options import Options
from keyway.tools.catalog import ToolCatalog


def grant_invoke(role: iam.IRole, catalog: ToolCatalog, options: Options) -> None:
    """Lets ``role`` invoke exactly these functions; without any, it gets no permission at all.

    The CDK's own grant on a function would cover every version and alias of it, which nobody has asked for: the ARN as
    it is written says which one is meant.
    """
    if functions := dict.fromkeys((*catalog.functions, *options.tool_functions)):
        iam.Grant.add_to_principal(grantee=role, actions=["lambda:InvokeFunction"], resource_arns=list(functions))
