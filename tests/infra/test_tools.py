"""The operator's tools as they are deployed: checked, packaged, and run with no more rights than they need."""

from __future__ import annotations

import json
import re

import pytest

from infra.constructs.tool_catalog import tool_catalog
from keyway.settings import Settings
from keyway.tools.catalog import ToolCatalog, ToolCatalogError
from keyway.wiring import Keyway
from tests.infra.operators_copy import CALLERS_FUNCTION, CATALOG, FUNCTION, ONE_VERSION, ROOT, operators_copy
from tests.infra.templates import app, listed

LAMBDA, TABLE = "AWS::Lambda::Function", "AWS::DynamoDB::Table"
BOTH = ("gateway", "workspace-keys")


def function(templates, name):
    return templates.one(LAMBDA, FunctionName=f"keyway-dev-{name}")


def variables(templates, name):
    return function(templates, name).properties["Environment"]["Variables"]


def granted(templates, name):
    """What the function's role may do: pairs of an action and a resource."""
    role = function(templates, name).properties["Role"]["Fn::GetAtt"][0]
    return {
        (action, json.dumps(resource))
        for statement in templates.statements(role)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def invoked(templates, name):
    return {json.loads(resource) for action, resource in granted(templates, name) if action == "lambda:InvokeFunction"}


def test_the_gateway_may_invoke_the_functions_of_tools_as_they_are_written_and_nothing_else(tooled):
    assert invoked(tooled, "gateway") == {FUNCTION, ONE_VERSION, CALLERS_FUNCTION}


def test_without_functions_it_may_invoke_none(default):
    assert not invoked(default, "gateway")


def test_the_workspace_keys_function_runs_no_tool_and_counts_nothing(tooled):
    assert not invoked(tooled, "workspace-keys")
    limits = tooled.one(TABLE, TableName="keyway-dev-tool-limits").id
    assert not [resource for _, resource in granted(tooled, "workspace-keys") if limits in resource]


def test_the_gateway_may_do_to_the_table_of_limits_what_its_code_does_and_no_more(tooled):
    code = (ROOT / "layers/keyway/python/keyway/outside/tool_limits.py").read_text()
    done = {f"dynamodb:{name.title().replace('_', '')}" for name in re.findall(r"\bclient\.(\w+)\(", code)}
    limits = tooled.one(TABLE, TableName="keyway-dev-tool-limits").id
    assert {action for action, resource in granted(tooled, "gateway") if limits in resource} == done
    assert done == {"dynamodb:GetItem", "dynamodb:PutItem"}


def test_counts_leave_by_themselves_and_with_their_stack(each):
    stage = "prod" if each.folder.name == "turned" else "dev"
    table = each.one(TABLE, "Gateway", TableName=f"keyway-{stage}-tool-limits")
    assert table.properties["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table.properties["AttributeDefinitions"] == [{"AttributeName": "id", "AttributeType": "S"}]
    assert table.properties["TimeToLiveSpecification"] == {"AttributeName": "expiration", "Enabled": True}
    assert table.properties["BillingMode"] == "PAY_PER_REQUEST"
    assert "PointInTimeRecoverySpecification" not in table.properties
    assert table.whole["DeletionPolicy"] == "Delete"


def test_the_gateway_is_told_of_its_tools(tooled):
    told = {name: value for name, value in variables(tooled, "gateway").items() if name.startswith("TOOL_")}
    assert told == {
        "TOOL_CATALOG": "/var/task/tool_catalog.json",
        "TOOL_EXECUTORS": "http,lambda",
        "TOOL_FUNCTIONS": f"{CALLERS_FUNCTION},{FUNCTION}",
        "TOOL_LIMITS_TABLE": "keyway-dev-tool-limits",
    }


def test_callers_may_bring_no_tool_unless_the_operator_says_so(default):
    assert variables(default, "gateway").keys().isdisjoint({"TOOL_EXECUTORS", "TOOL_FUNCTIONS"})


def test_the_workspace_keys_function_is_told_of_the_catalog_and_of_no_tool_it_might_run(tooled):
    told = {name: value for name, value in variables(tooled, "workspace-keys").items() if name.startswith("TOOL_")}
    assert told == {"TOOL_CATALOG": "/var/task/tool_catalog.json", "TOOL_LIMITS_TABLE": "keyway-dev-tool-limits"}


@pytest.mark.parametrize("name", BOTH)
def test_each_function_starts_with_what_it_is_told(tooled, name):
    """A catalog with limits, say, is refused by a function that is not told of the table that counts them."""
    packaged = tooled.folder / function(tooled, name).whole["Metadata"]["aws:asset:path"] / "tool_catalog.json"
    told = {**variables(tooled, name), "TOOL_CATALOG": str(packaged)}
    tools = Keyway(Settings.from_environment(told)).tools
    assert tools is not None
    assert tools.catalog.limited == ("web_search",)


@pytest.mark.parametrize("name", BOTH)
def test_the_catalog_is_where_the_function_is_told_it_is(tooled, name):
    packaged = tooled.folder / function(tooled, name).whole["Metadata"]["aws:asset:path"]
    catalog = (packaged / "tool_catalog.json").read_text()
    assert json.loads(catalog) == CATALOG
    assert ToolCatalog.read(catalog) == tool_catalog(packaged / "tool_catalog.json")


@pytest.mark.parametrize("name", BOTH)
def test_another_catalog_is_another_version_of_the_function(default, tooled, name):
    code = [function(templates, name).properties["Code"]["S3Key"] for templates in (default, tooled)]
    assert code[0] != code[1]


def test_the_shipped_catalog_is_good():
    assert isinstance(tool_catalog(), ToolCatalog)


def test_the_tools_of_the_guide_are_good():
    guide = (ROOT / "docs" / "deploy.md").read_text()
    (search,) = re.findall(r'^    \{\n      "web_search".*?^    \}$', guide, re.MULTILINE | re.DOTALL)
    (clock,) = re.findall(r'^    ("clock": .*)$', guide, re.MULTILINE)
    assert ToolCatalog.read(search).limited == ("web_search",)
    assert ToolCatalog.read(f"{{{clock}}}").functions == (FUNCTION,)


CLOCK = {"executor": {"type": "lambda", "function": FUNCTION}}
HOSTING = {"keyPrefix": "CLOCK_KEY", "pricing": {"type": "custom", "cost": "0.01 * count(response.hours)"}}


@pytest.mark.parametrize(
    ("catalog", "said"),
    [
        ('{\n"clock": }', r"is not JSON \(line 2, column 10\)"),
        ([], "must be a JSON object"),
        ({"the clock": CLOCK}, "'the clock': "),
        ({"clock": {}}, "clock.executor: is required"),
        ({"clock": {**CLOCK, "hosted": HOSTING}}, "clock.hosted: is not a known field"),
        ({"clock": {"executor": {"type": "lambda", "function": "clock"}}}, "clock.executor.*function: "),
        ({"clock": {**CLOCK, "hosting": {**HOSTING, "keyPrefix": "clock"}}}, "clock.hosting.keyPrefix: "),
        (
            {"clock": {**CLOCK, "hosting": {**HOSTING, "pricing": {"type": "custom", "cost": "1 +"}}}},
            "clock.hosting.pricing.*cost: ",
        ),
    ],
)
def test_a_wrong_catalog_is_refused_by_its_file_and_place(tmp_path, catalog, said):
    path = tmp_path / "catalog.json"
    path.write_text(catalog if isinstance(catalog, str) else json.dumps(catalog))
    with pytest.raises(ToolCatalogError, match=f"^{path}: {said}"):
        tool_catalog(path)


def test_a_catalog_that_cannot_be_read_is_refused_by_its_file(tmp_path):
    path = tmp_path / "catalog.json"
    with pytest.raises(ToolCatalogError, match=f"^{path}: cannot be read"):
        tool_catalog(path)
    path.write_bytes('{"uhr": "Zürich"}'.encode("latin-1"))
    with pytest.raises(ToolCatalogError, match=f"^{path}: is not UTF-8"):
        tool_catalog(path)


def test_a_wrong_catalog_stops_the_synthesis_without_a_traceback(tmp_path):
    copy = operators_copy(tmp_path / "copy", {"clock": {"executor": {"type": "lambda"}}})
    done = app(out=tmp_path / "out", root=copy)
    assert done.returncode != 0
    assert f"keyway: {copy}/infra/tools/catalog.json: clock.executor" in done.stderr
    assert "is required" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("out/*.template.json"))


def test_a_tool_that_fails_takes_no_flag_back(default, tooled):
    def query(templates):
        alarm = templates.one("AWS::CloudWatch::Alarm", AlarmName="keyway-dev-flag-rollout")
        (metric,) = alarm.properties["Metrics"]
        return metric["Expression"]

    assert "Tool" not in query(default)
    for tool in CATALOG:
        assert f"AND Tool != '{tool}'" in query(tooled)
