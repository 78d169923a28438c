"""Our request as the body of ``:generateContent`` or ``:streamGenerateContent``.

Settings are decided here; the conversation is ``contents.py``, functions are ``tools.py``. No setting is sent that the
caller did not ask for. The model stands in the path, and so does the wish for a stream.
"""

from __future__ import annotations

from urllib.parse import quote

from keyway.capabilities import Model
from keyway.chat import ChatRequest, Json
from keyway.wire.contract import Outgoing
from keyway.wire.gemini_generate.contents import conversation
from keyway.wire.gemini_generate.dialect import Dialect
from keyway.wire.gemini_generate.generation import Generation, generation
from keyway.wire.gemini_generate.openapi import openapi_schema
from keyway.wire.gemini_generate.schema import json_schema
from keyway.wire.gemini_generate.tools import tools

_BUDGETS = {"none": 0, "minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}
"""Tokens of thought by level for models that take a budget: the equivalents that Google names in its guide "OpenAI
compatibility"."""


def encode(request: ChatRequest, model: Model, dialect: Dialect) -> Outgoing:
    """The provider's request for ours. See ``Wire.encode``.

    A schema beside tools is enforced from Gemini 3 on. Older models refuse the pair ("Function calling with a response
    mime type: 'application/json' is unsupported"), so there it waits until no tool is offered any more.
    """
    of = generation(model)
    system, contents = conversation(request, model, of)
    config: dict[str, object] = {}
    if request.temperature is not None:
        config["temperature"] = request.temperature
    if request.max_tokens is not None:
        config["maxOutputTokens"] = request.max_tokens
    waits = request.response_format is not None and bool(request.offered_tools) and not of.is_3
    if request.response_format is not None and not waits:
        config.update(_format(request.response_format.json_schema, of))
    if thinking := _thinking(request, model, of):
        config["thinkingConfig"] = thinking

    body: dict[str, object] = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": [{"text": system}]}
    body.update(tools(request, of))
    if config:
        body["generationConfig"] = config
    method = ":streamGenerateContent?alt=sse" if request.stream else ":generateContent"
    path = dialect.path.replace("{model}", quote(model.sent_as, safe="-._~@"))
    return Outgoing(path=path + method, body=body, streamed=request.stream, schema_waits=waits)


def _format(schema: Json, of: Generation) -> Json:
    if of.json_schema:
        return {"responseMimeType": "application/json", "responseJsonSchema": json_schema(schema)}
    return {"responseMimeType": "application/json", "responseSchema": openapi_schema(schema)}


def _thinking(request: ChatRequest, model: Model, of: Generation) -> Json:
    """How long to think, as a level or as a budget but never as both, which the API refuses.

    Thoughts are shown to whoever asks for a level. ``none`` is no level of Gemini 3, which always thinks: it means
    the model's own default there.
    """
    level = request.thinking_level
    if level is None or level not in (*model.thinking_levels, "none"):
        return {}
    if of.is_3:
        return {} if level == "none" else {"thinkingLevel": level.upper(), "includeThoughts": True}
    if not model.thinking_levels or level not in _BUDGETS:
        return {}
    return {"thinkingBudget": _BUDGETS[level], "includeThoughts": level != "none"}
