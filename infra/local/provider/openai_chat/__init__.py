"""Chat Completions as its vendors speak it, each in its own way.

vendors.py   who they are, as data of the form in variant.py
request.py   what comes in, with rules.py; tools.py is what the model sees of its tools
answer.py    what goes out, with counts.py and errors.py
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from infra.local.provider.openai_chat.answer import ChatAnswer
from infra.local.provider.openai_chat.errors import refusal_body
from infra.local.provider.openai_chat.request import check
from infra.local.provider.openai_chat.tools import offered, results
from infra.local.provider.openai_chat.variant import Variant
from infra.local.provider.openai_chat.vendors import VENDORS
from infra.local.provider.protocol import WireProtocol, bearer, last_user_text, starred
from infra.local.provider.script import Refusal

__all__ = ["PROTOCOLS"]


def _azure_key(headers: Mapping[str, str]) -> str | None:
    return headers.get("api-key") or bearer(headers)


def _protocol(variant: Variant, path: str) -> WireProtocol:
    def wrong_key(key: str | None) -> Refusal:
        if key is None:
            return variant.no_key
        return replace(variant.wrong_key, message=variant.wrong_key.message.format(key=starred(key)))

    return WireProtocol(
        path=path,
        key=_azure_key if variant.errors == "azure" else bearer,
        wrong_key=wrong_key,
        check=lambda question: check(question, variant),
        wants_stream=lambda question: question.body.get("stream") is True,
        asked=lambda question: last_user_text(question.body.get("messages")),
        answer=lambda question, script, tokens: ChatAnswer(question, script, tokens, variant),
        refusal_body=lambda refusal, serial: refusal_body(variant.errors, refusal, serial),
        headers=lambda serial: {name: value.format(serial=serial) for name, value in variant.headers.items()},
        before_document=variant.before_document,
        offered=offered,
        results=results,
    )


_PATHS: Mapping[str, str] = {
    "azure-openai": r"/openai/deployments/[^/]+/chat/completions",
    "mistral": r"/v1/chat/completions",
    "vllm": r"/v1/chat/completions",
    "litellm": r"/v1/chat/completions",
}
"""Where chats are posted below the base URL, if not at ``/chat/completions``."""

PROTOCOLS: Mapping[str, WireProtocol] = {
    name: _protocol(variant, _PATHS.get(name, "/chat/completions")) for name, variant in VENDORS.items()
}
"""The protocol of each vendor, by provider id."""
