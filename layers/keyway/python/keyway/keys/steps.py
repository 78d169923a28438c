"""The steps of key resolution, one small function each, and what they look at.

A step returns a credential, or ``None`` to pass on to the next. It reads a store only when it has to, and each store
at most once in a search. The order of the steps is in ``resolve.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from pydantic import SecretStr

from keyway.catalog import Hosting
from keyway.errors import InvalidRequest
from keyway.keys.credential import Credential
from keyway.keys.pool import KeyPool

_PLACEHOLDER = "empty"
"""Sent where a server asks for no key but its protocol wants a word in the header."""

_ROTATING = 3
"""How many numbered keys the rotation by minute knows."""


class WorkspaceKeys(Protocol):
    """The keys that workspaces have stored."""

    async def key(self, workspace_id: str, provider: str) -> str | None:
        """The secret whose turn it is, or ``None`` when the workspace stored none for ``provider``.

        Raises:
            KeyStoreUnavailable: The store, or every key in it, cannot be read.
        """
        ...


class PlatformKeys(Protocol):
    """The platform's own keys: one document of name to key."""

    async def current(self) -> Mapping[str, str]:
        """The document; empty when the operator configured none. May wait for the first read.

        Raises:
            KeyStoreUnavailable: It has never been read and cannot be read now.
        """
        ...


class Flags(Protocol):
    """Feature flags."""

    async def enabled(self, name: str, context: Mapping[str, object]) -> bool:
        """Whether the flag is on for ``context``. Never raises; waits at most for the first read."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """Where keys are kept. One of each per environment."""

    workspace_keys: WorkspaceKeys
    platform_keys: PlatformKeys
    pool: KeyPool


@dataclass(slots=True)
class Search:
    """One search for a key, for a model or for a tool: the question, the stores, and what has been read so far.

    Attributes:
        payee: Who is paid with the key: a provider's id, or what stands for it in a tool's row.
        workspace_id: Whose stored keys may pay; ``None`` when nobody's may.
        callers_key: The key that was sent along.
        hosting: Which stored and which hosted keys are the payee's; ``None`` when the platform keeps none for it.
        platform_key: The name of the one platform key of the order of old.
        hosted_model: Whether the platform pays for this model in the order of old.
        hosted: Whether this is a hosted platform.
        minute: Minutes since the epoch (or of the hour), for the rotation.
        aws_keys: An AWS access key's id and its secret, as they were sent along.
    """

    stores: Stores
    payee: str
    workspace_id: str | None
    callers_key: SecretStr | None
    hosting: Hosting | None
    platform_key: str | None = None
    hosted_model: bool = False
    hosted: bool = False
    minute: int = 0
    aws_keys: tuple[str | None, SecretStr | None] = (None, None)
    _workspace_key: list[str | None] = field(default_factory=list)

    async def workspace_key(self) -> str | None:
        """The workspace's key. Read once: a second look would take another key's turn."""
        if not self._workspace_key:
            found = None
            if self.workspace_id is not None and self.hosting is not None:
                found = await self.stores.workspace_keys.key(self.workspace_id, self.hosting.byok_provider)
            self._workspace_key.append(found)
        return self._workspace_key[0]


Step: TypeAlias = Callable[[Search], Awaitable[Credential | None]]


async def workspace_key(search: Search) -> Credential | None:
    """The key the workspace stored for this provider."""
    secret = await search.workspace_key()
    return None if secret is None else Credential(secret, "byok")


async def workspace_key_if_rotating(search: Search) -> Credential | None:
    """The workspace's key, on a hosted platform, for a model that the rotation covers.

    A provider that the rotation does not cover at all still lets a workspace bring its key.
    """
    hosting = search.hosting
    if not search.hosted or hosting is None or (hosting.covers_catalog and not search.hosted_model):
        return None
    return await workspace_key(search)


async def callers_key(search: Search) -> Credential | None:
    """The key sent with the request."""
    secret = _said(search.callers_key)
    return None if secret is None else Credential(secret, "caller")


async def pool_key(search: Search) -> Credential | None:
    """The pool's next key for this payee."""
    if search.hosting is None:
        return None
    document = await search.stores.platform_keys.current()
    taken = search.stores.pool.take(search.payee, search.hosting.key_prefix, document)
    return None if taken is None else Credential(secret=taken[1], origin="hosted", key=taken[0])


async def rotating_key(search: Search) -> Credential | None:
    """On a hosted platform and for a model it pays for: the numbered key that the minute points at."""
    hosting = search.hosting
    if not search.hosted or not search.hosted_model or hosting is None:
        return None
    document = await search.stores.platform_keys.current()
    numbered = (document.get(f"{hosting.key_prefix}_{number}", "") for number in range(1, _ROTATING + 1))
    secrets = [secret.strip() for secret in numbered if secret.strip()]
    return Credential(secrets[search.minute % len(secrets)], "legacy") if secrets else None


async def named_key(search: Search) -> Credential | None:
    """The one platform key that the provider's row names, such as ``FIREWORKS_API_KEY``."""
    if search.platform_key is None:
        return None
    document = await search.stores.platform_keys.current()
    secret = document.get(search.platform_key, "").strip()
    return Credential(secret, "legacy") if secret else None


async def callers_aws_keys(search: Search) -> Credential | None:
    """The AWS keys sent with the request; the secret one is the credential's secret."""
    key_id, sent = search.aws_keys
    secret = _said(sent)
    if (secret is None) == (key_id is None or not key_id.strip()):
        return None if secret is None else Credential(secret, "caller")
    missing = "bedrockSecretKey" if secret is None else "bedrockAccessKeyId"
    raise InvalidRequest(
        f"{missing}: is missing. Send both bedrockAccessKeyId and bedrockSecretKey, or neither.",
        provider=search.payee,
    )


async def functions_role(_search: Search) -> Credential | None:
    """The AWS role this function runs as."""
    return Credential(None, "ambient")


async def placeholder(_search: Search) -> Credential | None:
    """No key is needed; a word stands in its place."""
    return Credential(_PLACEHOLDER, "none")


async def no_key(_search: Search) -> Credential | None:
    """No key is sent; the provider may refuse that itself."""
    return Credential(None, "none")


OF_THE_WORKSPACE = frozenset({workspace_key, workspace_key_if_rotating})
"""Steps that give the workspace's stored key."""

FIT_FOR_ANY_ADDRESS = frozenset({callers_key, callers_aws_keys, placeholder, no_key})
"""Steps that give nothing of the platform's or the workspace's, so that their secret may go where the caller says."""


def _said(secret: SecretStr | None) -> str | None:
    value = None if secret is None else secret.get_secret_value()
    return value if value and value.strip() else None
