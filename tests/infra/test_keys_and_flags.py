"""What must not be lost, and what must not change suddenly."""

from __future__ import annotations

import json

from aws_lambda_powertools.utilities.feature_flags.schema import SchemaValidator

from keyway.outside.flags import PROFILE


def test_the_table_is_that_of_the_gateway_encrypted_and_can_be_restored(each):
    table = each.one("AWS::DynamoDB::Table", "Keys")
    assert table.properties["KeySchema"] == [
        {"AttributeName": "workspaceId", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table.properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table.properties["SSESpecification"] == {"SSEEnabled": True}
    assert table.properties["BillingMode"] == "PAY_PER_REQUEST"


def test_the_kms_key_rotates_and_only_the_account_governs_it(each):
    key = each.one("AWS::KMS::Key").properties
    assert key["EnableKeyRotation"] is True
    (statement,) = key["KeyPolicy"]["Statement"]
    assert list(statement["Principal"]) == ["AWS"]


def test_the_secret_begins_empty_and_valid_and_tells_how_to_rotate(default):
    secret = default.one("AWS::SecretsManager::Secret").properties
    assert json.loads(secret["SecretString"]) == {}
    assert "rotate" in secret["Description"]


def test_stored_keys_outlive_their_stack_unless_told_otherwise(default, turned):
    kinds = ("AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SecretsManager::Secret")
    assert {default.one(kind, "Keys").whole["DeletionPolicy"] for kind in kinds} == {"Retain"}
    assert default.one("AWS::DynamoDB::Table", "Keys").properties["DeletionProtectionEnabled"] is True
    assert {turned.one(kind, "Keys").whole["DeletionPolicy"] for kind in kinds} == {"Delete"}


def test_the_flag_is_off_and_the_document_is_one_the_gateway_takes(default):
    version = default.one("AWS::AppConfig::HostedConfigurationVersion").properties
    document = json.loads(version["Content"])
    SchemaValidator(document).validate()
    assert document["hosted-key-llm"]["default"] is False
    assert version["ContentType"] == "application/json"


def test_the_profile_is_the_one_the_gateway_reads_and_checks_its_documents(default):
    profile = default.one("AWS::AppConfig::ConfigurationProfile").properties
    assert (profile["Name"], profile["Type"], profile["LocationUri"]) == (PROFILE, "AWS.Freeform", "hosted")
    (validator,) = profile["Validators"]
    assert validator["Type"] == "JSON_SCHEMA"
    assert json.loads(validator["Content"])["$schema"].startswith("http://json-schema.org/draft-04")


def test_a_change_of_flags_is_gradual_and_taken_back_when_hosted_keys_fail(default):
    strategy = default.one("AWS::AppConfig::DeploymentStrategy").properties
    assert (strategy["GrowthType"], strategy["GrowthFactor"]) == ("LINEAR", 20)
    assert strategy["DeploymentDurationInMinutes"] == 10
    assert strategy["FinalBakeTimeInMinutes"] == 5
    (monitor,) = default.one("AWS::AppConfig::Environment").properties["Monitors"]
    alarm = default.one("AWS::CloudWatch::Alarm", "Flags")
    assert monitor["AlarmArn"]["Fn::GetAtt"][0] == alarm.id
    assert "SUM(Failed)" in json.dumps(alarm.properties["Metrics"])


def test_flags_are_a_stack_of_their_own(default):
    assert default.stacks == ["Example", "Flags", "Gateway", "Keys", "Observability"]
    assert not [resource for resource in default.resources("Gateway") if "AppConfig" in resource.type]
