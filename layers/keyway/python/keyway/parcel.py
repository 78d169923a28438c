"""One request on its way to a provider, with all that sending it takes. Sending it is ``delivery.py``."""

from __future__ import annotations

from dataclasses import dataclass

from keyway.catalog import Provider
from keyway.destination import Destination
from keyway.keys.credential import Credential
from keyway.wire.contract import Outgoing, Wire


@dataclass(frozen=True, slots=True, repr=False)
class Parcel:
    """One request, and all that sending it takes. Holds a key, so it has no readable ``repr``."""

    provider: Provider
    wire: Wire
    destination: Destination
    outgoing: Outgoing
    credential: Credential
    access_key_id: str | None = None
    """The id that belongs to a caller's own AWS secret key."""
