"""Token counts of one answer, as they are reported at once.

``prompt_tokens`` holds the cached ones. Their number has three names: ``prompt_tokens_details.cached_tokens``,
DeepSeek's ``prompt_cache_hit_tokens`` and Mistral's ``num_cached_tokens``. ``completion_tokens`` holds the reasoning,
except at xAI, whose ``total_tokens`` gives it away. The total decides wherever it is told, so that a host which
begins or ceases to count as xAI does is still read right.
"""

from __future__ import annotations

from keyway.chat import Json
from keyway.events import Usage
from keyway.wire.openai_chat.fields import count, member


def usage_of(reported: Json, *, reasoning_beside_output: bool) -> Usage | None:
    """What a ``usage`` object says; ``None`` when it holds no pair of counts.

    No answer is made of no tokens: a host that reports zeros all over does not know, and is not believed.

    Args:
        reasoning_beside_output: The vendor's habit, for when no total tells.
    """
    prompt = count(reported, "prompt_tokens")
    completion = count(reported, "completion_tokens")
    total = count(reported, "total_tokens")
    if prompt is None:
        return None
    if completion is None:
        # Left out by some when nothing visible was generated.
        if total is None or total < prompt:
            return None
        completion = total - prompt
    of_prompt, of_completion = member(reported, "prompt_tokens_details"), member(reported, "completion_tokens_details")
    reasoning = count(of_completion, "reasoning_tokens") or 0
    if _is_beside(prompt, completion, reasoning, total, habit=reasoning_beside_output):
        completion += reasoning
    if not prompt and not completion:
        return None
    cached = count(of_prompt, "cached_tokens")
    if cached is None:
        cached = count(reported, "prompt_cache_hit_tokens")
    if cached is None:
        cached = count(reported, "num_cached_tokens")
    return Usage(
        input=prompt,
        output=completion,
        cache_read=min(cached or 0, prompt),
        cache_write=count(of_prompt, "cache_write_tokens") or 0,
        reasoning=min(reasoning, completion),
    )


def _is_beside(prompt: int, completion: int, reasoning: int, total: int | None, *, habit: bool) -> bool:
    if not reasoning:
        return False
    if total == prompt + completion + reasoning:
        return True
    return total != prompt + completion and (habit or reasoning > completion)
