"""What the operator has set, read once from the environment into a frozen value.

Together with the runtime's entry point this is the only module that reads ``os.environ``. A wrong value fails at
start, with a message that names the variable.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from keyway.chat import EXECUTOR_KINDS, ExecutorKind

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off", ""})
_NAMESPACE = "Keyway/HostedKey"
_ENVIRONMENT = "development"


class SettingError(ValueError):
    """An environment variable holds something it must not. The message names the variable, not its value."""

    expected = True


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings; the environment variable of each is its name in capitals.

    Attributes:
        keyway_hosted: Platform keys may be used at all.
        hosted_keys_secret: Name or ARN of the Secrets Manager secret that holds the platform's keys.
        appconfig_application, appconfig_environment: Where the profile ``feature-flags`` is deployed.
        hosted_key_llm: The flag's value while AppConfig is not configured or has never been reached.
        cost_multiplier: What the provider's price is multiplied with.
        deployment_environment: The ``Environment`` dimension of every metric.
        workspace_keys_table, workspace_keys_kms_key: Where workspaces' own keys are stored and what encrypts them.
        idempotency_table: Where it is remembered which tasks were answered, so that none is charged twice.
        answers_bucket: Where answers go that are too large for Step Functions.
        provider_base_urls: Addresses by provider id that win over the catalog's. Trusted: platform keys go there.
        metrics_namespace: ``POWERTOOLS_METRICS_NAMESPACE``.
        blacklisted_providers, blacklisted_models: Ids that are refused, separated by commas; a trailing ``*`` stands
            for any ending.
        tool_catalog: The operator's tools: a JSON object, or the absolute path of a file that holds one.
        tool_executors: The kinds of executor that callers may bring: ``http``, ``lambda``, separated by commas.
        tool_functions: ARNs of Lambda functions that callers' executors may name, separated by commas.
        tool_limits_table: Where it is counted how often workspaces call tools on hosted keys.
        aws_bearer_token_bedrock: A Bedrock API key used in place of the function's own role.
    """

    keyway_hosted: bool = False
    hosted_keys_secret: str | None = None
    appconfig_application: str | None = None
    appconfig_environment: str | None = None
    hosted_key_llm: bool = False
    cost_multiplier: Decimal = Decimal(1)
    deployment_environment: str = _ENVIRONMENT
    workspace_keys_table: str | None = None
    workspace_keys_kms_key: str | None = None
    idempotency_table: str | None = None
    answers_bucket: str | None = None
    provider_base_urls: Mapping[str, str] = field(default_factory=dict)
    metrics_namespace: str = _NAMESPACE
    blacklisted_providers: tuple[str, ...] = ()
    blacklisted_models: tuple[str, ...] = ()
    tool_catalog: str | None = None
    tool_executors: tuple[ExecutorKind, ...] = ()
    tool_functions: tuple[str, ...] = ()
    tool_limits_table: str | None = None
    aws_bearer_token_bedrock: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """The settings in ``environment`` (the process's own by default).

        Raises:
            SettingError: A value is wrong; the message names the variable.
        """
        variables = os.environ if environment is None else environment
        settings = cls(
            keyway_hosted=_boolean(variables, "KEYWAY_HOSTED"),
            hosted_keys_secret=variables.get("HOSTED_KEYS_SECRET") or None,
            appconfig_application=variables.get("APPCONFIG_APPLICATION") or None,
            appconfig_environment=variables.get("APPCONFIG_ENVIRONMENT") or None,
            hosted_key_llm=_boolean(variables, "HOSTED_KEY_LLM"),
            cost_multiplier=_multiplier(variables, "COST_MULTIPLIER"),
            deployment_environment=variables.get("DEPLOYMENT_ENVIRONMENT") or _ENVIRONMENT,
            workspace_keys_table=variables.get("WORKSPACE_KEYS_TABLE") or None,
            workspace_keys_kms_key=variables.get("WORKSPACE_KEYS_KMS_KEY") or None,
            idempotency_table=variables.get("IDEMPOTENCY_TABLE") or None,
            answers_bucket=variables.get("ANSWERS_BUCKET") or None,
            provider_base_urls=_base_urls(variables, "PROVIDER_BASE_URLS"),
            metrics_namespace=variables.get("POWERTOOLS_METRICS_NAMESPACE") or _NAMESPACE,
            blacklisted_providers=_names(variables, "BLACKLISTED_PROVIDERS"),
            blacklisted_models=_names(variables, "BLACKLISTED_MODELS"),
            tool_catalog=variables.get("TOOL_CATALOG", "").strip() or None,
            tool_executors=_executors(variables, "TOOL_EXECUTORS"),
            tool_functions=_names(variables, "TOOL_FUNCTIONS"),
            tool_limits_table=variables.get("TOOL_LIMITS_TABLE") or None,
            aws_bearer_token_bedrock=variables.get("AWS_BEARER_TOKEN_BEDROCK") or None,
        )
        if (settings.appconfig_application is None) != (settings.appconfig_environment is None):
            raise SettingError("APPCONFIG_APPLICATION and APPCONFIG_ENVIRONMENT: set both or neither")
        return settings


def _names(variables: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in variables.get(name, "").split(",") if entry.strip())


def _executors(variables: Mapping[str, str], name: str) -> tuple[ExecutorKind, ...]:
    named = _names(variables, name)
    if not set(named) <= set(EXECUTOR_KINDS):
        raise SettingError(f"{name}: must be made of {', '.join(EXECUTOR_KINDS)}, separated by commas")
    return tuple(kind for kind in EXECUTOR_KINDS if kind in named)


def _boolean(variables: Mapping[str, str], name: str) -> bool:
    value = variables.get(name, "").strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise SettingError(f"{name}: must be true or false")


def _multiplier(variables: Mapping[str, str], name: str) -> Decimal:
    try:
        value = Decimal(variables.get(name, "").strip() or "1")
    except InvalidOperation:
        raise SettingError(f"{name}: must be a decimal number, such as 1.25") from None
    if not value.is_finite() or value < 0:
        raise SettingError(f"{name}: must be a finite number, zero or more")
    return value


def _base_urls(variables: Mapping[str, str], name: str) -> Mapping[str, str]:
    try:
        value = json.loads(variables.get(name, "").strip() or "{}")
    except ValueError:
        raise SettingError(f"{name}: must be a JSON object of provider id to base URL") from None
    if not isinstance(value, dict):
        raise SettingError(f"{name}: must be a JSON object of provider id to base URL")
    for provider, url in value.items():
        parts = urlsplit(url) if isinstance(url, str) else None
        if parts is None or parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise SettingError(
                f"{name}: the base URL of {provider!r} must start with http:// or https:// and name a host"
            )
    return value
