"""How long the model may think, and what that does to the other settings.

Three kinds of model: some take a budget of tokens, some decide for themselves and take an effort, some do neither.
Source: Anthropic's documentation, "Extended thinking", "Adaptive thinking" and "Effort". The size of each budget
is our choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keyway.capabilities import Model
from keyway.chat import ChatRequest, Json
from keyway.errors import InvalidRequest
from keyway.wire.anthropic_messages.blocks import Turn

_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 32_768}
_LEAST_BUDGET = 1_024
_ROOM_TO_ANSWER = 4_096
"""Tokens left for the answer beside a thinking budget, which counts against ``max_tokens`` too."""
_MAX_TOKENS_OF_UNKNOWN = 4_096
"""``max_tokens`` is required; this is the least that every model of the API can generate."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """Settings that depend on one another: the ``thinking`` object, the effort, and ``max_tokens``."""

    setting: Json | None
    effort: str | None
    max_tokens: int


def thinking(request: ChatRequest, model: Model, turns: Sequence[Turn]) -> Thinking:
    """The settings for ``request``'s level. No level, ``none``, and a level the model lacks all mean no thinking.

    Raises:
        InvalidRequest: The catalog lists a level that no budget is known for.
    """
    max_tokens = request.max_tokens or model.max_output_tokens or _MAX_TOKENS_OF_UNKNOWN
    effort = request.reasoning_effort if request.reasoning_effort in model.reasoning_efforts else None
    level = request.thinking_level
    if level is None or level == "none" or level not in model.thinking_levels:
        return Thinking(None, effort, max_tokens)
    if model.adaptive_thinking:
        return Thinking({"type": "adaptive"}, level, max_tokens)
    if level not in _BUDGETS:
        raise InvalidRequest(f"thinkingLevel: {level!r} is none of {', '.join(_BUDGETS)}.")
    if _tool_loop_without_reasoning(turns):
        return Thinking(None, effort, max_tokens)
    needed = _BUDGETS[level] + _ROOM_TO_ANSWER
    if max_tokens < needed:
        max_tokens = min(needed, model.max_output_tokens or needed)
    # The largest budget is more than some models can generate at all.
    budget = max(min(_BUDGETS[level], max_tokens - _ROOM_TO_ANSWER), _LEAST_BUDGET)
    return Thinking({"type": "enabled", "budget_tokens": budget}, effort, max_tokens)


def _tool_loop_without_reasoning(turns: Sequence[Turn]) -> bool:
    """Whether the turn in progress has called tools without thinking first.

    Calls and results up to the next word of the user are one turn of the assistant; with a budget, the API
    refuses a turn that is under way and did not begin with reasoning (it came from another model, say).
    """
    first: Turn | None = None
    for turn in reversed(turns):
        if turn["role"] == "assistant":
            first = turn
        elif turn["content"][0]["type"] != "tool_result":
            break
    return first is not None and first["content"][0]["type"] not in ("thinking", "redacted_thinking")
