"""The caller's JSON Schema for models that read JSON Schema (2.5 and later).

It goes into ``parametersJsonSchema`` and ``responseJsonSchema``. What older models read is ``openapi.py``. Source:
Google's reference, "GenerationConfig", ``responseJsonSchema``.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyway.chat import Json


def json_schema(schema: Json) -> dict[str, object]:
    """A copy of ``schema`` for models that read JSON Schema, in the words that their part of it has.

    A ``const`` is an ``enum`` of one; the dialect's name is of no interest to them.
    """
    result: dict[str, object] = {}
    for key, value in schema.items():
        if key == "const" and "enum" not in schema:
            result["enum"] = [value]
        elif key in ("properties", "$defs", "definitions") and isinstance(value, Mapping):
            result[key] = {name: _json_schema(part) for name, part in value.items()}
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems") and isinstance(value, list):
            result[key] = [_json_schema(part) for part in value]
        elif key in ("items", "additionalProperties"):
            result[key] = _json_schema(value)
        elif key != "$schema":
            result[key] = value
    return result


def _json_schema(value: object) -> object:
    """A schema inside a schema; anything else (``true``, say) stays as it is."""
    return json_schema(value) if isinstance(value, Mapping) else value
