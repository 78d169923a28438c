"""What ``generateContent`` accepts, and in which words the rest is refused.

The fields are those of Google's reference ("Method: models.generateContent"), as far as a gateway uses them; what
types cannot say is ``rules.py``, and the schemas of functions and answers are ``schema.py``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from infra.local.provider.gemini_generate.rules import rules
from infra.local.provider.google_errors import invalid
from infra.local.provider.protocol import Json, Question
from infra.local.provider.script import Refusal
from infra.local.provider.shape import Mistake, Shape, read


class _Camel(Shape):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Blob(_Camel):
    mime_type: str
    data: str


class FileData(_Camel):
    mime_type: str | None = None
    file_uri: str


class FunctionCall(_Camel):
    id: str | None = None
    name: str
    args: dict[str, object] | None = None


class FunctionResponse(_Camel):
    id: str | None = None
    name: str
    response: dict[str, object]
    parts: list[Json] | None = None


class Part(_Camel):
    text: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    media_resolution: Json | None = None


class Content(_Camel):
    role: str | None = None
    parts: list[Part] | None = None


class FunctionDeclaration(_Camel):
    name: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$")]
    description: str | None = None
    parameters: Json | None = None
    parameters_json_schema: Json | None = None
    response: Json | None = None
    response_json_schema: Json | None = None


class Tool(_Camel):
    function_declarations: list[FunctionDeclaration] | None = None


class FunctionCallingConfig(_Camel):
    mode: Literal["AUTO", "ANY", "NONE", "VALIDATED"] | None = None
    allowed_function_names: list[str] | None = None
    stream_function_call_arguments: bool | None = None


class ToolConfig(_Camel):
    function_calling_config: FunctionCallingConfig | None = None


class ThinkingConfig(_Camel):
    include_thoughts: bool | None = None
    thinking_budget: Annotated[int, Field(ge=-1)] | None = None
    thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"] | None = None


class GenerationConfig(_Camel):
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: float | None = None
    top_k: float | None = None
    candidate_count: int | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_mime_type: str | None = None
    response_schema: Json | None = None
    response_json_schema: Json | None = None
    response_modalities: list[str] | None = None
    thinking_config: ThinkingConfig | None = None


class Generate(_Camel):
    """The request body."""

    contents: list[Content]
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[Json] | None = None
    cached_content: str | None = None
    labels: dict[str, str] | None = None
    service_tier: str | None = None


def check(question: Question) -> Refusal | None:
    """The refusal of a request the API would not accept."""
    if question.path.endswith(":streamGenerateContent") and "alt=sse" not in question.query.split("&"):
        return invalid("This scripted provider streams Server-Sent Events only: ask with ?alt=sse.")
    try:
        request = read(Generate, question.body)
    except Mistake as mistake:
        return invalid(_words(mistake))
    wanted = request.model_dump(by_alias=True, exclude_none=True)
    return next((invalid(said) for said in rules(question.model, wanted)), None)


def _words(mistake: Mistake) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in mistake.path).lstrip(".")
    given = mistake.details["input"]
    match mistake.details["type"]:
        case "extra_forbidden":
            parent, _, name = place.rpartition(".")
            at = f" at '{parent}'" if parent else ""
            return f'Invalid JSON payload received. Unknown name "{name or place}"{at}: Cannot find field.'
        case "missing":
            return f"* GenerateContentRequest.{place}: required field is not specified"
        case "greater_than_equal" | "less_than_equal":
            return f"* GenerateContentRequest.{place}: {mistake.details['msg']}, but was {given}."
        case _:
            return f"Invalid value at '{place}': {mistake.details['msg']}, {given!r}"
