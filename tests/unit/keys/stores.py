"""Stores in memory that write down what they were asked, and one provider row of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keyway.capabilities import Model
from keyway.catalog import Hosting, LegacyRule, Provider
from keyway.errors import KeyStoreUnavailable

DOWN = object()


@dataclass
class Stores:
    """Workspace keys, platform keys and flags. ``asked`` holds every question, in order."""

    stored: object = None
    document: Mapping[str, str] | object = field(default_factory=dict)
    flag: bool = False
    asked: list[str] = field(default_factory=list)
    contexts: list[Mapping[str, object]] = field(default_factory=list)

    async def key(self, workspace_id: str, provider: str) -> str | None:
        self.asked.append(f"workspace {workspace_id} {provider}")
        if self.stored is DOWN:
            raise KeyStoreUnavailable("the workspace's keys cannot be read")
        assert self.stored is None or isinstance(self.stored, str)
        return self.stored

    async def current(self) -> Mapping[str, str]:
        self.asked.append("platform")
        if not isinstance(self.document, Mapping):
            raise KeyStoreUnavailable("the platform's keys cannot be read")
        return self.document

    async def enabled(self, name: str, context: Mapping[str, object]) -> bool:
        self.asked.append(f"flag {name}")
        self.contexts.append(context)
        return self.flag


class Listed:
    """A catalog in which the platform pays for every model but those called ``unlisted``."""

    def is_hosted_model(self, provider: Provider, model: Model) -> bool:
        return provider.hosting is not None and provider.hosting.covers_catalog and model.id != "unlisted"


def _row(
    provider: str,
    name: str,
    legacy: LegacyRule,
    *,
    pool: str | None = None,
    covers: bool = False,
    own: str | None = None,
) -> Provider:
    return Provider(
        id=provider,
        name=name,
        wire="openai_chat",
        base_url=None,
        auth=(),
        headers={},
        dialect={},
        legacy=legacy,
        fallback=Model("*", provider, "*"),
        hosting=Hosting(pool, provider, covers_catalog=covers) if pool else None,
        platform_key=own,
    )


PROVIDERS = {
    row.id: row
    for row in (
        _row("openai", "OpenAI", "rotation", pool="OPENAI_API_KEY", covers=True),
        _row("mistral", "Mistral", "rotation", pool="MISTRAL_API_KEY"),
        _row("fireworks", "Fireworks", "singular", pool="FIREWORKS_API_KEY", own="FIREWORKS_API_KEY"),
        _row("ollama-cloud", "Ollama Cloud", "pool-only", pool="OLLAMA_CLOUD_API_KEY"),
        _row("groq", "Groq", "caller"),
        _row("vllm", "vLLM", "caller-or-own", own="VLLM_API_KEY"),
        _row("azure-openai", "Azure OpenAI", "caller-or-blank", own="AZURE_OPENAI_API_KEY"),
        _row("ollama", "Ollama", "empty"),
        _row("bedrock", "AWS Bedrock", "ambient"),
    )
}
