"""Whose key pays for a request: the order, as one visible list.

``POOLED`` is tried first when the platform is hosted, the workspace is known, the provider is hosted and the flag
is on; after it, or instead of it, comes the provider's row of ``LEGACY``. Each step gives a credential or passes;
the first that gives one ends the search, and stores that were not needed are not read.

Two rules stand above the order. Without a workspace there are no stored keys, and no key of a hosted provider's pool
pays. When the request chooses the address it is sent to, only what the caller brought may go there.

A store that cannot be read ends the search with an error: to pass over it would bill somebody else in silence.

The steps are in ``steps.py``; the stores are in ``outside/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import SecretStr

from keyway.capabilities import Model
from keyway.catalog import Hosting, LegacyRule, Provider
from keyway.chat import Caller, ChatRequest
from keyway.errors import KeyRequired
from keyway.keys.credential import Credential
from keyway.keys.pool import KeyPool
from keyway.keys.steps import (
    FIT_FOR_ANY_ADDRESS,
    OF_THE_WORKSPACE,
    Flags,
    PlatformKeys,
    Search,
    Step,
    Stores,
    WorkspaceKeys,
    callers_aws_keys,
    callers_key,
    functions_role,
    named_key,
    no_key,
    placeholder,
    pool_key,
    rotating_key,
    workspace_key,
    workspace_key_if_rotating,
)

FLAG = "hosted-key-llm"

POOLED: Sequence[Step] = (workspace_key, callers_key, pool_key)
BROUGHT: Sequence[Step] = (callers_key,)
"""For models behind the flag, and for the operator's tools."""

LEGACY: Mapping[LegacyRule, Sequence[Step]] = {
    "rotation": (workspace_key_if_rotating, rotating_key, callers_key),
    "singular": (workspace_key, callers_key, named_key),
    "pool-only": (workspace_key, callers_key),
    "caller": (callers_key,),
    "caller-or-own": (callers_key, named_key, placeholder),
    "caller-or-blank": (callers_key, named_key, no_key),
    "empty": (placeholder,),
    "ambient": (callers_aws_keys, functions_role),
}

WITHOUT_WORKSPACE: Mapping[LegacyRule, Sequence[Step]] = {
    "rotation": (callers_key,),
    "singular": (callers_key,),
    "pool-only": (callers_key,),
    "caller": (callers_key,),
    "caller-or-own": (callers_key, named_key, placeholder),
    "caller-or-blank": (callers_key, no_key),
    "empty": (placeholder,),
    "ambient": (callers_aws_keys, functions_role),
}


class HostedModels(Protocol):
    """What the catalog knows of models the platform pays for in the order of old."""

    def is_hosted_model(self, provider: Provider, model: Model) -> bool: ...


