"""Settings: what the operator may write, and what is said of what they may not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from keyway.settings import SettingError, Settings


def test_an_empty_environment_is_a_gateway_without_platform_keys():
    settings = Settings.from_environment({})
    assert not settings.keyway_hosted
    assert not settings.hosted_key_llm
    assert settings.cost_multiplier == 1
    assert settings.deployment_environment == "development"
    assert settings.metrics_namespace == "Keyway/HostedKey"


def test_every_variable_is_read():
    settings = Settings.from_environment(
        {
            "KEYWAY_HOSTED": "True",
            "HOSTED_KEYS_SECRET": "keys",
            "APPCONFIG_APPLICATION": "a",
            "APPCONFIG_ENVIRONMENT": "e",
            "HOSTED_KEY_LLM": "1",
            "COST_MULTIPLIER": "1.10",
            "DEPLOYMENT_ENVIRONMENT": "production",
            "WORKSPACE_KEYS_TABLE": "t",
            "WORKSPACE_KEYS_KMS_KEY": "k",
            "PROVIDER_BASE_URLS": '{"openai": "http://127.0.0.1:1/v1"}',
            "POWERTOOLS_METRICS_NAMESPACE": "N",
        }
    )
    assert settings == Settings(
        keyway_hosted=True,
        hosted_keys_secret="keys",
        appconfig_application="a",
        appconfig_environment="e",
        hosted_key_llm=True,
        cost_multiplier=Decimal("1.10"),
        deployment_environment="production",
        workspace_keys_table="t",
        workspace_keys_kms_key="k",
        provider_base_urls={"openai": "http://127.0.0.1:1/v1"},
        metrics_namespace="N",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEYWAY_HOSTED", "perhaps"),
        ("HOSTED_KEY_LLM", "2"),
        ("COST_MULTIPLIER", "a lot"),
        ("COST_MULTIPLIER", "-1"),
        ("COST_MULTIPLIER", "NaN"),
        ("COST_MULTIPLIER", "Infinity"),
        ("PROVIDER_BASE_URLS", "http://x"),
        ("PROVIDER_BASE_URLS", "[]"),
        ("PROVIDER_BASE_URLS", '{"openai": 1}'),
        ("PROVIDER_BASE_URLS", '{"openai": "ftp://x"}'),
        ("PROVIDER_BASE_URLS", '{"openai": "https://x/?key=secret"}'),
        ("APPCONFIG_APPLICATION", "alone"),
        ("TOOL_EXECUTORS", "http, shell"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_the_variable(name, value):
    with pytest.raises(SettingError) as wrong:
        Settings.from_environment({name: value})
    assert name in str(wrong.value)
    assert "secret" not in str(wrong.value)


def test_tasks_and_answers_are_kept_only_where_the_operator_says():
    assert (Settings.from_environment({}).idempotency_table, Settings.from_environment({}).answers_bucket) == (
        None,
        None,
    )
    settings = Settings.from_environment({"IDEMPOTENCY_TABLE": "tasks", "ANSWERS_BUCKET": "answers"})
    assert (settings.idempotency_table, settings.answers_bucket) == ("tasks", "answers")


def test_tools_are_the_operators_to_allow():
    settings = Settings.from_environment(
        {
            "TOOL_CATALOG": " /var/task/tool_catalog.json ",
            "TOOL_EXECUTORS": "http, lambda",
            "TOOL_FUNCTIONS": "arn:aws:lambda:us-east-1:123456789012:function:clock,",
            "TOOL_LIMITS_TABLE": "limits",
        }
    )
    assert settings.tool_catalog == "/var/task/tool_catalog.json"
    assert settings.tool_executors == ("http", "lambda")
    assert settings.tool_functions == ("arn:aws:lambda:us-east-1:123456789012:function:clock",)
    assert settings.tool_limits_table == "limits"
    assert Settings.from_environment({}).tool_executors == ()
