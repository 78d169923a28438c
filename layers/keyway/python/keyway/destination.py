"""Where a request goes and which protocol is spoken there, by the provider's row, the settings and the request. Pure.

Most providers have one address, in their row or in the operator's ``PROVIDER_BASE_URLS``. Some are reached at an
endpoint of the caller's own (``azureEndpoint``, for providers whose row says so): such an address is used only when the
operator has set none, it has to be https, and no stored key ever goes there (``keys/resolve.py``). That it is a public
address is checked when it is resolved (``outside/addresses.py``).

Azure's endpoint says in its path which of Azure's ways is meant: chat completions of a deployment, a Responses address
to be used as it stands, or just the resource, for the Responses API of version 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from keyway.capabilities import Model
from keyway.catalog import Provider, Spoken
from keyway.chat import ChatRequest
from keyway.errors import InvalidRequest

_AZURE_CHAT_VERSION = "2024-07-01-preview"
"""Azure's chat completions need a dated version; this one is asked for when nobody names one."""

_DEFAULT_REGION = "us-east-1"
_DEFAULT_LOCATION = "us-central1"
_MULTI_REGIONS = ("us", "eu")
_PLACE = re.compile(r"[a-z0-9-]{1,64}")
"""A region, a location, a project: it becomes part of a host name or a path, so nothing else may stand in it."""

_VERSION = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""An API version: it becomes part of a URL or a header."""

_NOT_IN_A_URL = re.compile(r"[^\x21-\x7e]|\\")
_UPWARDS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
"""A step of a path that stays or goes up. Who resolves it where is nobody's agreement."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where one request goes.

    Attributes:
        wire, dialect: The protocol spoken there.
        base_url: What the wire's path is appended to.
        query: Appended after the path (``api-version=…``), or ``""``.
        places: What stands for ``{project}``, ``{location}`` and ``{deployment}`` in the wire's path.
        headers: What this destination wants beside the row's headers.
        caller_chosen: The address came with the request: only a public address will do, and only the caller's key.
        region: The AWS region, for a destination whose requests are signed.
        whole: ``base_url`` is the complete URL, and the wire's path is not appended.
    """

    wire: str
    dialect: Mapping[str, object]
    base_url: str
    query: str = ""
    places: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    caller_chosen: bool = False
    region: str | None = None
    whole: bool = False

    def url(self, path: str) -> str:
        """The whole URL for the wire's ``path``."""
        url = self.base_url if self.whole else join(self.base_url, path.format_map(self.places or {}))
        if not self.query:
            return url
        return f"{url}{'&' if '?' in url else '?'}{self.query}"


def destination(
    provider: Provider, model: Model, spoken: Spoken, request: ChatRequest, base_urls: Mapping[str, str]
) -> Destination:
    """Where ``request`` goes.

    Args:
        spoken: The protocol by which the provider is asked for this model, unless the address decides otherwise.
        base_urls: The operator's addresses by provider id. They are trusted and win over everything else.

    Raises:
        InvalidRequest: The request lacks what this provider needs to be found, or names an address that will not do.
    """
    wire, dialect = spoken.wire, spoken.dialect
    if request.azure_api_version is not None and not _VERSION.fullmatch(request.azure_api_version):
        raise InvalidRequest("azureApiVersion: must be made of letters, digits, dots, hyphens and underscores")
    base_url = _operators_address(provider, base_urls) or provider.base_url
    chosen = base_url is None
    if base_url is None:
        base_url = _callers_endpoint(provider, request)
    match provider.addressing:
        case "azure-openai":
            return _azure_openai(provider, model, request, base_url, chosen=chosen)
        case "azure-anthropic":
            version = {"anthropic-version": request.azure_api_version} if request.azure_api_version else None
            return Destination(wire, dialect, base_url, headers=version, caller_chosen=chosen)
        case "vertex":
            return _vertex(wire, dialect, base_url, request, provider)
    if provider.signing:
        region = _place("bedrockRegion", request.bedrock_region or _DEFAULT_REGION)
        return Destination(wire, {**dialect, "region": region}, base_url.replace("{region}", region), region=region)
    return Destination(wire, dialect, base_url, caller_chosen=chosen)


