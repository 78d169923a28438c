"""What sets one host of the Interactions API apart from another, as named flags filled from the provider's row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Dialect:
    """One host's variant. ``Dialect()`` is the Gemini API.

    Attributes:
        path: Where interactions are created, below the host's base URL. Placeholders are left as they are.
        revision: The ``Api-Revision`` header, which names the shape of requests and answers.
    """

    path: str = "/interactions"
    revision: str = "2026-05-20"


def dialect(row: Mapping[str, Any]) -> Dialect:
    """The ``Dialect`` of a provider row's flags.

    Raises:
        ValueError: A flag is unknown, or is not text.
    """
    known = [field.name for field in fields(Dialect)]
    for name, value in row.items():
        if name not in known:
            raise ValueError(f"google_interactions has no dialect flag {name!r}; known are {', '.join(known)}")
        if not isinstance(value, str) or not value:
            raise ValueError(f"the google_interactions dialect flag {name!r} must be text")
    return Dialect(**row)
