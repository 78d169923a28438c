"""A ``ChatRequest`` as a path and a body of the Converse API.

Settings are put together here; messages are ``turns.py``, thinking is ``thinking.py``, tools are ``tools.py``. No
setting is sent that the caller did not ask for: Bedrock's defaults are the model's own.
"""

from __future__ import annotations

from urllib.parse import quote

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.wire.bedrock_converse.dialect import Dialect
from keyway.wire.bedrock_converse.model_id import model_id, region, vendor
from keyway.wire.bedrock_converse.schema import instruction, text_format
from keyway.wire.bedrock_converse.thinking import thinking
from keyway.wire.bedrock_converse.tools import tool_config
from keyway.wire.bedrock_converse.turns import conversation
from keyway.wire.contract import Outgoing

_LONGEST_UNSTREAMED = 21_333
"""``maxTokens`` above which Claude may take longer than a silent connection lasts, so that we stream unasked. Its
vendor's own clients draw the line there: 128,000 tokens take an hour. Not every other model can stream."""


def encode(request: ChatRequest, model: Model, dialect: Dialect) -> Outgoing:
    """See ``Wire.encode``."""
    sent_as = model_id(model.sent_as, region(request.bedrock_region, dialect.region), dialect.on_demand)
    made_by = vendor(sent_as)
    system, turns = conversation(request)
    thought = thinking(request, model, made_by, turns)

    body: dict[str, object] = {"messages": turns}
    if request.response_format is not None:
        if model.structured_outputs:
            body["outputConfig"] = {"textFormat": text_format(request.response_format)}
        else:
            system = f"{system}\n\n{instruction(request.response_format.json_schema)}".strip()
    if system:
        body["system"] = [{"text": system}]
    inference: dict[str, object] = {}
    if thought.max_tokens is not None:
        inference["maxTokens"] = thought.max_tokens
    if request.temperature is not None and model.temperature is not None and not thought.thinks:
        inference["temperature"] = request.temperature  # beside thinking, Claude takes no temperature but 1
    if inference:
        body["inferenceConfig"] = inference
    if (tools := tool_config(request, made_by, thinks=thought.thinks)) is not None:
        body["toolConfig"] = tools
    if thought.fields:
        body["additionalModelRequestFields"] = thought.fields

    streamed = request.stream or (made_by == "anthropic" and (thought.max_tokens or 0) > _LONGEST_UNSTREAMED)
    return Outgoing(
        path=f"/model/{quote(sent_as, safe='')}/{'converse-stream' if streamed else 'converse'}",
        body=body,
        streamed=streamed,
        headers={"accept": "application/vnd.amazon.eventstream" if streamed else "application/json"},
        warnings=_unmet(request, thinks=thought.thinks),
    )


def _unmet(request: ChatRequest, *, thinks: bool) -> tuple[str, ...]:
    """What a model that thinks cannot be asked for."""
    forced = request.forced_tool
    return (
        (f"{forced.id} is not forced: a model that thinks cannot be made to call a tool",) if forced and thinks else ()
    )
