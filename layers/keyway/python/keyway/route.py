"""Whom an exchange asks, and how: settled before the first turn, and the same for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from keyway.capabilities import Model
from keyway.catalog import Provider
from keyway.chat import ChatRequest
from keyway.destination import Destination
from keyway.keys.credential import Credential
from keyway.parcel import Parcel
from keyway.wire.contract import Decoder, Outgoing, Wire


@dataclass(frozen=True, slots=True, repr=False)
class Route:
    """Whom an exchange asks, in which protocol, and who pays. Holds a key, so it has no readable ``repr``."""

    provider: Provider
    model: Model
    wire: Wire
    dialect: object
    destination: Destination
    credential: Credential

    def outgoing(self, request: ChatRequest) -> Outgoing:
        """``request`` in the protocol. Raises ``InvalidRequest``."""
        return self.wire.encode(request, self.model, self.dialect)

    def parcel(self, outgoing: Outgoing, request: ChatRequest) -> Parcel:
        """``outgoing``, with all that sending it takes."""
        return Parcel(
            self.provider, self.wire, self.destination, outgoing, self.credential, request.bedrock_access_key_id
        )

    def decoder(self, request: ChatRequest) -> Decoder:
        """For one answer."""
        return self.wire.decoder(
            self.dialect, provider=self.provider.id, structured=request.response_format is not None
        )
