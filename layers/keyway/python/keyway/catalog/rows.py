"""What a row of the catalog holds: a provider, how it is reached, and who may pay for it.

Provider rows are data in ``providers.json``; reading and checking them is ``parse.py``, finding one is
``catalog.py``. What a model can do is ``keyway.capabilities.Model``; what it costs is ``keyway.money.Price``.
Nothing here knows a protocol: ``wire`` and ``dialect`` are passed on unread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from keyway.capabilities import Model
from keyway.money import Price

LegacyRule: TypeAlias = Literal[
    "rotation",  # the platform's numbered keys, by the minute, for models the platform pays for; else the caller's
    "singular",  # the workspace's, then the caller's, then the one platform key named by platform_key
    "caller",  # the caller's key or none
    "caller-or-own",  # the caller's, then platform_key, then the word "empty"
    "caller-or-blank",  # the caller's, then platform_key, then no key at all
    "empty",  # always the word "empty": the server asks for no key
    "pool-only",  # the workspace's, then the caller's; the platform has numbered keys only
    "ambient",  # the function's own AWS role
]
"""Whose key pays when the hosted-key flag is off. The order itself is in ``keys/``."""


Addressing: TypeAlias = Literal[
    "azure-openai",  # the path of the endpoint says which of Azure's ways is meant
    "azure-anthropic",  # a version that the request names goes into a header
    "vertex",  # a project and a location of the request's
]


@dataclass(frozen=True, slots=True)
class AuthHeader:
    """A header that carries the key: ``Authorization`` with the prefix ``"Bearer "``, or ``x-api-key`` with none."""

    header: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """The prefix that makes a model id ours (``groq/``) and that the provider must not see.

    ``anchored`` removes it only from the beginning; otherwise its first occurrence is removed wherever it stands.
    Nothing is ever removed twice: ``groq/openai/gpt-oss-120b`` is sent as ``openai/gpt-oss-120b``.
    """

    prefix: str
    anchored: bool = True

    def __call__(self, model_id: str) -> str:
        """The id as the provider knows it. The prefix is recognised in any case."""
        start = model_id.lower().find(self.prefix)
        if start < 0 or (self.anchored and start > 0):
            return model_id
        return model_id[:start] + model_id[start + len(self.prefix) :]


@dataclass(frozen=True, slots=True)
class Hosting:
    """The platform may pay for this provider.

    Attributes:
        key_prefix: The stem of the pool's key names (``OPENAI_API_KEY`` for ``OPENAI_API_KEY_1``, …).
        byok_provider: The name under which a workspace stores its own key.
        covers_catalog: On the legacy path the platform pays for every listed model of this provider.
    """

    key_prefix: str
    byok_provider: str
    covers_catalog: bool = False


@dataclass(frozen=True, slots=True)
class Attachments:
    """Files beside a message.

    Attributes:
        strategy: What to do with a file too large to stand in the request: nothing, name its URL, or upload it.
        max_bytes: The largest file there may be, by whichever way it travels.
        accepts: Media types, such as ``image/*``; any when empty, and then the wire says what it cannot express.
        max_files: The most there may be in one request; ``None`` when the vendor names no number.
    """

    strategy: Literal["inline", "remote-url", "files-api"]
    max_bytes: int
    accepts: tuple[str, ...] = ()
    max_files: int | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A protocol as one provider speaks it: the name of a folder in ``wire/``, and the flags of its dialect."""

    wire: str
    dialect: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Provider:
    """Who is called.

    Attributes:
        id: ``openai``.
        name: For people: ``OpenAI``.
        wire: The protocol, by the name of its folder in ``wire/``.
        other_wires: Further protocols and their dialects. A model's row may choose one of them; so may the endpoint
            of a request, for a provider that is reached at the caller's own.
        base_url: Where it is reached; may hold ``{region}`` or ``{location}``, as a dialect's path may hold
            ``{project}`` or ``{deployment}``. ``None`` when only a setting of the operator or the request can say.
        auth: Every header that carries the key; empty when the request is signed or carries none.
        signing: The AWS service name the request is signed for, or ``None``.
        headers: Sent with every request.
        dialect: Flags for the wire, which reads them and refuses those it does not know.
        strip: The prefix the provider must not see, or ``None``.
        hosting: The platform's pool, or ``None`` when it never pays.
        legacy: Whose key pays when the hosted-key flag is off.
        platform_key: The name of the one platform key that some legacy rules need.
        default_model: Suggested to whoever has no wish; ``""`` when there is none.
        model_patterns: Regular expressions for ids that belong to this provider though no row lists them.
        region_prefixes: What may stand before a model's id, after our own prefix, to say where the model runs. It is
            sent, and it changes neither what the model can do nor what it costs; where it does, it has a row.
        addressing: How an address becomes a URL, where that takes more than appending a path (``destination.py``).
        caller_endpoint: A request may name the address (``azureEndpoint``) when the operator has set none.
        claims_the_rest: A model id that no provider lists and no pattern matches belongs to this one.
        traced_as: What it is called in an answer's time segments, when that is not its id: the name that conventions
            for traces have for the system (``aws.bedrock``).
        priced_as: The provider at whose price a model that no row lists is sold here (Azure sells OpenAI's models at
            OpenAI's prices), or ``None``.
        fallback: The capabilities of a model that no row lists; its ids are ``"*"``.
        attachments: ``None`` when the provider takes no files.
    """

    id: str
    name: str
    wire: str
    base_url: str | None
    auth: tuple[AuthHeader, ...]
    headers: Mapping[str, str]
    dialect: Mapping[str, object]
    legacy: LegacyRule
    fallback: Model
    strip: Strip | None = None
    hosting: Hosting | None = None
    platform_key: str | None = None
    signing: str | None = None
    default_model: str = ""
    model_patterns: tuple[str, ...] = ()
    attachments: Attachments | None = None
    other_wires: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    addressing: Addressing | None = None
    caller_endpoint: bool = False
    region_prefixes: tuple[str, ...] = ()
    claims_the_rest: bool = False
    priced_as: str | None = None
    traced_as: str | None = None

    def sent_as(self, model_id: str) -> str:
        """The id on the wire for ``model_id``."""
        return model_id if self.strip is None else self.strip(model_id)

    def without_region(self, sent: str) -> str:
        """``sent``, an id on the wire, without the region it may begin with."""
        beginning = next((prefix for prefix in self.region_prefixes if sent.startswith(prefix)), "")
        return sent[len(beginning) :]


@dataclass(frozen=True, slots=True)
class Listing:
    """A model's row: what it can do, the other names it answers to, and whether its vendor has announced its end.

    ``wire`` is the protocol it is reached by, one of its provider's ``other_wires``; ``None`` for the provider's own.
    """

    model: Model
    aliases: tuple[str, ...] = ()
    deprecated: bool = False
    wire: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a caller may be told of a listed model. ``price`` is ``None`` when it is not known."""

    model: Model
    price: Price | None
    deprecated: bool
