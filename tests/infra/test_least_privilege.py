"""Who may do what: nobody more than it needs, and no star that is not explained."""

from __future__ import annotations

import json

from tests.infra.templates import listed

STARS = {
    ("Flags", "cloudwatch:DescribeAlarms"): "AppConfig lists alarms",
    ("Gateway", "s3:PutObject"): "an answer's name is only known when it is there",
    ("Example", "logs:"): "Step Functions sets up the delivery of its log",
}
"""Stack and action of every statement about all resources; cdk-nag has the reason beside the resource."""


def role_of(templates, function):
    found = templates.one("AWS::Lambda::Function", FunctionName=function)
    return found.properties["Role"]["Fn::GetAtt"][0]


def actions(templates, function):
    statements = templates.statements(role_of(templates, function))
    return {action for statement in statements for action in listed(statement["Action"])}


def on(templates, function, resource):
    """What the function may do to the resource whose logical id holds ``resource``."""
    return {
        action
        for statement in templates.statements(role_of(templates, function))
        for action in listed(statement["Action"])
        if resource in json.dumps(statement["Resource"])
    }


def test_the_gateway_reads_the_keys_table_and_cannot_write_it(default):
    granted = actions(default, "keyway-dev-gateway")
    assert on(default, "keyway-dev-gateway", "WorkspaceKeysTable") == {"dynamodb:Query"}
    assert {action for action in granted if action.startswith("kms:")} == {"kms:Decrypt"}
    assert {action for action in granted if action.startswith("appconfig:")} == {
        "appconfig:StartConfigurationSession",
        "appconfig:GetLatestConfiguration",
    }


def test_the_workspace_keys_function_can_neither_read_the_hosted_secret_nor_decrypt(default):
    granted = actions(default, "keyway-dev-workspace-keys")
    assert not [action for action in granted if action.startswith(("secretsmanager:", "appconfig:"))]
    assert {action for action in granted if action.startswith("kms:")} == {"kms:Encrypt"}
    assert {action for action in granted if action.startswith("dynamodb:")} == {
        "dynamodb:Query",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
    }


def test_no_action_is_a_star_and_no_resource_unless_explained(each):
    seen = set()
    for stack in each.stacks:
        for resource in each.resources(stack):
            if not resource.type.startswith("AWS::IAM::"):
                continue
            policies = [resource.properties["PolicyDocument"]] if "PolicyDocument" in resource.properties else []
            policies += [policy["PolicyDocument"] for policy in resource.properties.get("Policies", [])]
            for statement in (found for policy in policies for found in policy["Statement"]):
                asked = listed(statement["Action"])
                assert not [action for action in asked if "*" in action], f"{stack}/{resource.id}: {asked}"
                if "*" in json.dumps(statement["Resource"]):
                    explained = [key for key in STARS if key[0] == stack and all(a.startswith(key[1]) for a in asked)]
                    assert explained, f"{stack}/{resource.id} may {asked} on {statement['Resource']}"
                    seen.update(explained)
    assert seen == STARS.keys(), "an explanation that nothing needs"


def test_no_role_brings_a_managed_policy_but_lambdas_own_for_instances(each):
    brought = json.dumps([role.properties.get("ManagedPolicyArns", []) for role in each.all("AWS::IAM::Role")])
    found = {part for part in brought.replace('"', "/").split("/") if part.startswith("AWS") and "::" not in part}
    assert found == ({"AWSLambdaManagedEC2ResourceOperator"} if each.folder.name == "managed" else set())


def test_nothing_is_open_to_everybody(default, managed):
    for templates in (default, managed):
        assert templates.all("AWS::Lambda::Permission") == []
        for policy in templates.all("AWS::SNS::TopicPolicy"):
            statements = policy.properties["PolicyDocument"]["Statement"]
            assert [s["Effect"] for s in statements if s.get("Principal") == "*"] == ["Deny"]
