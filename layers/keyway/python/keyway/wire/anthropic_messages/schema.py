"""The caller's JSON Schema in the part of JSON Schema that the API can enforce, or as an instruction.

Source: Anthropic's documentation, "Structured outputs", "JSON Schema limitations". What cannot be enforced is not
dropped: it is moved into the description, where the model reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from keyway.chat import Json

_ENFORCED = frozenset({"type", "enum", "const", "default", "title", "description", "$ref", "required"})
_ENFORCED_VALUES: Mapping[str, tuple[object, ...]] = {
    "format": ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"),
    "minItems": (0, 1),
}
_SCHEMAS_BY_NAME = frozenset({"properties", "$defs", "definitions"})
_ALTERNATIVES = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
"""What each becomes. A schema with both ``anyOf`` and ``oneOf`` keeps the one it names first."""
_SILENT = frozenset({"$schema", "$id", "$comment"})
"""Without a meaning for the answer."""
_IMPLIED = (("additionalProperties", False), ("additionalProperties", True))
"""Not worth a note: every object is closed below, as the API requires."""


def enforceable(schema: Json) -> dict[str, object]:
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
        elif key not in _SILENT and (key, value) not in _IMPLIED:
            notes.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    if _is_object(schema):
        result["additionalProperties"] = False  # required, and nothing else is allowed
    if notes:
        said = schema.get("description")
        result["description"] = "\n".join([said, *notes] if isinstance(said, str) and said else notes)
    return result


def instruction(schema: Json) -> str:
    """Words that ask for ``schema`` of a model for which the API cannot enforce it."""
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return (
        "Answer with one JSON value that satisfies this JSON Schema, and with nothing else: no words before or after "
        f"it, and no code fence.\n{text}"
    )


def _sub(value: object) -> object:
    """A schema inside a schema; anything else (``true``, a type's name, a list of them) stays as it is."""
    return enforceable(value) if isinstance(value, Mapping) else value


def _is_object(schema: Json) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema
