from __future__ import annotations

from typing import Any

import pytest

from keyway.wire.anthropic_messages.schema import enforceable


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"type": "object"}, {"type": "object", "additionalProperties": False}),
        (
            {"type": ["object", "null"], "additionalProperties": True},
            {"type": ["object", "null"], "additionalProperties": False},
        ),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            {
                "type": "object",
                "additionalProperties": False,
                "description": 'additionalProperties: {"type": "string"}',
            },
        ),
        (
            {"type": "string", "description": "A name.", "minLength": 1, "pattern": "^é"},
            {"type": "string", "description": 'A name.\nminLength: 1\npattern: "^é"'},
        ),
        ({"type": "integer", "minimum": 0}, {"type": "integer", "description": "minimum: 0"}),
        ({"oneOf": [{"type": "string"}, True]}, {"anyOf": [{"type": "string"}, True]}),
        (
            {"anyOf": [{"type": "string"}], "oneOf": [{"const": "a"}]},
            {"anyOf": [{"type": "string"}], "description": 'oneOf: [{"const": "a"}]'},
        ),
        (
            {"type": "array", "items": {"type": "object"}, "minItems": 1},
            {"type": "array", "items": {"type": "object", "additionalProperties": False}, "minItems": 1},
        ),
        (
            {"type": "array", "minItems": 2, "uniqueItems": True},
            {"type": "array", "description": "minItems: 2\nuniqueItems: true"},
        ),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "string", "format": "isbn"}, {"type": "string", "description": 'format: "isbn"'}),
        ({"const": {"type": "object"}}, {"const": {"type": "object"}}),
        (
            {"$schema": "x", "$ref": "#/$defs/a", "$defs": {"a": {"type": "integer", "maximum": 3}}},
            {"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer", "description": "maximum: 3"}}},
        ),
        (
            {"properties": {"minimum": {"type": "integer"}}},
            {"properties": {"minimum": {"type": "integer"}}, "additionalProperties": False},
        ),
    ],
)
def test_a_schema_keeps_what_is_enforced_and_tells_the_rest(given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert enforceable(given) == sent


def test_the_callers_schema_is_left_alone() -> None:
    given: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "object"}}}

    enforceable(given)

    assert given == {"type": "object", "properties": {"a": {"type": "object"}}}
