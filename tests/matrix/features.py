"""What is asked of every provider, how the provider is played, and what has to come back: the columns of the matrix.

A feature knows no provider. Where protocols use different words for the same mishap, ``MISHAPS`` has them by protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from infra.local.provider import Break, Call, Cut, Refusal, Refuse, Reply, Say, Script, Think, Tokens, words
from keyway.chat import Json
from keyway.events import FinishReason, Usage
from tests.matrix.ways import Way

TOKENS = Tokens(input=1_200, output=340, cache_read=200, reasoning=40)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A PNG of one pixel."""
_WEATHER = {
    "id": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SCHEMA = {
    "name": "place",
    "schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
TOOLS = {"tools": [_WEATHER]}
PARIS = ("get_weather", {"city": "Paris"})
ROME = ("get_weather", {"city": "Rome"})


@dataclass(frozen=True, slots=True)
class Mishaps:
    """How a protocol tells of a limit with a status of its own, and of a failure in the midst of a stream."""

    limit: Refusal
    failure: Break


MISHAPS: Mapping[str, Mishaps] = {
    "openai_responses": Mishaps(
        Refusal(429, "requests", "Rate limit reached for requests", "rate_limit_exceeded"),
        Break("server_error", "The server had an error"),
    ),
    "openai_chat": Mishaps(
        Refusal(429, "rate_limit_error", "Rate limit reached for requests", "rate_limit_exceeded"),
        Break("server_error", "The server had an error"),
    ),
    "anthropic_messages": Mishaps(
        Refusal(429, "rate_limit_error", "Number of requests has exceeded your rate limit"),
        Break("overloaded_error", "Overloaded"),
    ),
    "gemini_generate": Mishaps(
        Refusal(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted", headers={"retry-after": "1"}),
        Break("INTERNAL", "An internal error has occurred."),
    ),
    "google_interactions": Mishaps(
        Refusal(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted", headers={"retry-after": "1"}),
        Break("INTERNAL", "An internal error has occurred."),
    ),
    "bedrock_converse": Mishaps(
        Refusal(429, "ThrottlingException", "Too many requests, please wait before trying again."),
        Break("modelStreamErrorException", "The model failed"),
    ),
}


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that ends well."""

    text: str = ""
    thinking: str = ""
    calls: tuple[tuple[str, Mapping[str, object]], ...] = ()
    finish_reason: FinishReason = "stop"


@dataclass(frozen=True, slots=True)
class Broken:
    """An answer that fails: the error, its upstream status (``None``: any), and what a stream had said by then."""

    error: str
    text: str = ""
    tries: int = 1


Play: TypeAlias = Callable[[Way], Reply]


@dataclass(frozen=True, slots=True)
class Feature:
    """One column.

    Attributes:
        play: What the provider does.
        comes_to: What has to come of it.
        asks: What the request holds beside its question.
        sent: Text that the provider must have been sent.
        thinks: Visible reasoning is asked for.
    """

    name: str
    play: Play
    comes_to: Whole | Broken
    asks: Json = field(default_factory=dict)
    sent: str = "What about Paris?"
    thinks: bool = False


def _script(*steps: Say | Think | Refuse | Call) -> Play:
    return lambda _: Script(*steps, tokens=TOKENS)


FEATURES: tuple[Feature, ...] = (
    Feature("text", _script(*words("Paris is lovely.")), Whole("Paris is lovely.")),
    Feature(
        "thinking",
        _script(Think("Let me "), Think("see."), *words("It rains.")),
        Whole("It rains.", "Let me see."),
        thinks=True,
    ),
    Feature(
        "tool call",
        _script(Call(*PARIS)),
        Whole(calls=(PARIS,), finish_reason="tool_calls"),
        asks=TOOLS,
        sent="get_weather",
    ),
    Feature(
        "parallel tool calls",
        _script(Say("I look."), Call(*PARIS), Call(*ROME)),
        Whole("I look.", calls=(PARIS, ROME), finish_reason="tool_calls"),
        asks=TOOLS,
        sent="get_weather",
    ),
    Feature(
        "structured output",
        _script(Say('{"city": '), Say('"Paris"}')),
        Whole('{"city": "Paris"}'),
        asks={"responseFormat": SCHEMA},
        sent="city",
    ),
    Feature(
        "image",
        _script(*words("One pixel.")),
        Whole("One pixel."),
        asks={
            "messages": [
                {
                    "role": "user",
                    "content": "What is this?",
                    "files": [{"name": "pixel.png", "mimeType": "image/png", "data": PIXEL}],
                }
            ]
        },
        sent=PIXEL,
    ),
    Feature(
        "refusal",
        _script(Refuse("I cannot "), Refuse("help.")),
        Whole("I cannot help.", finish_reason="content_filter"),
    ),
    Feature(
        "length",
        lambda _: Script(*words("Once upon a"), ending="length", tokens=TOKENS),
        Whole("Once upon a", finish_reason="length"),
    ),
    Feature("HTTP error", lambda way: MISHAPS[way.wire].limit, Broken("RateLimited", tries=3)),
    Feature(
        "in-band error",
        lambda way: Script(*words("Once upon"), MISHAPS[way.wire].failure, tokens=TOKENS),
        Broken("ProviderUnavailable", "Once upon"),
    ),
    Feature(
        "truncated stream",
        lambda _: Script(*words("Once upon"), Cut(), tokens=TOKENS),
        Broken("ProviderProtocolError", "Once upon"),
    ),
)


def usage(way: Way) -> Usage:
    """``TOKENS`` as far as ``way`` tells of them."""
    parts = {name: getattr(TOKENS, name) for name in way.reports}
    return Usage(TOKENS.input, TOKENS.output, **parts)
