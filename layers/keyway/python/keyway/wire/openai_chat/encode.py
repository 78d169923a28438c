"""Our request as the body of ``POST /chat/completions``.

Only what was asked for is sent, in the words of the vendor's dialect. No limit of tokens is made up: Cerebras counts
``max_completion_tokens`` against the rate limit before a token is generated.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyway.capabilities import Model
from keyway.chat import ChatRequest, Json
from keyway.wire.contract import Outgoing
from keyway.wire.openai_chat.dialect import Dialect
from keyway.wire.openai_chat.messages import conversation
from keyway.wire.openai_chat.structured import Asked, asked, schema_displaces_tools, schema_waits
from keyway.wire.openai_chat.tools import mention, offer

AUTO = "auto"
"""As an effort or a verbosity: the model's own default, which the protocol names by leaving the setting out."""

_NO_THINKING = "none"


def encode(request: ChatRequest, model: Model, dialect: Dialect) -> Outgoing:
    """The provider's request for ours. See ``Wire.encode``.

    Raises:
        InvalidRequest: A message, a file or a schema that this vendor cannot be told; the message names it.
    """
    messages = conversation(request, dialect)
    schema = Asked()
    waits = schema_waits(request, dialect)
    if request.response_format is not None and not waits:
        schema = asked(request.response_format, model, dialect)
    if schema.instruction:
        messages.append({"role": "user", "content": schema.instruction})

    body: dict[str, object] = {"model": model.sent_as, "messages": messages, "stream": request.stream}
    if request.stream and dialect.usage_option:
        body["stream_options"] = {"include_usage": True}
    body |= _tools(request, dialect)
    body |= schema.fields
    if request.max_tokens is not None:
        body[dialect.max_tokens] = request.max_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    body |= _thinking(request, dialect)
    return Outgoing(
        path=dialect.path,
        body=body,
        streamed=request.stream,
        schema_waits=waits,
        warnings=tuple(_unmet(request, dialect)),
    )


def _unmet(request: ChatRequest, dialect: Dialect) -> Iterator[str]:
    """What this vendor cannot be asked for."""
    if dialect.forced_tool == "auto" and request.forced_tool is not None:
        yield f"{request.forced_tool.id} cannot be forced here: the host ignores the choice of a tool"
    if dialect.structured_output == "none" and request.response_format is not None:
        yield "responseFormat is not enforced here: the host knows no schema"


def _tools(request: ChatRequest, dialect: Dialect) -> Json:
    if schema_displaces_tools(request, dialect):
        return {}
    return offer(request, dialect) or (mention(request) if dialect.tools_for_history else {})


def _thinking(request: ChatRequest, dialect: Dialect) -> Json:
    """How hard to think and how much to say. A setting that the model does not take has been dropped before."""
    settings: dict[str, object] = {}
    effort = request.reasoning_effort
    if effort is not None and effort != AUTO:
        if dialect.reasoning_effort == "field":
            settings["reasoning_effort"] = effort
        elif dialect.reasoning_effort == "object":
            settings["reasoning"] = {"effort": effort}
        if dialect.reasoning_format:
            settings["reasoning_format"] = dialect.reasoning_format
    level = request.thinking_level
    if dialect.thinking_switch and level is not None and level != AUTO:
        settings["thinking"] = {"type": "disabled" if level == _NO_THINKING else "enabled"}
    if request.verbosity is not None and request.verbosity != AUTO:
        settings["verbosity"] = request.verbosity
    return settings
