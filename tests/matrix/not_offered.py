"""What a provider does not offer at all: the cells of the matrix that are not run, each with where that is written.

A cell is either here or it is run; ``test_matrix.py`` sees to it that nothing here is without a row, a column and a
source. ``None`` as the third part means both streamed and not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Mode: TypeAlias = Literal["stream", "document"]
MODES: tuple[Mode, ...] = ("stream", "document")

_RESEARCH = 'Google, "Gemini Deep Research Agent": no custom function tools, no structured outputs'
_RESEARCH_LENGTH = 'Google, "Interactions API": an agent takes no limit of tokens'
_RESEARCH_REFUSAL = 'Google, "Interactions API": an interaction has no status for a refusal'

NOT_OFFERED: Mapping[tuple[str, str, Mode | None], str] = {
    ("azure-openai-chat", "thinking", None): (
        'Microsoft, "Azure OpenAI reasoning models": summaries of reasoning are shown by the Responses API only'
    ),
    ("google-research", "tool call", None): _RESEARCH,
    ("google-research", "parallel tool calls", None): _RESEARCH,
    ("google-research", "structured output", None): _RESEARCH,
    ("google-research", "refusal", None): _RESEARCH_REFUSAL,
    ("google-research", "length", None): _RESEARCH_LENGTH,
    ("vertex-research", "tool call", None): _RESEARCH,
    ("vertex-research", "parallel tool calls", None): _RESEARCH,
    ("vertex-research", "structured output", None): _RESEARCH,
    ("vertex-research", "refusal", None): _RESEARCH_REFUSAL,
    ("vertex-research", "length", None): _RESEARCH_LENGTH,
    ("deepseek", "structured output", None): 'DeepSeek, "JSON Output": json_object only, no schema',
    ("deepseek", "image", None): 'DeepSeek, "Create Chat Completion": content is text',
    ("cerebras", "image", None): 'Cerebras, "Chat Completions": content is text',
    ("mistral", "refusal", None): (
        'Mistral, "Chat Completion": finish_reason is stop, length, model_length, error or tool_calls'
    ),
    ("ollama", "refusal", None): 'Ollama, "OpenAI compatibility": no refusal, no filter among the finish reasons',
    ("ollama-cloud", "refusal", None): 'Ollama, "OpenAI compatibility": no refusal, no filter among the finish reasons',
    ("together", "refusal", None): (
        'Together AI, "Create Chat Completion": finish_reason is stop, eos, length, tool_calls or function_call'
    ),
    ("vllm", "refusal", None): 'vLLM, "OpenAI-Compatible Server": a request finishes with stop, length or abort',
    ("bedrock", "in-band error", "document"): (
        'Amazon Bedrock, "Converse": an error has a status of its own; only a stream carries exceptions'
    ),
}
"""Row, column, mode, and the source."""

REFUSED_HERE: frozenset[tuple[str, str]] = frozenset({("deepseek", "image"), ("cerebras", "image")})
"""Of these, what a caller who asks for it nevertheless is told before anything is sent: ``InvalidRequest``."""


def source(way: str, feature: str, mode: Mode) -> str | None:
    """Where it is written that the cell is not offered; ``None`` for a cell that is to be run."""
    return NOT_OFFERED.get((way, feature, None)) or NOT_OFFERED.get((way, feature, mode))
