"""Rules of ``generateContent`` that types cannot say, in the API's own words as far as its users report them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from infra.local.provider.gemini_generate.schema import unknown_to_openapi

Body: TypeAlias = Mapping[str, Any]

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?![\d.])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_ONE_OF = ("text", "inlineData", "fileData", "functionCall", "functionResponse")
"""A part holds one of these."""


def rules(model: str, body: Body) -> Iterator[str]:
    """What the API says to ``body``, if anything."""
    version = _version(model)
    contents: Sequence[Body] = body["contents"]
    if not contents:
        yield "* GenerateContentRequest.contents: contents is not specified"
        return
    yield from _parts(contents)
    yield from _turns(contents)
    if version >= (3, 0):
        yield from _signatures(contents)
    declared = [each for tool in body.get("tools", ()) for each in tool.get("functionDeclarations", ())]
    yield from _declarations(declared)
    yield from _choice(body.get("toolConfig", {}).get("functionCallingConfig", {}), declared)
    config: Body = body.get("generationConfig", {})
    yield from _format(config, version, offers=bool(declared))
    yield from _thinking(config.get("thinkingConfig", {}), version)


def _version(model: str) -> tuple[int, int]:
    if model.endswith("latest"):
        return (3, 0)
    found = _VERSION.match(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _parts(contents: Sequence[Body]) -> Iterator[str]:
    for index, content in enumerate(contents):
        where = f"GenerateContentRequest.contents[{index}]"
        if content.get("role", "user") not in ("user", "model"):
            yield "Please use a valid role: user, model."
        if not content.get("parts"):
            yield f"* {where}.parts: contents.parts must not be empty."
        for at, part in enumerate(content.get("parts", ())):
            if sum(name in part for name in _ONE_OF) != 1:
                yield f"* {where}.parts[{at}].data: required oneof field 'data' must have one initialized field"
            signature = part.get("thoughtSignature")
            if signature is not None and (not _BASE64.fullmatch(signature) or len(signature.rstrip("=")) % 4 == 1):
                place = f"contents[{index}].parts[{at}].thought_signature"
                yield f"Invalid value at '{place}' (TYPE_BYTES), Base64 decoding failed for \"{signature}\""


def _turns(contents: Sequence[Body]) -> Iterator[str]:
    """Calls follow a turn of the user, and their results follow them, one for each."""
    if contents[0].get("role", "user") != "user" and _count(contents[0], "functionCall"):
        yield (
            "Please ensure that function call turn comes immediately after a user turn or after a function response "
            "turn."
        )
    for index, content in enumerate([*contents, {}]):
        results = _count(content, "functionResponse")
        before = contents[index - 1] if index else {}
        called = _count(before, "functionCall")
        if results and not called:
            yield "Please ensure that function response turn comes immediately after a function call turn."
        if called and results != called:
            yield (
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )


def _signatures(contents: Sequence[Body]) -> Iterator[str]:
    """From Gemini 3 on: the first call of each step since the user last spoke carries its signature."""
    spoke = max(
        (i for i, each in enumerate(contents) if each.get("role", "user") == "user" and _speaks(each)), default=0
    )
    for index, content in enumerate(contents[spoke:], spoke):
        calls = [part for part in content.get("parts", ()) if "functionCall" in part]
        if calls and "thoughtSignature" not in calls[0]:
            yield (
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                "work correctly, and missing thought_signature may lead to degraded model performance. Additional "
                f"data, function call `default_api:{calls[0]['functionCall']['name']}` , position {index + 1}."
            )


def _declarations(declared: Sequence[Body]) -> Iterator[str]:
    names = [function["name"] for function in declared]
    for name in names:
        if names.count(name) > 1:
            yield f"Duplicate function declaration found: {name}"
    for index, function in enumerate(declared):
        where = f"tools[0].function_declarations[{index}].parameters"
        if "parameters" in function and "parametersJsonSchema" in function:
            yield f"{where}: only one of parameters and parameters_json_schema can be set."
        if "parameters" in function:
            yield from unknown_to_openapi(function["parameters"], where)
            if function["parameters"].get("type") in ("object", "OBJECT") and not function["parameters"].get(
                "properties"
            ):
                place = f"GenerateContentRequest.{where}.properties"
                yield f"* {place}: should be non-empty for OBJECT type"


def _choice(config: Body, declared: Sequence[Body]) -> Iterator[str]:
    allowed = config.get("allowedFunctionNames", ())
    if allowed and config.get("mode") not in ("ANY", "VALIDATED"):
        yield "Please set allowed_function_names only when function calling mode is ANY."
    if config.get("mode") == "ANY" and not declared:
        yield "Function calling config is set without function_declarations."
    for name in allowed:
        if name not in {function["name"] for function in declared}:
            yield f"Function call is allowed for a function that is not declared: {name}"


def _format(config: Body, version: tuple[int, int], *, offers: bool) -> Iterator[str]:
    mime_type = config.get("responseMimeType", "text/plain")
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
    if len(schemas) == 2:
        yield "generation_config: only one of response_schema and response_json_schema can be set."
    if schemas and mime_type != "application/json":
        yield "* GenerateContentRequest.generation_config.response_mime_type: must be application/json with a schema"
    if "responseSchema" in config:
        yield from unknown_to_openapi(config["responseSchema"], "generation_config.response_schema")
    if mime_type == "application/json" and offers and version < (3, 0):
        yield "Function calling with a response mime type: 'application/json' is unsupported"


def _thinking(config: Body, version: tuple[int, int]) -> Iterator[str]:
    if "thinkingLevel" in config and "thinkingBudget" in config:
        yield "You can only set only one of thinking budget and thinking level."
    if "thinkingLevel" in config and version < (3, 0):
        yield "Thinking level is not supported for this model."
    if "thinkingBudget" in config and version < (2, 5):
        yield "Thinking budget is not supported for this model."


def _count(content: Body, name: str) -> int:
    return sum(name in part for part in content.get("parts", ()))


def _speaks(content: Body) -> bool:
    return any("functionResponse" not in part for part in content.get("parts", ()))
