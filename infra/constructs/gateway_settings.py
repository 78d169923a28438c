"""The gateway's environment variables, read back by the gateway's own code before anything is deployed.

A value the function would refuse at its start is refused here, in the same words.
"""

from __future__ import annotations

import json

from infra.build.artifacts import DEPLOYED_CATALOG
from infra.names import METRICS, Names
from infra.options import Options
from keyway.settings import Settings


def gateway_settings(names: Names, options: Options) -> dict[str, str]:
    """The settings of one stage's gateway, by variable.

    Raises:
        SettingError: The gateway would not start with them; the message names the variable.
    """
    variables = {
        "KEYWAY_HOSTED": "true" if options.hosted else "false",
        "HOSTED_KEYS_SECRET": names.secret,
        "APPCONFIG_APPLICATION": names.application,
        "APPCONFIG_ENVIRONMENT": names.stage,
        "COST_MULTIPLIER": str(options.cost_multiplier),
        "DEPLOYMENT_ENVIRONMENT": names.stage,
        "WORKSPACE_KEYS_TABLE": names.table,
        "WORKSPACE_KEYS_KMS_KEY": names.kms_alias,
        "POWERTOOLS_METRICS_NAMESPACE": METRICS,
        "TOOL_CATALOG": f"/var/task/{DEPLOYED_CATALOG}",
        "TOOL_LIMITS_TABLE": names.tool_limits,
    }
    if options.tool_executors:
        variables["TOOL_EXECUTORS"] = ",".join(options.tool_executors)
    if options.tool_functions:
        variables["TOOL_FUNCTIONS"] = ",".join(options.tool_functions)
    if options.provider_base_urls:
        variables["PROVIDER_BASE_URLS"] = json.dumps(options.provider_base_urls, sort_keys=True)
    Settings.from_environment(variables)
    return variables


def workspace_keys_settings(names: Names, options: Options) -> dict[str, str]:
    """The settings of the workspace-keys function. It knows no platform key, so it is told of none.

    Of the tools it reads whose keys a workspace may store; it runs none. A catalog with limits is refused without the
    table that counts them, so it is told the table's name, though it may not touch it.
    """
    reads = {
        "DEPLOYMENT_ENVIRONMENT",
        "WORKSPACE_KEYS_TABLE",
        "WORKSPACE_KEYS_KMS_KEY",
        "PROVIDER_BASE_URLS",
        "TOOL_CATALOG",
        "TOOL_LIMITS_TABLE",
    }
    return {name: value for name, value in gateway_settings(names, options).items() if name in reads}
