"""What every wire offers: encode a request, decode an answer, name a failure. All of it without I/O.

A wire is one protocol (``openai_responses``, ``anthropic_messages``, …), never one provider: what sets a provider
apart from others on the same wire is its ``Dialect``, a frozen dataclass of that wire, filled from the provider's
row in the catalog. ``registry.py`` finds a wire by name; ``failure.py`` holds what HTTP itself says of a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.errors import KeywayError
from keyway.events import Event, Usage


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request body ready to be sent to ``base URL + path``. Keys and base URL are none of a wire's business.

    ``streamed`` says whether the provider was asked to stream; a wire may ask for a stream although the caller
    did not (an answer long enough to time out otherwise). ``schema_waits`` says that the answer's schema was left out
    because of the tools, where a host takes no schema beside them: it is to be asked for in a request without tools.
    ``warnings`` says for the log what could not be asked for at all, though the request is sent.
    """

    path: str
    body: Mapping[str, object]
    streamed: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    schema_waits: bool = False
    warnings: tuple[str, ...] = ()


class Decoder(Protocol):
    """Turns one answer's bytes into events. Made anew for each answer; never used after it raised.

    ``usage`` is what the provider has reported so far. It stays readable after a failure, so that what a broken
    stream is known to have cost can still be written down.

    ``begun`` is whether the body is a stream whose first frame has been read: from then on the answer may be shown
    as it comes. A document never begins; it is whole or it is nothing.
    """

    begun: bool

    @property
    def usage(self) -> Usage | None: ...

    def feed(self, data: bytes) -> Iterator[Event]:
        """Events that ``data`` completes. The iterator raises a ``KeywayError`` in its place in the order.

        ``data`` is any split of the body, a byte or all of it. Whether the body is a stream or one JSON document
        is told by its first bytes, not by what was asked for: proxies send either.
        """
        ...

    def end(self) -> Iterator[Event]:
        """Events that only the end of the body completes.

        Raises:
            ProviderProtocolError: The body ended before the protocol's terminal signal.
        """
        ...


class Relaxation(Protocol):
    """How a protocol makes do with hosts that lag behind it."""

    def refused_field(self, outgoing: Outgoing, status: int, body: bytes) -> str | None:
        """The field that the refusal (``status`` and ``body``) complains of, if ``outgoing`` can do without it."""
        ...

    def without(self, outgoing: Outgoing, field: str) -> Outgoing:
        """``outgoing`` without ``field``, or with its other name."""
        ...


class Wire(Protocol):
    """One protocol.

    ``relaxation`` is ``None`` for a protocol that its one vendor serves and nobody imitates.
    """

    @property
    def relaxation(self) -> Relaxation | None: ...

    def dialect(self, row: Mapping[str, Any]) -> Any:
        """This wire's ``Dialect`` from a provider row. Raises ``ValueError`` on an unknown flag."""
        ...

    def encode(self, request: ChatRequest, model: Model, dialect: Any) -> Outgoing:
        """The provider's request for ours. ``request`` has been sanitised for ``model``.

        Raises:
            InvalidRequest: The request holds something this protocol cannot express (a file type, say).
        """
        ...

    def decoder(self, dialect: Any, *, provider: str, structured: bool = False) -> Decoder:
        """A decoder for one successful (2xx) answer.

        Args:
            provider: Named in errors.
            structured: The answer was asked for in JSON.
        """
        ...

    def failure(
        self, status: int, headers: Mapping[str, str], body: bytes, *, provider: str, now: float
    ) -> KeywayError:
        """The error an unsuccessful (non-2xx) answer stands for.

        ``headers`` have lower-case names; ``now`` is the epoch in seconds, for an HTTP-date ``Retry-After``.
        """
        ...
