"""Token counts of a response. ``input_tokens`` already holds the cached ones, ``output_tokens`` the reasoning."""

from __future__ import annotations

from keyway.chat import Json
from keyway.events import Usage
from keyway.wire.openai_responses.fields import count, member


def usage_of(response: Json) -> Usage | None:
    """What ``response.usage`` reports, or ``None`` when it is absent, null or not a pair of counts.

    Some imitations count reasoning beside the output; output is never less than the reasoning in it.
    """
    usage = member(response, "usage")
    input_tokens, output_tokens = count(usage, "input_tokens"), count(usage, "output_tokens")
    if input_tokens is None or output_tokens is None:
        return None
    of_input, of_output = member(usage, "input_tokens_details"), member(usage, "output_tokens_details")
    reasoning = count(of_output, "reasoning_tokens") or 0
    return Usage(
        input=input_tokens,
        output=max(output_tokens, reasoning),
        cache_read=count(of_input, "cached_tokens") or 0,
        cache_write=count(of_input, "cache_write_tokens") or 0,
        reasoning=reasoning,
    )
