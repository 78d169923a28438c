"""The gateway as it is deployed: how it runs, how it is reached, and that it is told what its code reads."""

from __future__ import annotations

import json
from decimal import Decimal

from keyway.settings import Settings

FUNCTION, ALIAS, URL = "AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::Lambda::Url"


def gateway(templates, stage="dev"):
    return templates.one(FUNCTION, FunctionName=f"keyway-{stage}-gateway").properties


def test_the_gateway_runs_on_our_runtime_client(default):
    function = gateway(default)
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert (function["MemorySize"], function["Timeout"]) == (512, 900)
    assert function["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/stream-runtime"
    assert function["LoggingConfig"]["LogFormat"] == "JSON"


def test_both_functions_have_all_three_layers_for_their_architecture(each):
    layers = {layer.id: layer.properties for layer in each.all("AWS::Lambda::LayerVersion")}
    assert len(layers) == 3
    functions = each.all(FUNCTION)
    assert len(functions) == 2
    for function in functions:
        assert {layer["Ref"] for layer in function.properties["Layers"]} == layers.keys()
        for layer in layers.values():
            assert layer["CompatibleArchitectures"] == function.properties["Architectures"]


def test_the_url_streams_and_belongs_to_the_alias(each):
    url = each.one(URL).properties
    assert (url["InvokeMode"], url["Qualifier"]) == ("RESPONSE_STREAM", "live")
    assert each.one(ALIAS).properties["Name"] == "live"


def test_the_url_asks_for_a_signature_and_nobody_is_let_in_by_the_function_itself(default):
    assert default.one(URL).properties["AuthType"] == "AWS_IAM"
    assert default.all("AWS::Lambda::Permission") == []


def test_whoever_has_the_callers_policy_has_both_permissions_a_url_needs(default):
    statements = default.one("AWS::IAM::ManagedPolicy").properties["PolicyDocument"]["Statement"]
    granted = {
        (statement["Action"], json.dumps(statement.get("Condition"), sort_keys=True)) for statement in statements
    }
    assert ("lambda:InvokeFunctionUrl", '{"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}') in granted
    assert ("lambda:InvokeFunction", '{"Bool": {"lambda:InvokedViaFunctionUrl": true}}') in granted


def test_an_open_url_has_both_permissions_too(turned):
    permissions = [resource.properties for resource in turned.all("AWS::Lambda::Permission")]
    assert {(p["Action"], p["Principal"]) for p in permissions} == {
        ("lambda:InvokeFunctionUrl", "*"),
        ("lambda:InvokeFunction", "*"),
    }
    assert all(p.get("FunctionUrlAuthType") == "NONE" or p.get("InvokedViaFunctionUrl") is True for p in permissions)


def test_what_the_gateway_is_told_is_what_its_code_reads(each):
    stage = "prod" if each.folder.name == "turned" else "dev"
    variables = gateway(each, stage)["Environment"]["Variables"]
    # Names of buckets are shared by all of AWS, so this one has the account in it.
    assert json.dumps(variables.pop("ANSWERS_BUCKET")).startswith('{"Ref": "TaskStorageAnswers')
    settings = Settings.from_environment(variables)
    assert settings.keyway_hosted
    assert settings.deployment_environment == stage
    assert settings.metrics_namespace == "Keyway/HostedKey"
    assert settings.cost_multiplier == Decimal("1.25" if stage == "prod" else "1")
    read = {name.upper() for name in Settings.__slots__} | {"POWERTOOLS_METRICS_NAMESPACE", "AWS_LAMBDA_EXEC_WRAPPER"}
    assert variables.keys() <= read, "a variable that nothing reads"
    assert all(isinstance(value, str) for value in variables.values()), "a name that only CloudFormation knows"


def test_the_names_in_its_settings_are_those_of_the_resources(default):
    variables = gateway(default)["Environment"]["Variables"]
    assert default.one("AWS::DynamoDB::Table", "Keys").properties["TableName"] == variables["WORKSPACE_KEYS_TABLE"]
    tasks = default.one("AWS::DynamoDB::Table", "Gateway", TableName=variables["IDEMPOTENCY_TABLE"]).properties
    assert tasks["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert tasks["TimeToLiveSpecification"] == {"AttributeName": "expiration", "Enabled": True}
    assert default.one("AWS::KMS::Alias").properties["AliasName"] == variables["WORKSPACE_KEYS_KMS_KEY"]
    assert default.one("AWS::SecretsManager::Secret").properties["Name"] == variables["HOSTED_KEYS_SECRET"]
    assert default.one("AWS::AppConfig::Application").properties["Name"] == variables["APPCONFIG_APPLICATION"]
    assert default.one("AWS::AppConfig::Environment").properties["Name"] == variables["APPCONFIG_ENVIRONMENT"]


def test_the_workspace_keys_function_is_told_of_no_platform_key(each):
    stage = "prod" if each.folder.name == "turned" else "dev"
    variables = each.one(FUNCTION, FunctionName=f"keyway-{stage}-workspace-keys").properties["Environment"]["Variables"]
    settings = Settings.from_environment(variables)
    assert (settings.keyway_hosted, settings.hosted_keys_secret) == (False, None)
    assert settings.workspace_keys_table
    assert settings.workspace_keys_kms_key


def test_the_options_reach_the_function(turned):
    function = gateway(turned, "prod")
    assert (function["MemorySize"], function["Architectures"]) == (1024, ["x86_64"])
    assert function["ReservedConcurrentExecutions"] == 50
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert json.loads(function["Environment"]["Variables"]["PROVIDER_BASE_URLS"]) == {
        "openai": "https://llm.example.com/v1"
    }


def test_managed_instances_serve_32_requests_at_once_in_one_environment(managed):
    function = gateway(managed)
    config = function["CapacityProviderConfig"]["LambdaManagedInstancesCapacityProviderConfig"]
    assert config["PerExecutionEnvironmentMaxConcurrency"] == 32
    assert function["MemorySize"] == 2048
    assert "SnapStart" not in function
    assert managed.one("AWS::Lambda::CapacityProvider").properties["InstanceRequirements"] == {
        "Architectures": ["arm64"]
    }
    assert "CapacityProviderConfig" not in managed.one(FUNCTION, FunctionName="keyway-dev-workspace-keys").properties


def test_from_the_instances_only_https_leaves(managed):
    (rule,) = managed.one("AWS::EC2::SecurityGroup").properties["SecurityGroupEgress"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
