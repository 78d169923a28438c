"""A vendor's ``usage`` object. Sources: recordings, and each vendor's API reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from infra.local.provider.openai_chat.variant import Counts
from infra.local.provider.protocol import Json
from infra.local.provider.script import Tokens


def usage(counts: Counts, tokens: Tokens, *, output: int | None = None) -> Json:
    """``tokens`` in a vendor's words; with ``output`` so many are generated until now."""
    completion = tokens.output if output is None else min(output, tokens.output)
    plain = {
        "prompt_tokens": tokens.input,
        "completion_tokens": completion,
        "total_tokens": tokens.input + completion,
    }
    return {**plain, **_BESIDE[counts](tokens, min(tokens.reasoning, completion))}


def _openai(tokens: Tokens, reasoning: int) -> Json:
    written = {"cache_write_tokens": tokens.cache_write} if tokens.cache_write else {}
    speculated = {"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
    return {
        "prompt_tokens_details": {"cached_tokens": tokens.cache_read, **written, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0, **speculated},
    }


def _deepseek(tokens: Tokens, reasoning: int) -> Json:
    return {
        "prompt_tokens_details": {"cached_tokens": tokens.cache_read},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
        "prompt_cache_hit_tokens": tokens.cache_read,
        "prompt_cache_miss_tokens": tokens.input - tokens.cache_read,
    }


def _xai(tokens: Tokens, reasoning: int) -> Json:
    """Reasoning stands beside the output, and in the total only."""
    return {
        "completion_tokens": tokens.output - reasoning,
        "prompt_tokens_details": {"cached_tokens": tokens.cache_read, "text_tokens": tokens.input},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


def _mistral(tokens: Tokens, _reasoning: int) -> Json:
    return {"num_cached_tokens": tokens.cache_read}


def _groq(tokens: Tokens, reasoning: int) -> Json:
    times = {"queue_time": 0.01, "prompt_time": 0.01, "completion_time": 0.1, "total_time": 0.11}
    cached = {"prompt_tokens_details": {"cached_tokens": tokens.cache_read}} if tokens.cache_read else {}
    return {**times, **cached, "completion_tokens_details": {"reasoning_tokens": reasoning}}


def _openrouter(tokens: Tokens, reasoning: int) -> Json:
    cached = {"cached_tokens": tokens.cache_read, "cache_write_tokens": tokens.cache_write, "audio_tokens": 0}
    return {
        "cost": 0.0001,
        "is_byok": False,
        "prompt_tokens_details": cached,
        "cost_details": {"upstream_inference_cost": None},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "image_tokens": 0},
    }


def _cached_only(tokens: Tokens, _reasoning: int) -> Json:
    return {"prompt_tokens_details": {"cached_tokens": tokens.cache_read}, "completion_tokens_details": None}


def _plain(_tokens: Tokens, _reasoning: int) -> Json:
    return {"prompt_tokens_details": None}


_BESIDE: Mapping[Counts, Callable[[Tokens, int], Json]] = {
    "openai": _openai,
    "deepseek": _deepseek,
    "xai": _xai,
    "mistral": _mistral,
    "groq": _groq,
    "openrouter": _openrouter,
    "cached_only": _cached_only,
    "plain": _plain,
}
"""What each vendor tells beside the three counts, from the tokens and those among them that were reasoning."""
