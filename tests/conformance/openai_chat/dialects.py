"""The dialect of every vendor of Chat Completions, by the vendor's own documentation (see ``Dialect``'s flags).

Written down once more beside the catalog, so that these tests say what a flag does and not what a row happens to hold.
"""

from __future__ import annotations

from typing import Any

DIALECTS: dict[str, dict[str, Any]] = {
    "openai": {"tool_ids": "at_most_40", "files": "images_and_pdf", "closed_schema": True},
    "azure": {"tool_ids": "at_most_40", "closed_schema": True},
    "deepseek": {
        "max_tokens": "max_tokens",
        "files": "none",
        "thinking_switch": True,
        "structured_output": "none",
        "reasoning_fields": ["reasoning_content"],
        "replayed": ["reasoning_content"],
        "required_with_calls": "reasoning_content",
        "fences": "stripped",
    },
    "xai": {"schema_beside_tools": "after_tools", "reasoning_beside_output": True},
    "cerebras": {"files": "none", "think_tags": True},
    "groq": {"tool_result_name": True, "think_tags": True},
    "mistral": {
        "path": "/v1/chat/completions",
        "max_tokens": "max_tokens",
        "usage_option": False,
        "tool_ids": "nine_alphanumerics",
        "strict_turns": True,
    },
    "ollama": {
        "max_tokens": "max_tokens",
        "forced_tool": "auto",
        "remote_files": False,
        "structured_output": "json_object",
        "schema_beside_tools": "held_back",
        "think_tags": True,
        "fences": "stripped_with_schema",
    },
    "openrouter": {
        "max_tokens": "max_tokens",
        "files": "images_and_pdf",
        "reasoning_effort": "object",
        "structured_output": "by_model",
        "schema_beside_tools": "held_back",
        "require_parameters": True,
        "reasoning_fields": ["reasoning", "reasoning_content", "reasoning_details"],
        "replayed": ["reasoning_details"],
    },
    "fireworks": {
        "max_tokens": "max_tokens",
        "structured_output": "json_schema_unmarked",
        "schema_beside_tools": "held_back",
        "think_tags": True,
    },
    "together": {
        "max_tokens": "max_tokens",
        "structured_output": "json_object",
        "schema_beside_tools": "held_back",
        "think_tags": True,
    },
    "baseten": {"max_tokens": "max_tokens", "schema_beside_tools": "held_back", "think_tags": True},
    "vllm": {"path": "/v1/chat/completions", "think_tags": True, "fences": "stripped_with_schema"},
    "litellm": {
        "path": "/v1/chat/completions",
        "closed_schema": True,
        "schema_beside_tools": "held_back",
        "tools_for_history": True,
        "replayed": ["thinking_blocks"],
        "think_tags": True,
        "fences": "stripped_with_schema",
    },
    "google": {},
}
DIALECTS["ollama-cloud"] = DIALECTS["ollama"]
