"""Every provider that can be played, by its id: the protocols it speaks, and its address below the server's.

What stands in a base URL after the provider's id is what stands in the vendor's real one after the host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from infra.local.provider import anthropic_messages, bedrock_converse, openai_responses
from infra.local.provider.gemini_generate import GOOGLE as GEMINI
from infra.local.provider.gemini_generate import VERTEX as GEMINI_ON_VERTEX
from infra.local.provider.google_interactions import GOOGLE as INTERACTIONS
from infra.local.provider.google_interactions import VERTEX as INTERACTIONS_ON_VERTEX
from infra.local.provider.openai_chat import PROTOCOLS as CHAT
from infra.local.provider.protocol import WireProtocol


@dataclass(frozen=True, slots=True)
class Vendor:
    """A provider: its protocols, told apart by their paths, and what stands in its base URL after the host."""

    protocols: tuple[WireProtocol, ...]
    base_path: str = ""

    def spoken_at(self, path: str) -> WireProtocol | None:
        """The protocol that is spoken at ``path``, which stands after the provider's id."""
        base = re.escape(self.base_path)
        return next((each for each in self.protocols if re.fullmatch(base + each.path, path)), None)


_MESSAGES = anthropic_messages.PROTOCOL
_RESPONSES = openai_responses.PROTOCOL
_AZURE_RESPONSES = replace(
    _RESPONSES,
    path=r"/openai/(v1/)?responses",
    key=CHAT["azure-openai"].key,
    wrong_key=CHAT["azure-openai"].wrong_key,
    refusal_body=CHAT["azure-openai"].refusal_body,
)
_CHAT_PATHS = {
    "deepseek": "/v1",
    "xai": "/v1",
    "cerebras": "/v1",
    "groq": "/openai/v1",
    "mistral": "",
    "ollama": "/v1",
    "ollama-cloud": "/v1",
    "openrouter": "/api/v1",
    "fireworks": "/inference/v1",
    "together": "/v1",
    "baseten": "/v1",
    "vllm": "",
    "litellm": "",
}

VENDORS: Mapping[str, Vendor] = {
    "openai": Vendor((_RESPONSES, CHAT["openai"]), "/v1"),
    "azure-openai": Vendor((_AZURE_RESPONSES, CHAT["azure-openai"])),
    "anthropic": Vendor((_MESSAGES,)),
    "azure-anthropic": Vendor((replace(_MESSAGES, path=r"/anthropic/v1/messages"),)),
    "google": Vendor((GEMINI, INTERACTIONS), "/v1beta"),
    "vertex": Vendor((GEMINI_ON_VERTEX, INTERACTIONS_ON_VERTEX), "/v1beta1"),
    **{name: Vendor((CHAT[name],), path) for name, path in _CHAT_PATHS.items()},
    "bedrock": Vendor((bedrock_converse.PROTOCOL,)),
}
