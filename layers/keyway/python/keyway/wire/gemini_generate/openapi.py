"""The caller's JSON Schema in the part of OpenAPI's ``Schema`` object that models before 2.5 read.

It goes into ``parameters`` and ``responseSchema``, and the API refuses every key it does not know. What the object
cannot say is not dropped: it is moved into the description, where the model reads it. References are written
out. Source: Google's reference, "Schema".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias

from keyway.chat import Json

_SILENT = frozenset({"$schema", "$id", "$comment", "$defs", "definitions", "additionalProperties", "examples"})
"""Without a meaning for the answer, or without a way to say it."""
_FORMATS = frozenset({"date-time", "enum", "float", "double", "int32", "int64"})
_MOST_REFERENCES = 1_000
"""References that are written out; definitions that use one another twice grow without end."""

_Result: TypeAlias = dict[str, object]


def openapi_schema(schema: Json) -> dict[str, object]:
    """A copy of ``schema`` for older models. A reference that leads back to itself becomes any object."""
    definitions = {
        f"#/{place}/{name}": part
        for place in ("$defs", "definitions")
        if isinstance(named := schema.get(place), Mapping)
        for name, part in named.items()
    }
    return _Writer(definitions).written(schema)


class _Writer:
    """Writes one schema. Each key has a method that says whether it could be said."""

    def __init__(self, definitions: Mapping[str, object]) -> None:
        self._definitions = definitions
        self._inside: list[str] = []
        self._references = 0

    def written(self, value: object) -> _Result:
        """``value`` as a ``Schema``. What is no schema with keys (``true``, say) allows anything and says nothing."""
        if not isinstance(value, Mapping):
            return {}
        if isinstance(reference := value.get("$ref"), str):
            return self._referred(reference, value)
        result: _Result = {}
        notes = [
            f"{key}: {json.dumps(part, ensure_ascii=False)}"
            for key, part in value.items()
            if key not in _SILENT and not self._said(result, key, part)
        ]
        if notes:
            words = result.get("description")
            result["description"] = "\n".join([words, *notes] if isinstance(words, str) and words else notes)
        return result

    def _referred(self, reference: str, value: Json) -> _Result:
        meant = self._definitions.get(reference)
        self._references += 1
        if not isinstance(meant, Mapping) or reference in self._inside or self._references > _MOST_REFERENCES:
            return {"type": "object"}
        self._inside.append(reference)
        result = self.written({**meant, **{key: part for key, part in value.items() if key != "$ref"}})
        self._inside.pop()
        return result

    def _said(self, result: _Result, key: str, value: object) -> bool:
        say = self._KEYS.get(key)
        return say is not None and say(self, result, key, value)

    def _same(self, result: _Result, key: str, value: object) -> bool:
        result[key] = value
        return True

    def _properties(self, result: _Result, key: str, value: object) -> bool:
        if isinstance(value, Mapping):
            result[key] = {name: self.written(part) for name, part in value.items()}
        return isinstance(value, Mapping)

    def _items(self, result: _Result, key: str, value: object) -> bool:
        if isinstance(value, Mapping):
            result[key] = self.written(value)
        return isinstance(value, Mapping)

    def _any_of(self, result: _Result, _key: str, value: object) -> bool:
        """Alternatives, of which null is a property of the others. There is room for one list of them."""
        if not isinstance(value, list) or "anyOf" in result:
            return False
        options = [self.written(part) for part in value]
        rest = [option for option in options if option.get("type") != "null"]
        if len(rest) < len(options):
            result["nullable"] = True
        if len(rest) == 1:
            result.update({**rest[0], **result})
        else:
            result["anyOf"] = rest
        return True

    def _all_of(self, result: _Result, _key: str, value: object) -> bool:
        if not isinstance(value, list) or len(value) != 1:
            return False
        result.update({**self.written(value[0]), **result})
        return True

    def _type(self, result: _Result, key: str, value: object) -> bool:
        if isinstance(value, list):
            return self._any_of(result, key, [{"type": kind} for kind in value])
        return self._same(result, key, value)

    def _format(self, result: _Result, key: str, value: object) -> bool:
        return isinstance(value, str) and value in _FORMATS and self._same(result, key, value)

    def _enum(self, result: _Result, _key: str, value: object) -> bool:
        """An enumeration of strings, the only one there is."""
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            return False
        return self._same(result, "enum", value)

    def _const(self, result: _Result, key: str, value: object) -> bool:
        return self._enum(result, key, [value])

    _KEYS: ClassVar[Mapping[str, Callable[[_Writer, _Result, str, object], bool]]] = {
        **dict.fromkeys(
            ("title", "description", "nullable", "minimum", "maximum", "minItems", "maxItems", "minLength"), _same
        ),
        **dict.fromkeys(
            ("maxLength", "minProperties", "maxProperties", "pattern", "required", "propertyOrdering"), _same
        ),
        "properties": _properties,
        "items": _items,
        "anyOf": _any_of,
        "oneOf": _any_of,
        "allOf": _all_of,
        "type": _type,
        "format": _format,
        "enum": _enum,
        "const": _const,
    }
