"""What hosts have been found to refuse of a protocol that they claim to speak, so that nobody is refused twice.

Which fields can be done without, and how a host says that it takes none, is each wire's (``Wire.relaxation``).
"""

from __future__ import annotations

from keyway.parcel import Parcel
from keyway.wire.contract import Outgoing

_REMEMBERED = 1_000
"""Hosts and models of which is known what they refuse; callers may choose both, so there is no end to them."""


class Relaxations:
    """Which fields of a protocol each host has refused, model by model. One per environment.

    One address may stand for many models (a router, a deployment beside others), and what one of them refuses the
    others may need: without ``stream_options`` they report no usage, without ``temperature`` they answer otherwise.
    """

    def __init__(self) -> None:
        self._refused: dict[tuple[str, object], tuple[str, ...]] = {}

    def applied(self, parcel: Parcel) -> Outgoing:
        """``parcel``'s request as its host is known to take it."""
        outgoing = parcel.outgoing
        if parcel.wire.relaxation is not None and self._refused:
            for field in self._refused.get(_of(parcel), ()):
                if field in outgoing.body:
                    outgoing = parcel.wire.relaxation.without(outgoing, field)
        return outgoing

    def remember(self, parcel: Parcel, fields: tuple[str, ...]) -> None:
        """``parcel``'s host has refused ``fields``, in this order, and taken the request without them."""
        known = self._refused.pop(_of(parcel), ())
        self._refused[_of(parcel)] = known + tuple(field for field in fields if field not in known)
        if len(self._refused) > _REMEMBERED:
            del self._refused[next(iter(self._refused))]


def _of(parcel: Parcel) -> tuple[str, object]:
    # Azure's deployments are told apart by their URLs, everybody else's models by their names.
    return parcel.destination.url(parcel.outgoing.path), parcel.outgoing.body.get("model")
