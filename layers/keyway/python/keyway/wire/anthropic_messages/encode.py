"""A ``ChatRequest`` as the body of ``POST /v1/messages``.

Settings are decided here; messages are ``turns.py``, thinking is ``thinking.py``. No setting is sent that the caller
did not ask for, except ``max_tokens``, which the API requires.
"""

from __future__ import annotations

from keyway.capabilities import Model
from keyway.chat import ChatRequest, Json
from keyway.wire.anthropic_messages.dialect import Dialect
from keyway.wire.anthropic_messages.schema import enforceable, instruction
from keyway.wire.anthropic_messages.thinking import thinking
from keyway.wire.anthropic_messages.turns import conversation
from keyway.wire.contract import Outgoing

_LONGEST_UNSTREAMED = 21_333
"""``max_tokens`` above which ten minutes may not be enough and connections are cut: Anthropic's own clients refuse
such a request unless it streams (their rule: 128,000 tokens take an hour)."""


def encode(request: ChatRequest, model: Model, dialect: Dialect) -> Outgoing:
    """See ``Wire.encode``."""
    system, turns = conversation(request)
    thought = thinking(request, model, turns)
    output: dict[str, object] = {"effort": thought.effort} if thought.effort else {}
    if request.response_format is not None:
        schema = request.response_format.json_schema
        if model.structured_outputs:
            output["format"] = {"type": "json_schema", "schema": enforceable(schema)}
        else:
            system = f"{system}\n\n{instruction(schema)}".strip()

    body: dict[str, object] = {"model": model.sent_as, "max_tokens": thought.max_tokens, "messages": turns}
    if system:
        body["system"] = system
    if thought.setting is not None:
        body["thinking"] = thought.setting
    elif request.temperature is not None and model.temperature is not None:
        body["temperature"] = request.temperature  # beside thinking, the API takes no temperature but 1
    if output:
        body["output_config"] = output
    body.update(_tools(request, thinks=thought.setting is not None))
    streamed = request.stream or thought.max_tokens > _LONGEST_UNSTREAMED
    if streamed:
        body["stream"] = True
    return Outgoing(
        path=dialect.path,
        body=body,
        streamed=streamed,
        headers={"anthropic-version": dialect.version},
        warnings=_unmet(request, thinks=thought.setting is not None),
    )


def _unmet(request: ChatRequest, *, thinks: bool) -> tuple[str, ...]:
    """What a model that thinks cannot be asked for."""
    forced = request.forced_tool
    return (
        (f"{forced.id} is not forced: a model that thinks cannot be made to call a tool",) if forced and thinks else ()
    )


def _tools(request: ChatRequest, *, thinks: bool) -> Json:
    """``tools`` and, for a forced one, ``tool_choice``. Left out, the choice is the model's."""
    if not request.offered_tools:
        return {}
    tools: list[Json] = []
    for tool in request.offered_tools:
        sent: dict[str, object] = {"name": tool.id, "input_schema": {"type": "object", **tool.parameters}}
        if tool.description:
            sent["description"] = tool.description
        tools.append(sent)
    if request.forced_tool is None or thinks:  # a model that thinks cannot be made to call a tool; the API says 400
        return {"tools": tools}
    return {"tools": tools, "tool_choice": {"type": "tool", "name": request.forced_tool.id}}
