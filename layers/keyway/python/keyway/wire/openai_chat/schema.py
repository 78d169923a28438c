"""A caller's JSON Schema closed for strict mode: no further keys, every key required.

Source: OpenAI's guide "Structured model outputs", "Supported schemas". Every answer that fits the closed schema also
fits the caller's. Keywords that strict mode does not know are left for the provider to judge.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyway.chat import Json
from keyway.errors import InvalidRequest

_BELOW = ("items", "not", "if", "then", "else")
_LISTS_BELOW = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED_BELOW = ("properties", "$defs", "definitions")


def closed(schema: Json, *, where: str) -> dict[str, object]:
    """A closed copy of ``schema``.

    Raises:
        InvalidRequest: An object takes keys of any name, which strict mode does not have. Names the place.
    """
    result = dict(schema)
    for key, value in schema.items():
        if key in _BELOW:
            result[key] = _closed_or_same(value, f"{where}.{key}")
        elif key in _LISTS_BELOW and isinstance(value, list):
            result[key] = [_closed_or_same(each, f"{where}.{key}[{i}]") for i, each in enumerate(value)]
        elif key in _NAMED_BELOW and isinstance(value, Mapping):
            result[key] = {name: _closed_or_same(each, f"{where}.{key}.{name}") for name, each in value.items()}
    if not _is_object(schema):
        return result
    if isinstance(further := schema.get("additionalProperties"), Mapping) and further:
        raise InvalidRequest(
            f"{where}.additionalProperties: a strict schema cannot have keys of any name. "
            "Name the keys under properties, or set strict to false."
        )
    properties = result.setdefault("properties", {})
    result["additionalProperties"] = False
    result["required"] = list(properties) if isinstance(properties, Mapping) else []
    return result


def _closed_or_same(schema: object, where: str) -> object:
    return closed(schema, where=where) if isinstance(schema, Mapping) else schema


def _is_object(schema: Json) -> bool:
    kind = schema.get("type")
    return kind == "object" or "properties" in schema or (isinstance(kind, list) and "object" in kind)
