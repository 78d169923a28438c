"""Every wire the registry knows offers all of the contract; mypy checks the shapes, this file's tests the names."""

from __future__ import annotations

import pytest

from keyway.wire import (
    anthropic_messages,
    bedrock_converse,
    gemini_generate,
    google_interactions,
    openai_chat,
    openai_responses,
    registry,
)
from keyway.wire.contract import Wire

ALL: dict[str, Wire] = {
    "anthropic_messages": anthropic_messages,
    "bedrock_converse": bedrock_converse,
    "gemini_generate": gemini_generate,
    "google_interactions": google_interactions,
    "openai_chat": openai_chat,
    "openai_responses": openai_responses,
}


@pytest.mark.parametrize("name", registry.WIRES)
def test_a_wire_is_found_by_its_name(name):
    assert registry.wire(name) == ALL[name]


def test_the_registry_knows_every_wire():
    assert set(registry.WIRES) == set(ALL)


def test_a_wire_that_does_not_exist_is_an_error_that_names_those_that_do():
    with pytest.raises(ValueError, match="unknown wire 'telex'; known are anthropic_messages"):
        registry.wire("telex")
