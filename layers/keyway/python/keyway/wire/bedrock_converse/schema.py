"""A JSON Schema in the part of JSON Schema that Bedrock can enforce, or as an instruction.

Source: Amazon Bedrock user guide, "Structured outputs", "JSON Schema support". What cannot be enforced is not
dropped: it is moved into the description, where the model reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from keyway.chat import Json, ResponseFormat

_ENFORCED = frozenset({"type", "enum", "const", "default", "title", "description", "$ref", "required"})
_ENFORCED_VALUES: Mapping[str, tuple[object, ...]] = {
    "format": ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"),
    "minItems": (0, 1),
}
_SCHEMAS_BY_NAME = frozenset({"properties", "$defs", "definitions"})
_ALTERNATIVES = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
"""What each becomes. A schema with both ``anyOf`` and ``oneOf`` keeps the one it names first."""
_SILENT = frozenset({"$schema", "$id", "$comment", "additionalProperties"})
"""Without a meaning for the answer, or decided here: every object is closed, as the API requires."""


def text_format(response_format: ResponseFormat) -> Json:
    """The ``textFormat`` that holds an answer to ``response_format``. The API takes the schema as a string."""
    schema = json.dumps(_enforceable(response_format.json_schema), ensure_ascii=False)
    return {
        "type": "json_schema",
        "structure": {"jsonSchema": {"name": response_format.name, "schema": schema}},
    }


def instruction(schema: Json) -> str:
    """Words that ask for ``schema`` of a model for which the API cannot enforce it."""
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return (
        "Answer with one JSON value that satisfies this JSON Schema, and with nothing else: no words before or after "
        f"it, and no code fence.\n{text}"
    )


def _enforceable(schema: Json) -> dict[str, object]:
    """A copy of ``schema`` that the API accepts. It is never looser than the API can be made to be."""
    result: dict[str, object] = {}
    notes: list[str] = []
    for key, value in schema.items():
        if key in _SCHEMAS_BY_NAME and isinstance(value, Mapping):
            result[key] = {name: _sub(part) for name, part in value.items()}
        elif key in _ALTERNATIVES and isinstance(value, list) and _ALTERNATIVES[key] not in result:
            result[_ALTERNATIVES[key]] = [_sub(part) for part in value]
        elif key == "items":
            result[key] = _sub(value)
        elif key in _ENFORCED or value in _ENFORCED_VALUES.get(key, ()):
            result[key] = value
        elif key not in _SILENT or isinstance(value, Mapping):
            notes.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    kind = schema.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema:
        result["additionalProperties"] = False
    if notes:
        said = schema.get("description")
        result["description"] = "\n".join([said, *notes] if isinstance(said, str) and said else notes)
    return result


def _sub(value: object) -> object:
    """A schema inside a schema; anything else (``true``, a type's name, a list of them) stays as it is."""
    return _enforceable(value) if isinstance(value, Mapping) else value
