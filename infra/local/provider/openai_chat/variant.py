"""What sets one vendor of Chat Completions apart from another, as data. The vendors themselves are ``vendors.py``.

A vendor is played at its most awkward: where its answers come in several forms, the scripted provider chooses the
one that is hardest to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from infra.local.provider.script import Ending, Refusal

CREATED = 1_790_000_000
"""The epoch second at which every scripted completion was created."""

UsagePlace: TypeAlias = Literal["own_chunk", "own_chunk_with_choice", "last_chunk", "every_chunk", "x_groq"]
Counts: TypeAlias = Literal["openai", "deepseek", "xai", "mistral", "groq", "openrouter", "cached_only", "plain"]
Reasoning: TypeAlias = Literal["hidden", "fields", "chunks", "tags"]
Calls: TypeAlias = Literal["pieces", "pieces_without_index", "whole_at_0", "together"]
InBand: TypeAlias = Literal["error", "error_then_done", "event", "status_beside", "choice", "text"]
ErrorForm: TypeAlias = Literal[
    "openai", "azure", "groq", "flat", "xai", "mistral", "openrouter", "vllm", "fireworks", "litellm", "text"
]
Unknown: TypeAlias = Literal["ignored", "openai", "mistral", "groq", "cerebras", "fireworks"]

_WRONG_KEY = Refusal(401, "invalid_request_error", "Incorrect API key provided: {key}.", "invalid_api_key")
_NO_KEY = Refusal(401, "invalid_request_error", "You didn't provide an API key.")


@dataclass(frozen=True, slots=True)
class Variant:
    """One vendor.

    Attributes:
        usage: Where a stream reports its usage. ``own_chunk`` has no choices; ``every_chunk`` holds the total so far.
        usage_asked: It does so only if ``stream_options.include_usage`` asks for it.
        usage_null: Until then each chunk of such a stream says ``usage: null``.
        counts: How tokens are counted and called.
        reasoning: Where visible reasoning stands; ``reasoning_fields`` are the names for ``fields``.
        calls: How a stream tells of tool calls. ``together``: all at once, with the finish reason.
        call_id: The form of an id that nobody chose; ``{n}`` is a number of nine digits.
        refusals: It has a field for a refusal. Elsewhere a refusal is text, and the answer is filtered.
        fences: A text that is JSON comes in a Markdown fence.
        endings: Finish reasons that differ from OpenAI's; ``tool_calls`` is one of the keys.
        role_chunk: A stream begins with a chunk that has the role and no text.
        first_chunk: Members of a chunk before all others, one without choices.
        on_chunks, on_choices, on_documents, on_messages: Members the vendor adds to each; ``on_last`` to the last.
        obfuscates: Chunks are padded with noise that hides their length, unless the request turned it off.
        numbered_calls: Calls have their index in documents too.
        comment: Its keep-alive in a stream; with ``comments_first`` some stand at the start.
        before_document: Its keep-alive before the JSON of an answer that is not streamed.
        in_band, errors: The form of an error inside a stream, and of one with a status of its own.
        wrong_key, no_key: What it says to those.
        headers: On every answer; ``{serial}`` is the request's.
        unknown: What it says to a field it does not know.
        takes, refuses: Fields of the body that it knows beside OpenAI's, or does not know of OpenAI's.
        message_takes: Fields of an assistant's message that it knows beside the common ones.
        mistake_status: The status of a refused body.
        rules: The names of its rules in ``rules.py``.
    """

    usage: UsagePlace = "own_chunk"
    usage_asked: bool = True
    usage_null: bool = False
    counts: Counts = "openai"
    reasoning: Reasoning = "hidden"
    reasoning_fields: tuple[str, ...] = ()
    calls: Calls = "pieces"
    call_id: str = "call_{n}"
    refusals: bool = False
    fences: bool = False
    endings: Mapping[Ending | Literal["tool_calls"], str] = field(default_factory=dict)
    role_chunk: bool = True
    first_chunk: Mapping[str, object] | None = None
    on_chunks: Mapping[str, object] = field(default_factory=dict)
    on_choices: Mapping[str, object] = field(default_factory=dict)
    on_documents: Mapping[str, object] = field(default_factory=dict)
    on_messages: Mapping[str, object] = field(default_factory=dict)
    on_last: Mapping[str, object] = field(default_factory=dict)
    obfuscates: bool = False
    numbered_calls: bool = False
    comment: str | None = None
    comments_first: int = 0
    before_document: bytes = b""
    in_band: InBand = "error"
    errors: ErrorForm = "openai"
    wrong_key: Refusal = _WRONG_KEY
    no_key: Refusal = _NO_KEY
    headers: Mapping[str, str] = field(default_factory=lambda: {"x-request-id": "req_{serial:032x}"})
    unknown: Unknown = "ignored"
    takes: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    message_takes: frozenset[str] = frozenset()
    mistake_status: int = 400
    rules: tuple[str, ...] = ()
