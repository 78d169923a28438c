"""What is sent where: the provider's address, its headers and the key, as one HTTP request. Pure.

The body comes from a wire, the address from ``destination.py``. Sending it is ``delivery.py``. Requests to tools are
made in ``outside/http_tools.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from keyway import __version__
from keyway.catalog import Provider
from keyway.destination import Destination
from keyway.errors import AuthFailed, InvalidRequest
from keyway.keys.credential import Credential, fits_a_header
from keyway.wire.contract import Outgoing


@dataclass(frozen=True, slots=True, repr=False)
class HttpRequest:
    """A request ready to be sent. Its headers hold a key, so it has no readable ``repr``.

    Attributes:
        recipient: Who is asked, as error messages say it: a provider's or a tool's id.
        content: The body, or ``b""``.
        caller_chosen: The address came with the request: only a public one may be connected to.
        chosen_in: The field in which it came, named when the address will not do.
    """

    recipient: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    caller_chosen: bool = False
    method: str = "POST"
    chosen_in: str = "azureEndpoint"


def http_request(
    provider: Provider, credential: Credential, outgoing: Outgoing, destination: Destination
) -> HttpRequest:
    """The request that carries ``outgoing`` to ``destination``, paid for by ``credential``.

    Raises:
        AuthFailed: The key holds characters that no HTTP header may carry.
        InvalidRequest: The body holds a number that is none in JSON.
    """
    try:
        content = json.dumps(outgoing.body, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        raise InvalidRequest("the request holds a number that JSON cannot carry") from None
    return HttpRequest(
        recipient=provider.id,
        url=destination.url(outgoing.path),
        headers={
            "content-type": "application/json",
            "accept": "text/event-stream" if outgoing.streamed else "application/json",
            # A compressed stream arrives in blocks, not as it is produced.
            "accept-encoding": "identity",
            "user-agent": f"keyway/{__version__}",
            **provider.headers,
            **outgoing.headers,
            **(destination.headers or {}),
            **_auth_headers(provider, credential),
        },
        content=content,
        caller_chosen=destination.caller_chosen,
    )


def _auth_headers(provider: Provider, credential: Credential) -> dict[str, str]:
    if credential.secret is None:
        return {}
    secret = checked_key(credential.secret, provider.id)
    return {auth.header: auth.prefix + secret for auth in provider.auth}


def checked_key(key: str, provider: str) -> str:
    """``key``, which is about to go into a header.

    Raises:
        AuthFailed: It holds characters that no HTTP header may carry.
    """
    if not fits_a_header(key):
        raise AuthFailed(
            f"The key for {provider} holds characters that no HTTP header may carry"
            " (a line break from copying it, perhaps).",
            provider=provider,
        )
    return key
