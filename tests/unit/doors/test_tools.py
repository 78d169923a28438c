"""``GET /v1/tools``: what callers may name, what it costs, and nothing of how it is run."""

from __future__ import annotations

import json

from keyway.doors.tools import tools_json
from keyway.tools.catalog import ToolCatalog

CATALOG = {
    "search": {
        "name": "Search",
        "description": "Searches.",
        "parameters": {"type": "object", "properties": {"q": {}, "apiKey": {}}, "required": ["q", "apiKey"]},
        "executor": {"type": "http", "url": "https://api.internal.example/v1"},
        "hosting": {
            "keyPrefix": "SEARCH_API_KEY",
            "byokProvider": "search",
            "pricing": {"type": "per_request", "cost": "0.005"},
            "rateLimit": {"mode": "per_request", "requestsPerMinute": 10},
        },
    },
    "clock": {"executor": {"type": "lambda", "function": "arn:aws:lambda:us-east-1:123456789012:function:clock"}},
}


def test_the_list_says_what_a_caller_needs_and_no_more():
    told = tools_json(ToolCatalog.read(json.dumps(CATALOG)))
    assert told == {
        "object": "list",
        "data": [
            {
                "id": "search",
                "object": "tool",
                "name": "Search",
                "description": "Searches.",
                "parameters": {"type": "object", "properties": {"q": {}}, "required": ["q"]},
                "hosting": {
                    "apiKeyParam": "apiKey",
                    "byokProvider": "search",
                    "pricing": {"type": "per_request", "cost": 0.005},
                    "rateLimit": {"mode": "per_request", "requestsPerMinute": 10, "burstMultiplier": 2.0},
                },
            },
            {
                "id": "clock",
                "object": "tool",
                "name": "",
                "description": "",
                "parameters": {"type": "object", "properties": {}},
                "hosting": None,
            },
        ],
    }
    assert json.dumps(told)
    for hidden in ("internal", "SEARCH_API_KEY", "arn:"):
        assert hidden not in json.dumps(told)
