"""The tools of this machine: two that an operator's catalog has, and two that only requests bring.

``web_search`` is an HTTP API that is paid for by key (``search.py``), ``world_clock`` a Lambda function that costs
nothing (``lambda_functions.py``). ``word_count`` brings an executor, which the operator allows; ``ask_user`` is
nobody's to run here, so a call of it is handed back. The shape of a catalog is ``keyway/tools/catalog.py``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from infra.local.search import PATH

_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
CLOCK_FUNCTION = f"{_FUNCTION}keyway-local-clock"
"""Runs the catalog's ``world_clock``. No executor of a caller's may name it."""
COUNT_FUNCTION = f"{_FUNCTION}keyway-local-word-count"
"""Runs no tool of the catalog; a caller's own tool may name it as its executor."""

SEARCH_PROVIDER = "search"
"""Under which name a workspace stores a search key of its own."""

ASK_USER: Mapping[str, object] = {
    "id": "ask_user",
    "description": "Asks the user a question, when something is not clear.",
    "parameters": {
        "type": "object",
        "properties": {"question": {"type": "string", "description": "What to ask."}},
        "required": ["question"],
    },
}
"""A tool as a request carries it, without an executor: the caller runs it."""

WORD_COUNT: Mapping[str, object] = {
    "id": "word_count",
    "description": "Counts the words of a text.",
    "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    "executor": {"type": "lambda", "function": COUNT_FUNCTION},
}
"""A tool as a request carries it, with an executor that the operator allows."""


def catalog(search_url: str) -> dict[str, object]:
    """The operator's tools. ``search_url`` is where the search API is."""
    return {
        "web_search": {
            "name": "Web search",
            "description": "Searches the web and gives the first results.",
            "parameters": {
                "type": "object",
                "properties": {"query": {"type": "string", "description": "What to search for."}},
                "required": ["query"],
            },
            "executor": {"type": "http", "method": "GET", "url": f"{search_url}{PATH}{{?query}}"},
            "hosting": {
                "keyPrefix": "SEARCH_API_KEY",
                "header": {"name": "authorization", "prefix": "Bearer "},
                "byokProvider": SEARCH_PROVIDER,
                "pricing": {"type": "per_request", "cost": "0.005"},
                "rateLimit": {"mode": "per_request", "requestsPerMinute": 10, "burstMultiplier": 2},
            },
        },
        "world_clock": {
            "name": "World clock",
            "description": "Tells what time it is.",
            "parameters": {
                "type": "object",
                "properties": {"utcOffset": {"type": "number", "description": "Hours ahead of UTC, such as 5.5."}},
            },
            "executor": {"type": "lambda", "function": CLOCK_FUNCTION},
        },
    }


def clock(payload: Mapping[str, Any]) -> object:
    """What time it is. Raises ``ValueError`` for an offset that no place on Earth has."""
    hours = payload["arguments"].get("utcOffset", 0)
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not -12 <= hours <= 14:
        raise ValueError("utcOffset must be a number from -12 to 14")
    now = datetime.now(UTC).astimezone(timezone(timedelta(hours=hours)))
    return {"time": now.isoformat(timespec="seconds"), "weekday": f"{now:%A}"}


def count_words(payload: Mapping[str, Any]) -> object:
    """How many words the argument ``text`` has."""
    return {"words": len(str(payload["arguments"].get("text", "")).split())}


FUNCTIONS = {CLOCK_FUNCTION: clock, COUNT_FUNCTION: count_words}
"""What exists in Lambda, by ARN. What a tool's function is given is told in ``keyway/outside/lambda_tools.py``."""
