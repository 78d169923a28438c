"""The vendors of Chat Completions that can be played, by provider id.

Sources: recordings of OpenAI, Azure, Groq, OpenRouter, Cerebras, DeepSeek, Mistral and Ollama; LiteLLM's own proxy;
each vendor's API reference; and the words of refusals as their users report them.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.local.provider.openai_chat.variant import CREATED, Variant
from infra.local.provider.script import Refusal

_SAFE: Mapping[str, object] = {
    name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")
}
_PROMPT_FILTERS = [
    {"prompt_index": 0, "content_filter_results": {**_SAFE, "jailbreak": {"filtered": False, "detected": False}}}
]
_OPENAI_RULES = (
    "calls_and_results",
    "ids_of_at_most_40",
    "strict_schemas",
    "word_json",
    "tools_with_choice",
    "usage_of_streams",
    "reasoning_models",
)
_OPENAIS_OWN = frozenset(
    {"store", "verbosity", "prediction", "modalities", "audio", "web_search_options", "moderation"}
)
_TIMES = {"queue_time": 0.01, "prompt_time": 0.01, "completion_time": 0.1, "total_time": 0.12, "created": CREATED}
_OLLAMA = Variant(
    counts="plain",
    reasoning="fields",
    reasoning_fields=("reasoning",),
    calls="whole_at_0",
    call_id="call_{n}",
    endings={"tool_calls": "stop"},
    on_chunks={"system_fingerprint": "fp_ollama"},
    role_chunk=False,
    in_band="error",
    wrong_key=Refusal(401, "invalid_request_error", "unauthorized"),
    no_key=Refusal(401, "invalid_request_error", "unauthorized"),
    headers={},
    rules=("files_as_data",),
)

VENDORS: Mapping[str, Variant] = {
    "openai": Variant(
        usage_null=True,
        refusals=True,
        on_chunks={"service_tier": "default", "system_fingerprint": "fp_scripted"},
        on_messages={"annotations": []},
        obfuscates=True,
        on_choices={"logprobs": None},
        headers={"x-request-id": "req_{serial:032x}", "openai-version": "2020-10-01"},
        unknown="openai",
        rules=_OPENAI_RULES,
    ),
    "azure-openai": Variant(
        usage_null=True,
        refusals=True,
        first_chunk={"prompt_filter_results": _PROMPT_FILTERS},
        on_chunks={"system_fingerprint": "fp_scripted"},
        on_choices={"logprobs": None, "content_filter_results": _SAFE},
        on_documents={"prompt_filter_results": _PROMPT_FILTERS},
        errors="azure",
        wrong_key=Refusal(
            401,
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for "
            "an active subscription and use a correct regional API endpoint for your resource.",
        ),
        no_key=Refusal(401, "401", "Access denied due to missing subscription key."),
        headers={"x-request-id": "{serial:032x}", "apim-request-id": "{serial:032x}", "x-ms-region": "local"},
        unknown="openai",
        takes=frozenset({"data_sources", "user_security_context"}),
        rules=(*_OPENAI_RULES, "api_version"),
    ),
    "deepseek": Variant(
        usage="last_chunk",
        usage_asked=False,
        counts="deepseek",
        reasoning="fields",
        reasoning_fields=("reasoning_content",),
        call_id="call_00_{n}",
        numbered_calls=True,
        fences=True,
        on_chunks={"system_fingerprint": "fp_scripted"},
        on_choices={"logprobs": None},
        comment="keep-alive",
        comments_first=2,
        before_document=b"\n\n\n",
        wrong_key=Refusal(
            401, "authentication_error", "Authentication Fails, Your api key: {key} is invalid", "invalid_request_error"
        ),
        no_key=Refusal(
            401,
            "authentication_error",
            "Authentication Fails (auth header format should be Bearer sk-...)",
            "invalid_request_error",
        ),
        headers={"x-ds-trace-id": "{serial:032x}"},
        mistake_status=422,
        rules=(
            "no_developer", "no_files", "reasoning_with_calls", "json_object_only", "word_json", "calls_and_results",
        ),
    ),
    "xai": Variant(
        usage="last_chunk",
        usage_asked=False,
        counts="xai",
        reasoning="fields",
        reasoning_fields=("reasoning_content",),
        on_chunks={"system_fingerprint": "fp_scripted"},
        in_band="text",
        errors="xai",
        wrong_key=Refusal(
            400,
            "Client specified an invalid argument",
            "Incorrect API key provided: {key}. You can obtain an API key from https://console.x.ai.",
        ),
        no_key=Refusal(
            401, "The caller does not have permission", "No API key provided. Provide it as a bearer token."
        ),
        mistake_status=422,
        rules=("effort_by_model",),
    ),
    "cerebras": Variant(
        usage="last_chunk",
        usage_asked=False,
        counts="openai",
        reasoning="fields",
        reasoning_fields=("reasoning",),
        calls="pieces_without_index",
        on_chunks={"system_fingerprint": "fp_scripted"},
        on_documents={"time_info": _TIMES},
        on_last={"time_info": _TIMES},
        in_band="status_beside",
        errors="flat",
        wrong_key=Refusal(401, "invalid_request_error", "Wrong API Key", "wrong_api_key"),
        no_key=Refusal(401, "invalid_request_error", "Missing API Key", "wrong_api_key"),
        headers={
            "x-request-id": "{serial:032x}",
            "x-ratelimit-remaining-requests-day": "999",
            "x-ratelimit-remaining-tokens-minute": "59999",
        },
        unknown="cerebras",
        takes=frozenset({"disable_reasoning", "reasoning_format", "clear_thinking", "service_tier", "queue_threshold"}),
        refuses=_OPENAIS_OWN | {"metadata"},
        message_takes=frozenset({"reasoning"}),
        rules=("no_files",),
    ),
    "groq": Variant(
        usage="x_groq",
        usage_asked=False,
        counts="groq",
        reasoning="fields",
        reasoning_fields=("reasoning",),
        on_chunks={"system_fingerprint": "fp_scripted"},
        on_choices={"logprobs": None},
        on_documents={"x_groq": {"id": "req_scripted"}},
        in_band="event",
        errors="groq",
        wrong_key=Refusal(401, "invalid_request_error", "Invalid API Key", "invalid_api_key"),
        no_key=Refusal(401, "invalid_request_error", "Invalid API Key", "invalid_api_key"),
        headers={"x-request-id": "req_{serial:026x}", "x-groq-region": "local"},
        unknown="groq",
        takes=frozenset(
            {
                "reasoning_format", "include_reasoning", "disable_tool_validation", "search_settings", "documents",
                "citation_options", "compound_custom", "exclude_domains", "include_domains",
            }
        ),
        refuses=frozenset({"verbosity", "prediction", "modalities", "audio", "web_search_options", "moderation"}),
        rules=("schema_or_tools", "word_json"),
    ),
    "mistral": Variant(
        usage="last_chunk",
        usage_asked=False,
        counts="mistral",
        reasoning="chunks",
        calls="together",
        numbered_calls=True,
        call_id="{n}",
        errors="mistral",
        wrong_key=Refusal(401, "unauthorized", "Unauthorized"),
        no_key=Refusal(401, "unauthorized", "Unauthorized"),
        headers={"mistral-correlation-id": "{serial:032x}", "x-kong-request-id": "{serial:032x}"},
        unknown="mistral",
        takes=frozenset({"random_seed", "safe_prompt", "prompt_mode", "guardrails"}),
        refuses=_OPENAIS_OWN
        | {
            "stream_options", "max_completion_tokens", "seed", "logit_bias", "logprobs", "top_logprobs", "user",
            "service_tier", "safety_identifier",
        },
        message_takes=frozenset({"prefix"}),
        mistake_status=422,
        rules=("ids_of_nine", "as_many_results", "turns_in_order"),
    ),
    "ollama": _OLLAMA,
    "ollama-cloud": _OLLAMA,
    "openrouter": Variant(
        usage="own_chunk_with_choice",
        usage_asked=False,
        counts="openrouter",
        reasoning="fields",
        reasoning_fields=("reasoning", "reasoning_details"),
        on_chunks={"provider": "Scripted"},
        on_choices={"native_finish_reason": None, "logprobs": None},
        on_messages={"refusal": None},
        role_chunk=False,
        comment="OPENROUTER PROCESSING",
        comments_first=3,
        in_band="choice",
        errors="openrouter",
        wrong_key=Refusal(401, "401", "User not found."),
        no_key=Refusal(401, "401", "No auth credentials found"),
        headers={"x-generation-id": "gen-{serial:020x}"},
    ),
    "fireworks": Variant(
        usage="last_chunk",
        usage_asked=False,
        counts="cached_only",
        reasoning="fields",
        reasoning_fields=("reasoning_content",),
        errors="fireworks",
        wrong_key=Refusal(401, "UNAUTHORIZED", "The API key you provided is invalid."),
        no_key=Refusal(401, "UNAUTHORIZED", "The API key you provided is invalid."),
        headers={"x-request-id": "{serial:032x}", "x-ratelimit-limit-tokens-prompt": "60000"},
        unknown="fireworks",
        takes=frozenset({"top_k", "min_p", "repetition_penalty", "context_length_exceeded_behavior"}),
        refuses=_OPENAIS_OWN,
        message_takes=frozenset({"reasoning_content"}),
        rules=("unmarked_schema",),
    ),
    "together": Variant(
        usage="last_chunk",
        usage_asked=False,
        counts="plain",
        reasoning="fields",
        reasoning_fields=("reasoning",),
        endings={"stop": "eos"},
        on_choices={"logprobs": None, "seed": 7},
        wrong_key=Refusal(401, "invalid_request_error", "Invalid API key provided.", "invalid_api_key"),
        no_key=Refusal(401, "invalid_request_error", "Missing API key.", "invalid_api_key"),
    ),
    "baseten": Variant(
        usage="every_chunk",
        counts="plain",
        reasoning="tags",
        errors="text",
        wrong_key=Refusal(403, "permission_denied", "please check the api-key you provided"),
        no_key=Refusal(403, "permission_denied", "please check the api-key you provided"),
    ),
    "vllm": Variant(
        counts="plain",
        reasoning="fields",
        reasoning_fields=("reasoning",),
        call_id="chatcmpl-tool-{n}",
        fences=True,
        on_choices={"logprobs": None, "stop_reason": None},
        in_band="error_then_done",
        errors="vllm",
        wrong_key=Refusal(401, "Unauthorized", "Unauthorized"),
        no_key=Refusal(401, "Unauthorized", "Unauthorized"),
        headers={},
    ),
    "litellm": Variant(
        usage="own_chunk_with_choice",
        counts="openai",
        reasoning="fields",
        reasoning_fields=("reasoning_content",),
        fences=True,
        comment="ping",
        in_band="error_then_done",
        errors="litellm",
        wrong_key=Refusal(401, "auth_error", "Authentication Error, Invalid proxy server token passed.", "401"),
        no_key=Refusal(401, "auth_error", "Authentication Error, No api key passed in.", "401"),
        headers={"x-litellm-call-id": "{serial:032x}", "x-litellm-version": "1.106.2"},
        message_takes=frozenset({"thinking_blocks"}),
        rules=("tools_for_history",),
    ),
}  # fmt: skip
