"""What OpenAI's strict mode holds against a JSON Schema. Its guide "Structured model outputs" names the rules."""

from __future__ import annotations

from collections.abc import Mapping


def not_strict(schema: object, path: tuple[str, ...] = ()) -> str | None:
    """What strict mode holds against a JSON Schema: every object closed, every property required."""
    if not isinstance(schema, Mapping):
        return None
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, Mapping):
        properties = properties if isinstance(properties, Mapping) else {}
        if schema.get("additionalProperties") is not False:
            return f"In context={path}, 'additionalProperties' is required to be supplied and to be false."
        required = schema.get("required")
        if set(properties) != set(required if isinstance(required, list) else ()):
            said = "'required' is required to be supplied and to be an array including every key in properties."
            return f"In context={path}, {said}"
        for name, inner in properties.items():
            if problem := not_strict(inner, (*path, "properties", str(name))):
                return problem
    return not_strict(schema.get("items"), (*path, "items"))
