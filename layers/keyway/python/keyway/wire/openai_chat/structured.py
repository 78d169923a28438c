"""The schema of the answer: when it is asked for, in which words, and what stands in for it where there are none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from keyway.capabilities import Model
from keyway.chat import ChatRequest, Json, ResponseFormat
from keyway.wire.openai_chat.dialect import Dialect
from keyway.wire.openai_chat.schema import closed


@dataclass(frozen=True, slots=True)
class Asked:
    """How a schema is asked for: fields of the body, and an instruction to the model (``""`` for none)."""

    fields: Json = field(default_factory=dict)
    instruction: str = ""


def schema_waits(request: ChatRequest, dialect: Dialect) -> bool:
    """Whether the schema is left out of this request because of its tools, and is for a later one to ask for."""
    if request.response_format is None or dialect.structured_output == "none" or not request.offered_tools:
        return False
    match dialect.schema_beside_tools:
        case "held_back":
            return True
        case "after_tools":
            return not schema_displaces_tools(request, dialect)
        case "together":
            return False


def schema_displaces_tools(request: ChatRequest, dialect: Dialect) -> bool:
    """Whether the tools are left out because their round is over and it is the schema's turn."""
    if request.response_format is None or dialect.schema_beside_tools != "after_tools":
        return False
    round_is_over = bool(request.messages) and request.messages[-1].role == "tool"
    return round_is_over and request.forced_tool is None


def asked(wanted: ResponseFormat, model: Model, dialect: Dialect) -> Asked:
    """How ``wanted`` is asked for.

    Raises:
        InvalidRequest: The schema cannot be made strict, where the host asks for that.
    """
    match dialect.structured_output:
        case "none":
            return Asked()
        case "json_object":
            return _in_words(wanted)
        case "by_model" if not model.structured_outputs:
            return _in_words(wanted)
    schema: Json = wanted.json_schema
    if wanted.strict and dialect.closed_schema:
        schema = closed(schema, where="responseFormat.schema")
    described: dict[str, object] = {"name": wanted.name, "schema": schema}
    if dialect.structured_output != "json_schema_unmarked":
        described["strict"] = wanted.strict
    fields: dict[str, object] = {"response_format": {"type": "json_schema", "json_schema": described}}
    if dialect.require_parameters:
        fields["provider"] = {"require_parameters": True}
    return Asked(fields)


def _in_words(wanted: ResponseFormat) -> Asked:
    text = json.dumps(wanted.json_schema, ensure_ascii=False, separators=(",", ":"))
    return Asked(
        {"response_format": {"type": "json_object"}},
        "Answer with one JSON object that satisfies this JSON Schema, and with nothing else: no words before or after "
        f"it, and no code fence.\n{text}",
    )
