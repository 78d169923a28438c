"""What sets one host of the Messages API apart from another, as named flags filled from the provider's row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Dialect:
    """One host's variant.

    Attributes:
        path: Where messages are posted, below the host's base URL.
        version: The ``anthropic-version`` header. Later versions than the default refuse any ``temperature``.
    """

    path: str = "/v1/messages"
    version: str = "2023-06-01"


def dialect(row: Mapping[str, Any]) -> Dialect:
    """The ``Dialect`` of a provider row's flags; ``{}`` is Anthropic itself.

    Raises:
        ValueError: A flag is unknown, or is not text.
    """
    known = [field.name for field in fields(Dialect)]
    for name, value in row.items():
        if name not in known:
            raise ValueError(f"anthropic_messages has no dialect flag {name!r}; known are {', '.join(known)}")
        if not isinstance(value, str) or not value:
            raise ValueError(f"the anthropic_messages dialect flag {name!r} must be text")
    return Dialect(**row)
