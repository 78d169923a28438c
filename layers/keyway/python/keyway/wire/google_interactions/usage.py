"""Token counts of an interaction, told once and for all with its end.

Whether thoughts are part of the output, and the prompts of tools part of the input, is not documented for every
agent; the total says which. Both are billed. Source: Google's reference "Interactions API", "Usage".
"""

from __future__ import annotations

from keyway.chat import Json
from keyway.events import Usage
from keyway.wire.fields import count, member


def usage_of(interaction: Json) -> Usage | None:
    """What ``interaction.usage`` reports, or ``None`` when it is absent or holds no counts."""
    usage = member(interaction, "usage")
    given, written = count(usage, "total_input_tokens"), count(usage, "total_output_tokens")
    if given is None and written is None:
        return None
    given, written = given or 0, written or 0
    tools = count(usage, "total_tool_use_tokens") or 0
    thoughts = count(usage, "total_thought_tokens") or count(usage, "total_reasoning_tokens") or 0
    readings = [(given + tools, written + thoughts), (given + tools, written), (given, written + thoughts)]
    readings.append((given, written))
    total = count(usage, "total_tokens")
    billed_input, billed_output = next((reading for reading in readings if sum(reading) == total), readings[0])
    return Usage(
        input=billed_input,
        output=billed_output,
        cache_read=min(count(usage, "total_cached_tokens") or 0, billed_input),
        reasoning=min(thoughts, billed_output),
    )
