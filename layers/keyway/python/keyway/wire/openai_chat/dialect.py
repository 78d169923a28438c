"""What sets one vendor of Chat Completions apart from another, as named flags filled from the provider's row.

There is a flag only where two vendors contradict each other. What some do and others simply never do is read from
everybody: usage in ``x_groq``, DeepSeek's and Mistral's names for cached tokens, content as a list of chunks, tool
calls without index or id, errors of every shape. ``Dialect()`` is OpenAI itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, get_args

MaxTokens: TypeAlias = Literal["max_completion_tokens", "max_tokens"]
SystemRole: TypeAlias = Literal["system", "developer"]
ForcedTool: TypeAlias = Literal["named", "required", "any", "auto"]
ToolIds: TypeAlias = Literal["any", "at_most_40", "nine_alphanumerics"]
Files: TypeAlias = Literal["none", "images", "images_and_pdf"]
Effort: TypeAlias = Literal["field", "object", "omitted"]
StructuredOutput: TypeAlias = Literal["json_schema", "json_schema_unmarked", "by_model", "json_object", "none"]
SchemaBesideTools: TypeAlias = Literal["together", "held_back", "after_tools"]
Fences: TypeAlias = Literal["kept", "stripped", "stripped_with_schema"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One vendor's variant. Each flag's comment says who needs it, and where that is written."""

    path: str = "/chat/completions"
    """Where chats are posted, below the base URL. Mistral's base URL has no version, so its path does
    (``/v1/chat/completions``); Azure's names the deployment."""

    # What is asked

    max_tokens: MaxTokens = "max_completion_tokens"
    """OpenAI's reasoning models refuse ``max_tokens`` (API reference: deprecated). DeepSeek, Mistral, Ollama,
    OpenRouter, Fireworks, Together and Baseten document only that one."""

    usage_option: bool = True
    """Usage of a stream has to be asked for with ``stream_options.include_usage``. Mistral refuses the field with 422
    (``extra_forbidden``) and reports usage unasked."""

    system_role: SystemRole = "system"
    """OpenAI's reasoning models call it ``developer`` and take ``system`` for the same; nobody else knows that word."""

    forced_tool: ForcedTool = "named"
    """How a tool the model has to call is asked for: by name, or where a host knows only a word for "some tool"
    (``required``; Mistral's ``any``) by that word with no other tool offered. ``auto``: Ollama ignores ``tool_choice``
    (its documentation, "OpenAI compatibility"), so the force is lost."""

    tool_ids: ToolIds = "any"
    """Ids the host accepts in the history. Mistral: exactly nine letters or digits (its refusal: "must be a-z,
    A-Z, 0-9, with a length of 9"). OpenAI and Azure: at most 40 characters ("string too long")."""

    tool_result_name: bool = False
    """A tool's answer carries the tool's name beside the call's id (Groq's documentation, "Tool use")."""

    strict_turns: bool = False
    """Mistral answers 400 with code 3230 (``invalid_request_message_order``) to a user's turn right after a tool's, and
    takes an assistant's turn at the end only with ``prefix: true`` (its API reference, "Chat completion")."""

    files: Files = "images"
    """Attachments of a user's message. DeepSeek and Cerebras take none; OpenAI and OpenRouter take PDF as well."""

    remote_files: bool = True
    """The host fetches a file from its URL. Ollama takes base64 only (its documentation, "OpenAI compatibility")."""

    reasoning_effort: Effort = "field"
    """``reasoning_effort`` at the top, OpenRouter's ``reasoning: {effort}`` (its guide "Reasoning tokens"), or not at
    all."""

    reasoning_format: str = ""
    """Groq: ``parsed`` asks for reasoning in a field of its own, beside an effort (its guide "Reasoning"). Empty, it is
    not sent: models that do not reason refuse it, and the tags of the ``raw`` format are read (``think_tags``)."""

    thinking_switch: bool = False
    """DeepSeek: ``thinking: {type: enabled | disabled}`` (its guide "Thinking mode"), from the thinking level: ``none``
    or any other."""

    structured_output: StructuredOutput = "json_schema"
    """How a schema is asked for. ``json_schema_unmarked``: without ``strict``, which Fireworks does not know.
    ``json_object``: JSON mode and the schema in words (Together, Ollama). ``by_model``: ``json_schema`` for models
    that have it, else JSON mode (OpenRouter, whose upstreams differ). ``none``: not at all (DeepSeek)."""

    closed_schema: bool = False
    """A strict schema is made strict first: closed objects, every key required. OpenAI and Azure refuse any other
    (guide "Structured model outputs"); LiteLLM passes it on to hosts that do."""

    schema_beside_tools: SchemaBesideTools = "together"
    """When tools are offered as well. ``held_back``: the schema waits for a closing request without tools, because the
    host would stop calling tools or refuse both (OpenRouter, Fireworks, Together, Baseten, Ollama, LiteLLM).
    ``after_tools``: tools first, and after a round of them the schema in their place (xAI)."""

    tools_for_history: bool = False
    """LiteLLM: a conversation with tool calls is refused without ``tools`` ("Anthropic expects the tools= param"), so a
    request that offers none still lists them, with ``tool_choice: none``."""

    require_parameters: bool = False
    """OpenRouter: with a native schema, only upstreams that honour it (guide "Provider routing")."""

    # What is answered

    reasoning_fields: tuple[str, ...] = ("reasoning_content", "reasoning")
    """Where visible reasoning stands; of one piece told twice the first is taken. ``reasoning_content``: DeepSeek, xAI,
    LiteLLM, Fireworks, older vLLM. ``reasoning``: Groq, Cerebras, OpenRouter, Ollama, Together, newer vLLM.
    ``reasoning_details``: OpenRouter, when it sends nothing plainer."""

    replayed: tuple[str, ...] = ()
    """Fields of an answer that belong on its message in the next request: DeepSeek's ``reasoning_content`` (guide
    "Thinking mode"), OpenRouter's ``reasoning_details`` (guide "Reasoning tokens"), LiteLLM's ``thinking_blocks`` (page
    "Reasoning content"). Nobody else gets any: Groq answers 400 ("property 'reasoning' is unsupported")."""

    required_with_calls: str = ""
    """DeepSeek answers 400 when an assistant's message with tool calls lacks ``reasoning_content``; empty is enough."""

    reasoning_beside_output: bool = False
    """xAI does not count reasoning among ``completion_tokens`` (its guide "Reasoning"); everybody else does."""

    think_tags: bool = False
    """Open models behind vLLM, Ollama, Together, Fireworks and others may write their reasoning as ``<think>…</think>``
    at the start of the text."""

    fences: Fences = "kept"
    """A JSON answer may come in a Markdown fence: from DeepSeek at any time, from vLLM, LiteLLM and Ollama when a
    schema was asked for."""


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "max_tokens": get_args(MaxTokens),
    "system_role": get_args(SystemRole),
    "forced_tool": get_args(ForcedTool),
    "tool_ids": get_args(ToolIds),
    "files": get_args(Files),
    "reasoning_effort": get_args(Effort),
    "structured_output": get_args(StructuredOutput),
    "schema_beside_tools": get_args(SchemaBesideTools),
    "fences": get_args(Fences),
}
_TYPES: Mapping[str, type] = {field.name: type(field.default) for field in fields(Dialect)}


def dialect(row: Mapping[str, Any]) -> Dialect:
    """The ``Dialect`` of a provider row's flags; ``{}`` is OpenAI itself.

    Raises:
        ValueError: A flag is unknown, or its value is not one the flag can have.
    """
    return Dialect(**{name: _value(name, given) for name, given in row.items()})


def _value(name: str, given: Any) -> Any:
    if name not in _TYPES:
        raise ValueError(f"openai_chat has no dialect flag {name!r}; known are {', '.join(_TYPES)}")
    if name in _CHOICES:
        if given not in _CHOICES[name]:
            raise ValueError(f"the openai_chat dialect flag {name!r} must be one of {', '.join(_CHOICES[name])}")
    elif _TYPES[name] is tuple:
        if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
            raise ValueError(f"the openai_chat dialect flag {name!r} must be a list of text")
        return tuple(given)
    elif type(given) is not _TYPES[name]:
        raise ValueError(f"the openai_chat dialect flag {name!r} must be a {_TYPES[name].__name__}")
    return given
