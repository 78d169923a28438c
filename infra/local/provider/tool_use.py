"""Which of the tools it is offered a scripted model calls by itself, and with what: those that the user names.

"Use web_search to find out what a gateway is" calls ``web_search``. What it says once they have answered is
``smalltalk.py``'s; how tools are offered is each protocol's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from infra.local.provider.protocol import Json, Offered
from infra.local.provider.script import Call


def calls(asked: str, offered: Iterable[Offered]) -> list[Call]:
    """One call of each offered tool whose name stands in ``asked``, in the order of the offer."""
    return [Call(tool.name, dict(_arguments(tool.parameters, asked))) for tool in offered if _named(tool.name, asked)]


def _named(name: str, asked: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", asked) is not None


def _arguments(schema: Json, asked: str) -> Iterator[tuple[str, object]]:
    """What the model makes of a schema: it asks for what it was asked, and knows one number."""
    properties = schema.get("properties")
    for name, wanted in properties.items() if isinstance(properties, Mapping) else ():
        if not isinstance(wanted, Mapping):
            continue
        choices = wanted.get("enum")
        match _type(wanted):
            case "string" if isinstance(choices, list) and choices:
                yield name, choices[0]
            case "string":
                yield name, asked
            case "number" | "integer":
                yield name, 1
            case "boolean":
                yield name, True


def _type(schema: Json) -> str | None:
    """The first of its types that is not null. OpenAPI, as Gemini reads it, may write them in capitals."""
    given = schema.get("type")
    named = given if isinstance(given, list) else [given]
    return next((one.lower() for one in named if isinstance(one, str) and one.lower() != "null"), None)
