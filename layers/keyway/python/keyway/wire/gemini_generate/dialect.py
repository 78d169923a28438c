"""What sets one host of ``generateContent`` apart from another, as named flags filled from the provider's row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Dialect:
    """One host's variant. ``Dialect()`` is the Gemini API.

    Attributes:
        path: Where a model stands below the host's base URL. ``{model}`` is filled here. Any other placeholder
            (Vertex AI's ``{project}`` and ``{location}``) is left for whoever fills those of the base URL.
    """

    path: str = "/models/{model}"


def dialect(row: Mapping[str, Any]) -> Dialect:
    """The ``Dialect`` of a provider row's flags.

    Raises:
        ValueError: A flag is unknown, or the path is no text that holds ``{model}``.
    """
    known = [field.name for field in fields(Dialect)]
    for name, value in row.items():
        if name not in known:
            raise ValueError(f"gemini_generate has no dialect flag {name!r}; known are {', '.join(known)}")
        if not isinstance(value, str) or "{model}" not in value:
            raise ValueError(f"the gemini_generate dialect flag {name!r} must be text that holds {{model}}")
    return Dialect(**row)
