"""A name that stands in a template, and the argument that takes its place: as text, as JSON, or refused by name. Pure.

What an argument holds may be a secret or somebody's text, so it is told by its name alone. Where a name may stand is
``uri_template.py`` for URLs, and ``template.py`` for headers and bodies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class TemplateError(ValueError):
    """The arguments do not fill the template. The message names the argument, and never quotes its value."""


def text_of(name: str, value: object) -> str:
    """The argument ``name`` inside a longer text: text as it is, and anything else as JSON.

    Raises:
        TemplateError: It is neither.
    """
    return value if isinstance(value, str) else json_of(value, f"the argument {name} is")


def json_of(value: object, subject: str) -> str:
    """``value`` as JSON.

    Args:
        subject: What it is, as the beginning of a sentence: ``the argument query is``.

    Raises:
        TemplateError: It cannot be written as JSON.
    """
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise TemplateError(f"{subject} not JSON") from None


def named(names: Iterable[str]) -> str:
    """The arguments called ``names``, each once, as the subject of a sentence."""
    each = list(dict.fromkeys(names))
    if not each:
        return "the template itself"
    return f"the argument{'s' if len(each) > 1 else ''} {' and '.join(each)}"
