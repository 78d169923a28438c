"""A copy of what is deployed, in which an operator has edited the tool catalog."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:clock"
ONE_VERSION = "arn:aws:lambda:eu-west-1:123456789012:function:weather:live"
CALLERS_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:theirs"

CATALOG: dict[str, object] = {
    "web_search": {
        "description": "Searches the web.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
        "executor": {"type": "http", "method": "GET", "url": "https://api.search.example/v1/search{?query}"},
        "hosting": {
            "keyPrefix": "SEARCH_API_KEY",
            "header": {"name": "authorization", "prefix": "Bearer "},
            "byokProvider": "search",
            "pricing": {"type": "per_request", "cost": "0.005"},
            "rateLimit": {"mode": "per_request", "requestsPerMinute": 10},
        },
    },
    "clock": {"executor": {"type": "lambda", "function": FUNCTION}},
    "clock_of_old": {"executor": {"type": "lambda", "function": FUNCTION}},
    "weather": {"executor": {"type": "lambda", "function": ONE_VERSION}},
}
"""Two of its tools are run by the same function."""


def operators_copy(folder: Path, catalog: object) -> Path:
    """Copies to ``folder`` whatever a synthesis reads, with ``catalog`` (JSON, or any text) in its place."""
    for name in ("infra", "functions", "layers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "cdk.json", folder)
    (folder / ".cache").symlink_to(ROOT / ".cache")  # wheels that were fetched already
    text = catalog if isinstance(catalog, str) else json.dumps(catalog)
    (folder / "infra" / "tools" / "catalog.json").write_text(text)
    return folder
