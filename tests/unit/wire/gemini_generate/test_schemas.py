"""A JSON Schema in the words of newer and of older models."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.wire.gemini_generate.openapi import openapi_schema
from keyway.wire.gemini_generate.schema import json_schema


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}, {"type": "object"}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"enum": ["a", "b"], "const": "a"}, {"enum": ["a", "b"], "const": "a"}),
        ({"properties": {"$schema": {"const": 1}}}, {"properties": {"$schema": {"enum": [1]}}}),
        ({"anyOf": [{"const": "a"}, {"$ref": "#/$defs/B"}]}, {"anyOf": [{"enum": ["a"]}, {"$ref": "#/$defs/B"}]}),
        ({"$defs": {"B": {"const": "b"}}}, {"$defs": {"B": {"enum": ["b"]}}}),
        ({"items": {"const": "a"}}, {"items": {"enum": ["a"]}}),
        ({"items": True, "additionalProperties": False}, {"items": True, "additionalProperties": False}),
    ],
)
def test_newer_models_read_json_schema_almost_as_it_is(schema: dict[str, Any], sent: dict[str, Any]) -> None:
    assert json_schema(schema) == sent


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        (
            {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}, "additionalProperties": False},
            {"type": "object", "properties": {"a": {"type": "string", "description": 'default: "x"'}}},
        ),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (
            {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "A number."},
            {"type": "integer", "nullable": True, "description": "A number."},
        ),
        (
            {"oneOf": [{"const": "a"}, {"type": "array", "items": {"type": "number"}}]},
            {"anyOf": [{"enum": ["a"]}, {"type": "array", "items": {"type": "number"}}]},
        ),
        ({"allOf": [{"type": "string"}], "title": "T"}, {"type": "string", "title": "T"}),
        (
            {"type": "integer", "enum": [1, 2], "exclusiveMinimum": 0, "description": "Few."},
            {"type": "integer", "description": "Few.\nenum: [1, 2]\nexclusiveMinimum: 0"},
        ),
        (
            {"type": "string", "format": "email"},
            {"type": "string", "description": 'format: "email"'},
        ),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "string", "format": ["email"]}, {"type": "string", "description": 'format: ["email"]'}),
        (
            {"properties": {"p": {"$ref": "#/$defs/P", "description": "Who."}}, "$defs": {"P": {"type": "string"}}},
            {"properties": {"p": {"type": "string", "description": "Who."}}},
        ),
        ({"$ref": "#/$defs/Nobody"}, {"type": "object"}),
    ],
)
def test_older_models_read_openapi_and_the_rest_in_the_description(
    schema: dict[str, Any], sent: dict[str, Any]
) -> None:
    assert openapi_schema(schema) == sent


def test_a_schema_that_contains_itself_ends_in_any_object() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}

    assert openapi_schema({"$ref": "#/$defs/Node", "$defs": {"Node": node}}) == {
        "type": "object",
        "properties": {"next": {"type": "object"}},
    }


def test_definitions_that_double_one_another_stay_small() -> None:
    doubling = {
        f"L{n}": {"type": "object", "properties": {side: {"$ref": f"#/$defs/L{n + 1}"} for side in ("l", "r")}}
        for n in range(60)
    }

    assert len(json.dumps(openapi_schema({"$ref": "#/$defs/L0", "$defs": doubling}))) < 1_000_000


KEYS = (
    "type", "properties", "items", "anyOf", "oneOf", "allOf", "enum", "const", "format", "$ref", "$defs", "default",
    "description", "required", "additionalProperties", "not", "minimum",
)  # fmt: skip
KNOWN = {
    "type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required",
    "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "anyOf", "propertyOrdering", "items",
    "minimum", "maximum",
}  # fmt: skip
SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["string", "null", "#/$defs/type", "x"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inside, max_size=5),
    max_leaves=12,
)


def _unknown_keys(schema: object) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    below = [*schema.get("anyOf", []), schema.get("items"), *schema.get("properties", {}).values()]
    return (set(schema) - KNOWN).union(*map(_unknown_keys, below))


@given(st.dictionaries(st.sampled_from(KEYS), SCHEMAS, max_size=6))
def test_no_schema_sends_an_older_model_a_key_it_refuses(schema: dict[str, Any]) -> None:
    before = json.dumps(schema)

    assert _unknown_keys(openapi_schema(schema)) == set()
    assert json.dumps(schema) == before
