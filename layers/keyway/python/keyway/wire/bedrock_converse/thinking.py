"""How long the model may think, in the model's own words, and what that does to the other settings.

The Converse API has no word of its own for it; ``additionalModelRequestFields`` passes on what each vendor's models
understand. Sources: Amazon Bedrock user guide, "Extended thinking" and "Adaptive thinking" (Claude); requests that
Bedrock accepted (OpenAI's and Qwen's open models). The size of each budget is our choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from keyway.capabilities import Model
from keyway.chat import ChatRequest, Json
from keyway.errors import InvalidRequest
from keyway.wire.bedrock_converse.blocks import Turn

_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 32_768}
_LEAST_BUDGET = 1_024
_ROOM_TO_ANSWER = 4_096
"""Tokens left for the answer beside a thinking budget, which counts against ``maxTokens`` too."""

_EFFORT_FIELD = {"openai": "reasoning_effort", "qwen": "reasoning_config"}
"""By vendor, the field that carries an effort as a plain word."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """Settings that depend on one another: the model's own fields, ``maxTokens``, and whether it thinks at all."""

    max_tokens: int | None
    fields: Json = field(default_factory=dict)
    thinks: bool = False


def thinking(request: ChatRequest, model: Model, vendor: str, turns: Sequence[Turn]) -> Thinking:
    """The settings for ``request``. No level, ``none``, and a level the model lacks all mean no thinking.

    Raises:
        InvalidRequest: The catalog lists a level or an effort that cannot be said to this vendor's models.
    """
    effort = request.reasoning_effort if request.reasoning_effort in model.reasoning_efforts else None
    level = request.thinking_level if request.thinking_level in model.thinking_levels else None
    if vendor in _EFFORT_FIELD:
        word = effort or level
        return Thinking(request.max_tokens, {_EFFORT_FIELD[vendor]: word} if word else {})
    if vendor != "anthropic":
        if effort or (level and level != "none"):
            name = "reasoningEffort" if effort else "thinkingLevel"
            raise InvalidRequest(f"{name}: it is not known how {model.id} is told so. Leave it out.")
        return Thinking(request.max_tokens)
    output: dict[str, object] = {"output_config": {"effort": effort}} if effort else {}
    if level is None or level == "none":
        return Thinking(request.max_tokens, output)
    if model.adaptive_thinking:
        fields = {"thinking": {"type": "adaptive"}, "output_config": {"effort": level}}
        return Thinking(request.max_tokens, fields, thinks=True)
    if level not in _BUDGETS:
        raise InvalidRequest(f"thinkingLevel: {level!r} is none of {', '.join(_BUDGETS)}.")
    if _tool_loop_without_reasoning(turns):
        return Thinking(request.max_tokens, output)
    budget, max_tokens = _budget(_BUDGETS[level], request.max_tokens, model.max_output_tokens)
    return Thinking(max_tokens, {"thinking": {"type": "enabled", "budget_tokens": budget}, **output}, thinks=True)


def _budget(wanted: int, max_tokens: int | None, most: int | None) -> tuple[int, int | None]:
    """The budget and ``maxTokens``: raised to hold both thought and answer, as far as the model can generate."""
    if max_tokens is not None and max_tokens < wanted + _ROOM_TO_ANSWER:
        max_tokens = min(wanted + _ROOM_TO_ANSWER, most or wanted + _ROOM_TO_ANSWER)
    limit = max_tokens or most  # left out, maxTokens is all that the model can generate
    budget = wanted if limit is None else min(wanted, limit - _ROOM_TO_ANSWER)
    return max(budget, _LEAST_BUDGET), max_tokens


def _tool_loop_without_reasoning(turns: Sequence[Turn]) -> bool:
    """Whether the turn in progress has called tools without thinking first.

    Calls and results up to the next word of the user are one turn of the assistant; with a budget, Claude refuses a
    turn that is under way and did not begin with reasoning (it came from another model, say).
    """
    first: Turn | None = None
    for turn in reversed(turns):
        if turn["role"] == "assistant":
            first = turn
        elif "toolResult" not in turn["content"][0]:
            break
    return first is not None and "reasoningContent" not in first["content"][0]