def join(base_url: str, path: str) -> str:
    """``base_url`` and ``path`` as one URL: one slash between them, and what both name (``/v1``, say) only once."""
    scheme, nothing, host, *have = base_url.rstrip("/").split("/")
    want = path.strip("/").split("/")
    shared = next((count for count in range(len(want), 0, -1) if have[-count:] == want[:count]), 0)
    return "/".join([scheme, nothing, host, *have, *want[shared:]])


def _operators_address(provider: Provider, base_urls: Mapping[str, str]) -> str | None:
    """The operator's address. One that is only a host stands in for the usual host, and keeps the usual path."""
    address = base_urls.get(provider.id)
    if not address or urlsplit(address).path.strip("/"):
        return address
    return address.rstrip("/") + urlsplit(provider.base_url or "").path


def _callers_endpoint(provider: Provider, request: ChatRequest) -> str:
    if not provider.caller_endpoint:
        raise InvalidRequest(f"provider: {provider.id} has no address here; the operator sets it in PROVIDER_BASE_URLS")
    endpoint = request.azure_endpoint
    if not endpoint:
        raise InvalidRequest(f"azureEndpoint: is required for {provider.id}, unless the operator has set its address")
    if _NOT_IN_A_URL.search(endpoint):
        raise InvalidRequest("azureEndpoint: must be a URL of printable ASCII characters, without spaces")
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        raise InvalidRequest("azureEndpoint: is not a URL") from None
    if parts.scheme != "https" or not parts.hostname:
        raise InvalidRequest("azureEndpoint: must be an https:// URL that names a host")
    if "@" in parts.netloc or parts.fragment:
        raise InvalidRequest("azureEndpoint: must not hold a user, a password or a fragment")
    if port == 0:
        raise InvalidRequest("azureEndpoint: must not name port 0")
    if _UPWARDS.search(parts.path):
        raise InvalidRequest("azureEndpoint: must not hold . or .. as a step of its path")
    if parts.query and provider.addressing != "azure-openai":
        raise InvalidRequest("azureEndpoint: must not hold a query")
    return endpoint


def _azure_openai(
    provider: Provider, model: Model, request: ChatRequest, endpoint: str, *, chosen: bool
) -> Destination:
    parts = urlsplit(endpoint)
    asked = parse_qs(parts.query).get("api-version", [request.azure_api_version or ""])[0]
    origin = f"{parts.scheme}://{parts.netloc}"
    if "/chat/completions" in parts.path:
        named = re.search(r"/deployments/([^/]+)/", parts.path)
        deployment = named[1] if named else quote(model.sent_as, safe="")
        if _UPWARDS.search(deployment):
            raise InvalidRequest(f"model: {model.id!r} is not the name of a deployment")
        before, deployments, _ = parts.path.partition("/openai/deployments/")
        return Destination(
            "openai_chat",
            provider.other_wires["openai_chat"],
            # A gateway in front of Azure (its API Management, say) may have a path of its own.
            origin + before if deployments else origin,
            query=f"api-version={quote(asked or _AZURE_CHAT_VERSION, safe='')}",
            places={"deployment": deployment},
            caller_chosen=chosen,
        )
    query = f"api-version={quote(asked, safe='')}" if asked else ""
    if "/responses" in parts.path:
        address = origin + parts.path
        return Destination(provider.wire, provider.dialect, address, query=query, caller_chosen=chosen, whole=True)
    return Destination(provider.wire, provider.dialect, origin + parts.path, query=query, caller_chosen=chosen)


def _vertex(
    wire: str, dialect: Mapping[str, object], base_url: str, request: ChatRequest, provider: Provider
) -> Destination:
    if not request.vertex_project:
        raise InvalidRequest(f"vertexProject: is required for {provider.id}")
    location = _place("vertexLocation", request.vertex_location or _DEFAULT_LOCATION)
    places = {"project": _place("vertexProject", request.vertex_project), "location": location}
    if location == "global":
        base_url = base_url.replace("{location}-", "")
    elif location in _MULTI_REGIONS:
        base_url = base_url.replace("{location}-aiplatform.googleapis.com", f"aiplatform.{location}.rep.googleapis.com")
    return Destination(wire, dialect, base_url.replace("{location}", location), places=places)


def _place(field: str, value: str) -> str:
    if not _PLACE.fullmatch(value):
        raise InvalidRequest(f"{field}: must be made of lower-case letters, digits and hyphens")
    return value
