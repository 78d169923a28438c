"""What is sent where: the provider's address, its headers and the key, as one HTTP request. Pure.

The body comes from a wire, the address from the provider's row or from the operator's ``PROVIDER_BASE_URLS``.
Sending it is ``outside/upstream.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from keyway import __version__
from keyway.catalog import Provider
from keyway.errors import AuthFailed, InvalidRequest
from keyway.keys.credential import Credential
from keyway.wire.contract import Outgoing


@dataclass(frozen=True, slots=True, repr=False)
class HttpRequest:
    """A POST ready to be sent. Its headers hold a key, so it has no readable ``repr``."""

    provider: str
    url: str
    headers: Mapping[str, str]
    content: bytes


def http_request(
    provider: Provider, credential: Credential, outgoing: Outgoing, *, base_urls: Mapping[str, str]
) -> HttpRequest:
    """The request that carries ``outgoing`` to ``provider``, paid for by ``credential``.

    Args:
        base_urls: The operator's addresses by provider id; they win over the row's.

    Raises:
        InvalidRequest: The provider has no address of its own and the operator set none.
        AuthFailed: The key holds characters that no HTTP header may carry.
    """
    base_url = base_urls.get(provider.id) or provider.base_url
    if base_url is None:
        raise InvalidRequest(f"provider: {provider.id} has no base URL; the operator has to set one")
    return HttpRequest(
        provider=provider.id,
        url=base_url.rstrip("/") + outgoing.path,
        headers={
            "content-type": "application/json",
            "accept": "text/event-stream" if outgoing.streamed else "application/json",
            # A compressed stream arrives in blocks, not as it is produced.
            "accept-encoding": "identity",
            "user-agent": f"keyway/{__version__}",
            **provider.headers,
            **outgoing.headers,
            **_auth_headers(provider, credential),
        },
        content=json.dumps(outgoing.body, separators=(",", ":")).encode(),
    )


def _auth_headers(provider: Provider, credential: Credential) -> dict[str, str]:
    secret = credential.secret
    if secret is None:
        return {}
    if not (secret.isascii() and secret.isprintable()) or secret != secret.strip():
        raise AuthFailed(
            f"The key for {provider.id} holds characters that no HTTP header may carry"
            " (a line break from copying it, perhaps).",
            provider=provider.id,
        )
    return {auth.header: auth.prefix + secret for auth in provider.auth}