class Resolver:
    """Finds the key that pays. One per environment.

    Args:
        hosted: Whether this is a hosted platform (``KEYWAY_HOSTED``): only then do the pool and the rotation pay.
        pool: Deals out the pool's keys.
    """

    def __init__(
        self,
        *,
        catalog: HostedModels,
        hosted: bool,
        workspace_keys: WorkspaceKeys,
        platform_keys: PlatformKeys,
        flags: Flags,
        pool: KeyPool,
    ) -> None:
        self._catalog = catalog
        self._hosted = hosted
        self._stores = Stores(workspace_keys, platform_keys, pool)
        self._flags = flags

    async def resolve(
        self,
        request: ChatRequest,
        caller: Caller,
        provider: Provider,
        model: Model,
        *,
        minute: int,
        caller_chose_address: bool,
    ) -> Credential:
        """The credential that pays for ``request``.

        Args:
            minute: Minutes since the epoch (or of the hour), for the rotation.
            caller_chose_address: The request says where it is sent, so no stored key may go there.

        Raises:
            KeyRequired: No step gave a key.
            KeyStoreUnavailable: A store that had to be asked cannot be read.
            InvalidRequest: The request brought half of a pair of AWS keys.
        """
        search = Search(
            self._stores,
            payee=provider.id,
            workspace_id=caller.workspace_id,
            callers_key=caller.api_key,
            hosting=provider.hosting,
            platform_key=provider.platform_key,
            hosted_model=self._catalog.is_hosted_model(provider, model),
            hosted=self._hosted,
            minute=minute,
            aws_keys=(request.bedrock_access_key_id, request.bedrock_secret_key),
        )
        steps = (WITHOUT_WORKSPACE if caller.workspace_id is None else LEGACY)[provider.legacy]
        if caller_chose_address:
            steps = [step for step in steps if step in FIT_FOR_ANY_ADDRESS]
        elif self._hosted and caller.workspace_id is not None and provider.hosting is not None:
            # Where both orders begin with the workspace's key, the flag need not be read to look for one.
            if steps[0] in OF_THE_WORKSPACE and (credential := await steps[0](search)) is not None:
                return credential
            if await self._flags.enabled(FLAG, _flag_context(caller, provider)):
                steps = (*POOLED, *steps)
        for step in steps:
            if (credential := await step(search)) is not None:
                return credential
        raise KeyRequired(
            f"An API key is required for {provider.name} {request.model}."
            f" {_what_to_do(caller, provider, caller_chose_address=caller_chose_address)}",
            provider=provider.id,
        )

    async def resolve_tool(
        self,
        payee: str,
        *,
        key_prefix: str,
        byok_provider: str | None,
        caller: Caller,
        callers_key: SecretStr | None,
        needs_key: bool = True,
    ) -> Credential | None:
        """The credential that pays for a call of the operator's tool, in the order of models; ``None``: there is none.

        Args:
            payee: Whose turn in the pool it is: ``byok_provider``, or the tool's id.
            key_prefix, byok_provider: Of the tool's row. Without the second, no workspace stores keys for it.
            callers_key: The key that the request brought for this tool.
            needs_key: Whether the call needs any. If not, none is looked for, and only one that was brought is used.

        Raises:
            KeyStoreUnavailable: A store that had to be asked cannot be read.
        """
        search = Search(
            self._stores,
            payee=payee,
            workspace_id=caller.workspace_id if byok_provider is not None else None,
            callers_key=callers_key,
            hosting=Hosting(key_prefix, byok_provider or payee),
        )
        may_pool = self._hosted and caller.workspace_id is not None
        for step in POOLED if needs_key else BROUGHT:
            if (step is not pool_key or may_pool) and (credential := await step(search)) is not None:
                return credential
        return None

    async def another_hosted_key(self, payee: str, key_prefix: str) -> Credential | None:
        """The pool's next key for a tool whose last one was turned away. Stored keys are not looked at again.

        Raises:
            KeyStoreUnavailable: The platform's keys cannot be read.
        """
        hosting = Hosting(key_prefix, payee)
        return await pool_key(Search(self._stores, payee, workspace_id=None, callers_key=None, hosting=hosting))


def _flag_context(caller: Caller, provider: Provider) -> dict[str, object]:
    """What a flag's rules may look at. What is not known is left out, and then matches no rule."""
    known = {"user_id": caller.user_id, "org_id": caller.org_id, "workspace_id": caller.workspace_id}
    # No request can claim to come from an administrator.
    context: dict[str, object] = {"provider": provider.id, "is_admin": False}
    return context | {key: value for key, value in known.items() if value is not None}


def _what_to_do(caller: Caller, provider: Provider, *, caller_chose_address: bool) -> str:
    if caller_chose_address:
        return "Send it as apiKey: to an address that the request chooses, no other key is sent."
    if provider.hosting is None:
        return "Send it as apiKey."
    if caller.workspace_id is None:
        return "Send it as apiKey, or name the workspaceId whose key should pay."
    return "Send it as apiKey, or store one for the workspace."
