"""A caller's JSON Schema as OpenAI's strict mode wants it: closed objects, every key required.

Source: OpenAI's guide "Structured model outputs", "Supported schemas". Every answer that fits the strict schema
also fits the caller's. Keywords that strict mode does not know are left for the provider to judge.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyway.chat import Json
from keyway.errors import InvalidRequest

_ONE = ("items", "not", "if", "then", "else")
_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "$defs", "definitions")


def strict(schema: Json, *, where: str) -> dict[str, object]:
    """A strict copy of ``schema``; the original is left as it is.

    Raises:
        InvalidRequest: An object takes keys of any name (``additionalProperties`` is a schema). Strict mode has no
            such thing, and an always empty object is not what was meant. Names the place below ``where``.
    """
    result = dict(schema)
    for key in _ONE:
        if isinstance(below := schema.get(key), Mapping):
            result[key] = strict(below, where=f"{where}.{key}")
    for key in _MANY:
        if isinstance(below := schema.get(key), list):
            result[key] = [_strict_or_same(each, f"{where}.{key}[{i}]") for i, each in enumerate(below)]
    for key in _NAMED:
        if isinstance(below := schema.get(key), Mapping):
            result[key] = {name: _strict_or_same(each, f"{where}.{key}.{name}") for name, each in below.items()}
    if _is_object(schema):
        if isinstance(schema.get("additionalProperties"), Mapping) and schema["additionalProperties"]:
            raise InvalidRequest(
                f"{where}.additionalProperties: a strict schema cannot have keys of any name. "
                "Name the keys under properties, or set strict to false."
            )
        properties = result.setdefault("properties", {})
        result["additionalProperties"] = False
        result["required"] = list(properties) if isinstance(properties, Mapping) else []
    return result


def _strict_or_same(schema: object, where: str) -> object:
    return strict(schema, where=where) if isinstance(schema, Mapping) else schema


def _is_object(schema: Json) -> bool:
    kind = schema.get("type")
    return kind == "object" or "properties" in schema or (isinstance(kind, list) and "object" in kind)
