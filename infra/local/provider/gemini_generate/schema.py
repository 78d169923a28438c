"""Which words of a schema ``parameters`` and ``responseSchema`` know: those of OpenAPI's ``Schema`` object, no more.

Source: Google's reference, "Schema". Older models also refuse ``default``, which the newest list of fields has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_KNOWN = frozenset(
    {
        "anyOf", "description", "enum", "example", "format", "items", "maxItems", "maxLength", "maxProperties",
        "maximum", "minItems", "minLength", "minProperties", "minimum", "nullable", "pattern", "properties",
        "propertyOrdering", "required", "title", "type",
    }
)  # fmt: skip
_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})


def unknown_to_openapi(schema: Mapping[str, object], where: str) -> Iterator[str]:
    """What the API says to ``schema``, which stands at ``where``."""
    for name in schema:
        if name not in _KNOWN:
            yield f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field."
    kind = schema.get("type", "object")
    if not isinstance(kind, str):
        said = "Proto field is not repeating, cannot start list."
        yield f"Invalid JSON payload received. Unknown name \"type\" at '{where}': {said}"
    elif kind.lower() not in _TYPES:
        yield f"Invalid value at '{where}.type' (Type), \"{kind}\""
    for inner, place in _inside(schema):
        if isinstance(inner, Mapping):
            yield from unknown_to_openapi(inner, f"{where}.{place}")


def _inside(schema: Mapping[str, object]) -> Iterator[tuple[object, str]]:
    properties, alternatives = schema.get("properties"), schema.get("anyOf")
    if isinstance(properties, Mapping):
        yield from ((inner, f"properties[{index}].value") for index, inner in enumerate(properties.values()))
    if isinstance(alternatives, list):
        yield from ((inner, f"any_of[{index}]") for index, inner in enumerate(alternatives))
    yield schema.get("items"), "items"
