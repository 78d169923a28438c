"""What a gateway is built of: the operator's tool catalog, read where the setting says, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyway.settings import SettingError, Settings
from keyway.wiring import Keyway

CLOCK = {"clock": {"executor": {"type": "lambda", "function": "arn:aws:lambda:us-east-1:123456789012:function:clock"}}}
SEARCH = {
    "search": {
        "executor": {"type": "http", "url": "https://api.search.example/v1"},
        "hosting": {
            "keyPrefix": "SEARCH_API_KEY",
            "header": {"name": "x-api-key"},
            "pricing": {"type": "per_request", "cost": "0.005"},
            "rateLimit": {"mode": "per_request", "requestsPerMinute": 10},
        },
    }
}


def built(**settings: str) -> Keyway:
    return Keyway(Settings.from_environment(settings))


def tools(**settings: str) -> list[str]:
    found = built(**settings).tools
    assert found is not None
    return list(found.catalog.tools)


def test_without_a_setting_there_are_no_tools():
    assert built().tools is None
    assert tools(TOOL_EXECUTORS="http") == []


def test_a_catalog_stands_in_the_setting_or_in_a_file(tmp_path: Path):
    file = tmp_path / "tools.json"
    file.write_text(json.dumps(CLOCK))
    assert tools(TOOL_CATALOG=json.dumps(CLOCK)) == ["clock"]
    assert tools(TOOL_CATALOG=str(file)) == ["clock"]
    assert tools(TOOL_CATALOG=json.dumps(SEARCH), TOOL_LIMITS_TABLE="t") == ["search"]


@pytest.mark.parametrize(
    ("catalog", "said"),
    [
        ("/nowhere/tools.json", "TOOL_CATALOG: the file cannot be read (FileNotFoundError)"),
        ("{", "TOOL_CATALOG: is not JSON (line 1, column 2)"),
        ('{"clock": {}}', "TOOL_CATALOG: clock.executor: is required"),
        (json.dumps(SEARCH), "TOOL_LIMITS_TABLE: is required, because TOOL_CATALOG limits how often search"),
    ],
)
def test_a_wrong_catalog_stops_the_start_and_names_the_place(catalog: str, said: str):
    with pytest.raises(SettingError) as raised:
        built(TOOL_CATALOG=catalog)
    assert str(raised.value).startswith(said)
