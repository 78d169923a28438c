"""Finds a wire by its name and imports it only then, so that a cold start loads one protocol, not all."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from keyway.wire.contract import Wire

WIRES = (
    "anthropic_messages",
    "bedrock_converse",
    "gemini_generate",
    "google_interactions",
    "openai_chat",
    "openai_responses",
)


@cache
def wire(name: str) -> Wire:
    """The wire called ``name``.

    Raises:
        ValueError: No such wire; the provider's row names one that does not exist.
    """
    if name not in WIRES:
        raise ValueError(f"unknown wire {name!r}; known are {', '.join(WIRES)}")
    return cast(Wire, import_module(f"keyway.wire.{name}"))
