"""What sets one host of the Responses API apart from another, as named flags filled from the provider's row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Dialect:
    """One host's variant. ``Dialect()`` is OpenAI itself.

    Attributes:
        path: Where responses are created, below the host's base URL.
        encrypted_reasoning: The host hands out a model's reasoning encrypted when asked, so that it can be replayed
            although nothing is stored. A host that shows its reasoning in the open needs no asking.
        schema_waits_for_tools: A schema is not asked for beside tools but in a closing request without them. Azure's
            models stop calling tools when both are asked for (so the reference holds it back there).
    """

    path: str = "/responses"
    encrypted_reasoning: bool = True
    schema_waits_for_tools: bool = False


def dialect(row: Mapping[str, Any]) -> Dialect:
    """The ``Dialect`` of a provider row's flags.

    Raises:
        ValueError: A flag is unknown, or its value is of the wrong type.
    """
    known = {field.name: type(field.default) for field in fields(Dialect)}
    for name, value in row.items():
        if name not in known:
            raise ValueError(f"openai_responses has no dialect flag {name!r}; known are {', '.join(known)}")
        if type(value) is not known[name]:
            raise ValueError(f"the openai_responses dialect flag {name!r} must be a {known[name].__name__}")
    return Dialect(**row)
