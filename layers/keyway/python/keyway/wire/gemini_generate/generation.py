"""Which generation a model is of: the API is one, but what it accepts differs by generation.

Read from the id, so that the next model of a known family needs no row and no code. Source: Google's guides
"Gemini 3", "Thinking", "Function calling" and "Structured outputs".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from keyway.capabilities import Model

_NUMBERED = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?![\d.])")
_NEWEST = re.compile(r"gemini-[a-z-]*latest$")
"""Aliases such as ``gemini-flash-latest``."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What a model's generation can do.

    Attributes:
        json_schema: 2.5 and later read JSON Schema; older models read OpenAPI's ``Schema`` object, a small part of it.
        is_3: 3 and later think by level instead of by budget, fill a schema although tools are offered, take files
            inside a tool's result, and refuse a function call that comes back without its thought signature.
    """

    json_schema: bool
    is_3: bool


def generation(model: Model) -> Generation:
    """The generation of ``model``. An id that says nothing (a tuned model, another family) counts as old."""
    name = model.sent_as.lower()
    if _NEWEST.search(name):
        return Generation(json_schema=True, is_3=True)
    number = _NUMBERED.search(name)
    version = (int(number[1]), int(number[2] or 0)) if number else (0, 0)
    return Generation(json_schema=version >= (2, 5), is_3=version >= (3, 0))
