"""The twenty providers and the ways there are to reach them: the rows of the matrix, as data.

A provider has one row for each protocol it is spoken to in. What a row cannot do stands in ``not_offered.py``; how a
row is asked and played is in ``features.py``. A provider's part of this suite is its row here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from keyway.chat import Json

Key: TypeAlias = Literal["hosted", "caller", "aws", "none"]
Count: TypeAlias = Literal["cache_read", "reasoning"]

EVERYTHING: frozenset[Count] = frozenset({"cache_read", "reasoning"})
NO_REASONING: frozenset[Count] = frozenset({"cache_read"})
TOTALS: frozenset[Count] = frozenset()


@dataclass(frozen=True, slots=True)
class Way:
    """One provider, spoken to in one protocol.

    Attributes:
        wire: The protocol that has to be spoken, whatever the catalog says.
        key: Whose key pays.
        legacy: Whose key pays when the flag for hosted keys is off, for a provider that has some; ``None``: nobody's.
        asks: What every request of this row needs beside the question.
        thinks: What a request for visible reasoning needs beside that.
        reports: Which parts of its token totals the provider tells.
        opaque: Members of an answer that have to come back with the conversation, by name.
        address: Stands behind the provider's base URL.
        name: The row's name, when it is not the provider's.
    """

    provider: str
    model: str
    wire: str
    key: Key
    legacy: Literal["legacy"] | None = None
    asks: Json = field(default_factory=lambda: MappingProxyType({}))
    thinks: Json = field(default_factory=lambda: MappingProxyType({}))
    reports: frozenset[Count] = EVERYTHING
    opaque: tuple[str, ...] = ()
    address: str = ""
    name: str = ""

    @property
    def id(self) -> str:
        return self.name or self.provider


WAYS: tuple[Way, ...] = (
    Way(
        "openai", "gpt-4.1", "openai_responses", "hosted", legacy="legacy",
        thinks={"model": "gpt-5.4", "reasoningEffort": "low"}, opaque=("encrypted_content",),
    ),
    Way(
        "azure-openai", "azure/gpt-4.1", "openai_responses", "caller",
        thinks={"model": "azure/gpt-5.4", "reasoningEffort": "low"}, opaque=("encrypted_content",),
    ),
    Way(
        "azure-openai", "azure/gpt-4.1", "openai_chat", "caller", name="azure-openai-chat",
        address="/openai/deployments/gpt-4.1/chat/completions",
    ),
    Way(
        "anthropic", "claude-sonnet-4-5", "anthropic_messages", "hosted", legacy="legacy",
        thinks={"thinkingLevel": "low"}, opaque=("signature",),
    ),
    Way(
        "azure-anthropic", "azure-anthropic/claude-sonnet-4-5", "anthropic_messages", "caller",
        thinks={"thinkingLevel": "low"}, opaque=("signature",),
    ),
    Way(
        "google", "gemini-3.5-flash", "gemini_generate", "hosted", legacy="legacy",
        thinks={"thinkingLevel": "low"}, opaque=("thoughtSignature",),
    ),
    Way(
        "google", "deep-research-pro-preview-12-2025", "google_interactions", "hosted", legacy="legacy",
        name="google-research",
    ),
    Way(
        "vertex", "vertex/gemini-3.5-flash", "gemini_generate", "caller",
        asks={"vertexProject": "our-project", "vertexLocation": "europe-west4"},
        thinks={"thinkingLevel": "low"}, opaque=("thoughtSignature",),
    ),
    Way(
        "vertex", "vertex/deep-research-pro-preview-12-2025", "google_interactions", "caller", name="vertex-research",
        asks={"vertexProject": "our-project", "vertexLocation": "global"},
    ),
    Way("deepseek", "deepseek-v4-flash", "openai_chat", "caller", opaque=("reasoning_content",)),
    Way("xai", "grok-4.3", "openai_chat", "caller"),
    Way("cerebras", "cerebras/gpt-oss-120b", "openai_chat", "caller"),
    Way("groq", "groq/openai/gpt-oss-120b", "openai_chat", "caller"),
    Way(
        "mistral", "mistral-large-latest", "openai_chat", "hosted", legacy=None,
        thinks={"model": "magistral-medium-latest"}, reports=NO_REASONING,
    ),
    Way("ollama", "gpt-oss:20b", "openai_chat", "none", reports=TOTALS),
    Way("ollama-cloud", "ollama-cloud/gpt-oss:120b", "openai_chat", "hosted", legacy=None, reports=TOTALS),
    Way(
        "openrouter", "openrouter/anthropic/claude-sonnet-4.5", "openai_chat", "caller", opaque=("reasoning_details",),
    ),
    Way(
        "fireworks", "fireworks/accounts/fireworks/models/deepseek-v3p2", "openai_chat", "hosted", legacy="legacy",
        reports=NO_REASONING,
    ),
    Way("together", "together/MiniMaxAI/MiniMax-M3", "openai_chat", "hosted", legacy="legacy", reports=TOTALS),
    Way(
        "baseten", "baseten/deepseek-ai/DeepSeek-V4-Pro", "openai_chat", "hosted", legacy="legacy", reports=TOTALS,
    ),
    Way("vllm", "vllm/Qwen/Qwen3-32B", "openai_chat", "caller", reports=TOTALS),
    Way("litellm", "litellm/claude-sonnet-4-5", "openai_chat", "caller"),
    Way(
        "bedrock", "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock_converse", "aws",
        reports=NO_REASONING, opaque=("signature",),
    ),
)  # fmt: skip

PRICES: Mapping[str, Mapping[str, object]] = {
    "ollama-cloud": {"ollama-cloud/gpt-oss:120b": {"input": "0.15", "output": "0.6"}}
}
"""What an operator has to add before a platform key may pay: no public price list names Ollama Cloud's models."""
