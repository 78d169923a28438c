"""Deploy-time mistakes stop the synthesis with a message that names what is wrong."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from infra.constructs.flag_document import DOCUMENT, FlagDocumentError, flag_document
from infra.constructs.gateway_settings import gateway_settings
from infra.names import Names
from infra.options import KEYS, OptionError, Options
from keyway.settings import SettingError
from tests.infra.operators_copy import ROOT
from tests.infra.templates import app

CLOCK = "arn:aws:lambda:us-east-1:123456789012:function:clock"


def options(**context):
    return Options.from_context(context.get)


def test_without_a_word_everything_has_a_default():
    assert options() == Options()


def test_options_are_read_from_the_command_line_and_from_json_alike():
    text = options(memory="1024", snapStart="true", costMultiplier="1.10", reservedConcurrency="5", retain="false")
    value = options(memory=1024, snapStart=True, costMultiplier=1.1, reservedConcurrency=5, retain=False)
    assert text == value
    assert text.cost_multiplier == Decimal("1.1")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("stage", "Prod", "lower-case letters"),
        ("architecture", "arm", "must be one of arm64, x86_64"),
        ("shape", "instances", "must be one of functions, managed-instances"),
        ("memory", "lots", "a whole number from 128"),
        ("memory", 64, "a whole number from 128"),
        ("memory", True, "a whole number from 128"),
        ("snapStart", "yes", "true or false"),
        ("reservedConcurrency", "0", "a whole number from 1"),
        ("urlAuth", "IAM", "must be one of AWS_IAM, NONE"),
        ("costMultiplier", "two", "a decimal number"),
        ("costMultiplier", "NaN", "a decimal number"),
        ("costMultiplier", "-1", "a decimal number"),
        ("costMultiplier", True, "a decimal number"),
        ("providerBaseUrls", "openai", "a JSON object"),
        ("toolExecutors", "http,shell", "must be one of http, lambda"),
        ("toolExecutors", "http,", "must be one of http, lambda"),
        ("toolExecutors", True, "must be a list"),
        ("toolFunctions", "clock", "'clock' is not the ARN of a Lambda function, such as arn:aws:lambda:"),
        ("toolFunctions", f"{CLOCK},{CLOCK}:*", r":\*' is not the ARN"),
        ("toolFunctions", f'["{CLOCK}"', "must be a list"),
        ("toolFunctions", [CLOCK, 1], "must be a list"),
        ("toolFunctions", [f"{CLOCK}{number}" for number in range(60)], "are too many"),
        ("logRetentionDays", "31", "must be one of 1, 3, 5"),
        ("alarmEmail", "ops", "an e-mail address"),
    ],
)
def test_a_wrong_option_is_named(name, value, said):
    with pytest.raises(OptionError, match=f"^{name}: .*{said}"):
        options(**{name: value})


@pytest.mark.parametrize("beside", [{"snapStart": "true"}, {"reservedConcurrency": "5"}])
def test_what_managed_instances_do_not_have_is_refused(beside):
    with pytest.raises(OptionError, match=next(iter(beside))):
        options(shape="managed-instances", **beside)


@pytest.mark.parametrize(
    "functions", [f"{CLOCK}, {CLOCK}:live", f'["{CLOCK}", "{CLOCK}:live"]', [CLOCK, f"{CLOCK}:live"]]
)
def test_lists_are_read_with_commas_as_json_and_from_json(functions):
    chosen = options(toolExecutors="lambda,http,lambda", toolFunctions=functions)
    assert chosen.tool_executors == ("lambda", "http")
    assert chosen.tool_functions == (CLOCK, f"{CLOCK}:live")


@pytest.mark.parametrize("kinds", ["", "http"])
def test_functions_that_no_caller_could_use_are_refused(kinds):
    with pytest.raises(OptionError, match=r"^toolFunctions: .* toolExecutors has lambda"):
        options(toolExecutors=kinds, toolFunctions=CLOCK)


def test_every_option_is_told_of_and_nothing_else():
    table = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8").split("\n## Options\n")[1].split("\n## ")[0]
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", table)) == KEYS


def test_a_setting_the_gateway_would_refuse_is_refused_in_its_words():
    chosen = options(providerBaseUrls='{"openai": "llm.example.com"}')
    with pytest.raises(SettingError, match="PROVIDER_BASE_URLS: the base URL of 'openai' must start with http"):
        gateway_settings(Names("dev"), chosen)


def test_the_shipped_flag_document_is_good():
    assert json.loads(flag_document())["hosted-key-llm"] == {"default": False}
    assert DOCUMENT.exists()


RULE = {"when_match": True, "conditions": [{"action": "EQUALS", "key": "workspace_id", "value": "ws-1"}]}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "is not JSON"),
        ("[]", r"the document: \[\] is not of type 'object'"),
        ({}, "'hosted-key-llm' is a required property"),
        ({"hosted-key-llm": {"default": "off"}}, "hosted-key-llm.default: 'off' is not of type 'boolean'"),
        ({"hosted-key-llm": {"default": False, "rule": {}}}, "'rule' was unexpected"),
        (
            {"hosted-key-llm": {"default": False, "rules": {"one": {**RULE, "when_match": "yes"}}}},
            "hosted-key-llm.rules.one.when_match: 'yes' is not of type 'boolean'",
        ),
        (
            {
                "hosted-key-llm": {
                    "default": False,
                    "rules": {"one": {**RULE, "conditions": [{"action": "EQUALS", "key": "workspace", "value": "x"}]}},
                }
            },
            "rules.one.conditions.0.key: 'workspace' is not one of",
        ),
    ],
)
def test_a_flag_document_that_breaks_the_schema_is_refused_by_its_place(tmp_path, document, said):
    path = tmp_path / "feature-flags.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(FlagDocumentError, match=said):
        flag_document(path)


def test_a_rule_for_one_workspace_is_accepted(tmp_path):
    path = tmp_path / "feature-flags.json"
    path.write_text(json.dumps({"hosted-key-llm": {"default": False, "rules": {"ws-1 first": RULE}}}))
    assert "ws-1" in flag_document(path)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("costMultiplier=two", "keyway: costMultiplier: must be a decimal number"),
        ("costMultiplyer=2", "keyway: costMultiplyer: no such option"),
        (f"toolFunctions={CLOCK}", "keyway: toolFunctions: callers' tools may be run by these only where"),
        ("prod", "usage: python -m infra.app"),
    ],
)
def test_the_command_says_so_without_a_traceback(tmp_path, option, said):
    done = app(option, out=tmp_path / "out")
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("out/*.template.json"))
