"""The workspace-keys Lambda function: the only writer of the keys that workspaces store.

It is invoked directly, by whom IAM allows to; it has no URL. It encrypts and cannot decrypt, and it knows no platform
key. Events are described in ``keyway/doors/workspace_keys.py``, and what is stored in ``keyway/outside/``. A key is
checked by asking its provider for a few tokens with it, through the same gateway that will use it.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyway.catalog import Catalog, Provider
from keyway.doors.native.request import read_request
from keyway.doors.workspace_keys import Command, read_command
from keyway.errors import (
    AuthFailed,
    InvalidRequest,
    KeywayError,
    ModelUnavailable,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)
from keyway.gateway import Invocation
from keyway.outside.aws import Aws
from keyway.outside.workspace_keys_admin import WorkspaceKeysAdmin
from keyway.settings import SettingError, Settings
from keyway.wiring import Keyway
from stream_runtime import Context

_TOKENS = 16
"""How long an answer is asked for: the least that every provider takes."""


class Function:
    """The handler. The runtime calls ``start`` while the environment initialises."""

    def __init__(self) -> None:
        self._keyway: Keyway | None = None
        self._admin: WorkspaceKeysAdmin | None = None
        self._aws = Aws()

    async def start(self) -> None:
        """Reads the settings. Raises ``SettingError`` naming a wrong or missing variable."""
        settings = Settings.from_environment()
        if not settings.workspace_keys_table or not settings.workspace_keys_kms_key:
            raise SettingError("WORKSPACE_KEYS_TABLE and WORKSPACE_KEYS_KMS_KEY: both are needed here")
        self._keyway = Keyway(settings)
        self._admin = WorkspaceKeysAdmin(
            self._aws, table=settings.workspace_keys_table, kms_key=settings.workspace_keys_kms_key
        )
        await self._keyway.start()

    async def restored(self) -> None:
        """After a SnapStart restore."""
        assert self._keyway is not None
        self._aws.restored()
        await self._keyway.restored()

    async def stop(self) -> None:
        """Before the environment goes away."""
        assert self._keyway is not None
        self._aws.stop()
        await self._keyway.stop()

    async def __call__(self, event: Mapping[str, object], context: Context) -> dict[str, object]:
        """One invocation. An error's class name is its type, as in the gateway."""
        assert self._admin is not None
        assert self._keyway is not None
        command = read_command(event)
        # A key that is there may be listed, replaced and deleted, whoever has left the catalog since it was stored.
        if (command.action == "put" or command.check) and not self._is_for_tools(command):
            provider = self._keyway.catalog.provider(command.provider)
            if command.check:
                await self._check(command, provider, context)
        match command.action:
            case "put":
                stored = await self._admin.put(command.workspace_id, command.provider, command.api_key, command.label)
                return {"key": {**stored.to_json(), "checked": command.check}}
            case "rotate":
                stored = await self._admin.rotate(
                    command.workspace_id, command.provider, command.id, command.api_key, command.label
                )
                return {"key": {**stored.to_json(), "checked": command.check}}
            case "delete":
                stored = await self._admin.delete(command.workspace_id, command.provider, command.id)
                return {"deleted": stored.to_json()}
            case "list":
                keys = await self._admin.list(command.workspace_id, command.provider)
                return {"keys": [key.to_json() for key in keys]}

    def _is_for_tools(self, command: Command) -> bool:
        """Whether the key is for the operator's tools, which have names of their own for whom they pay.

        Raises:
            InvalidRequest: Such a key is to be checked, which takes a model.
        """
        assert self._keyway is not None
        name = command.provider
        models = {provider.id for provider in self._keyway.catalog.providers()}
        tools = self._keyway.tools
        if name in models or tools is None or name not in tools.catalog.byok_providers:
            return False
        if command.check:
            raise InvalidRequest(
                f"check: the key of {name} is for tools, which cannot be asked about it. Leave check out."
            )
        return True

    async def _check(self, command: Command, provider: Provider, context: Context) -> None:
        """Asks the provider. Returns when it takes the key, and raises ``AuthFailed`` when it does not."""
        assert self._keyway is not None
        request, caller = read_request(
            {
                "provider": provider.id,
                "model": command.model or cheapest_model(self._keyway.catalog, provider),
                "messages": [{"role": "user", "content": "Say OK."}],
                "maxTokens": _TOKENS,
                "apiKey": command.api_key,
            }
        )
        invocation = Invocation(request_id=context.request_id, deadline=context.deadline_ms / 1000)
        try:
            exchange = await self._keyway.gateway.open(request, caller, invocation)
            await exchange.whole()
        except AuthFailed:
            raise AuthFailed(f"{provider.name} refuses this key, so it was not stored.", provider=provider.id) from None
        except (RateLimited, ProviderRejected, ModelUnavailable):
            return  # the provider knew the key, and had something else to object to
        except InvalidRequest as error:
            raise InvalidRequest(f"check: the key of {provider.name} cannot be checked: {error.message}") from None
        except KeywayError as error:
            raise ProviderUnavailable(
                f"{provider.name} could not be asked about this key ({error.type}), so it was not stored. Try again, or"
                " store it without check.",
                provider=provider.id,
            ) from None


def cheapest_model(catalog: Catalog, provider: Provider) -> str:
    """The id of the provider's model that costs least per token of output.

    Raises:
        InvalidRequest: The catalog prices none of its models.
    """
    priced = [
        (offer.price.rates.output, offer.model.id)
        for offer in catalog.listing()
        if offer.model.provider == provider.id and offer.price is not None and not offer.deprecated
    ]
    if not priced:
        raise InvalidRequest(f"model: is required to check a key of {provider.name}")
    return min(priced)[1]


handler = Function()
