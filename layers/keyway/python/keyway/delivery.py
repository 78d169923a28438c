"""Gets one request to its provider: signed where that is asked for, sent again where that may help.

What comes back is an answer whose head said success, or the error that the last try ended with. Which failures are
worth another try, and when, is ``retry.py``; a host that refuses one field of the protocol is asked once more without
it, and is remembered for that (``Relaxations``). Looking into the answer is the exchange's affair.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from keyway.catalog import Provider
from keyway.destination import Destination
from keyway.dispatch import HttpRequest, http_request
from keyway.errors import KeywayError, ProviderUnavailable, RateLimited
from keyway.keys.credential import Credential
from keyway.ports import Signer, Upstream, UpstreamAnswer
from keyway.retry import pause
from keyway.wire.contract import Outgoing, Wire

_LONGEST_ERROR = 64 * 1024
"""Bytes of a provider's error body that are read."""


class Relaxations:
    """Which fields of a protocol each address has refused. One per environment; grows by what hosts refuse only."""

    def __init__(self) -> None:
        self._refused: dict[str, list[str]] = {}

    def applied(self, base_url: str, wire: Wire, outgoing: Outgoing) -> Outgoing:
        """``outgoing`` as ``base_url`` is known to take it."""
        if wire.relaxation is not None:
            for field in self._refused.get(base_url, ()):
                if field in outgoing.body:
                    outgoing = wire.relaxation.without(outgoing, field)
        return outgoing

    def remember(self, base_url: str, field: str) -> None:
        """``base_url`` has refused ``field``."""
        refused = self._refused.setdefault(base_url, [])
        if field not in refused:
            refused.append(field)


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


class Delivery:
    """The way from a parcel to an answer. One per environment."""

    def __init__(
        self,
        upstream: Upstream,
        signer: Signer,
        *,
        now: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._upstream = upstream
        self._signer = signer
        self._now = now
        self._chance = chance
        self._sleep = sleep
        self._relaxations = Relaxations()

    async def send(self, parcel: Parcel, *, deadline: float) -> UpstreamAnswer:
        """Sends ``parcel`` until it is answered with success or has failed for good.

        Args:
            deadline: In the event loop's seconds. Pauses end before it; cutting a try off is the caller's affair.

        Raises:
            KeywayError: How the last try failed.
        """
        address = parcel.destination.base_url
        outgoing = self._relaxations.applied(address, parcel.wire, parcel.outgoing)
        relaxed: set[str] = set()
        retries = 0
        while True:
            request = http_request(parcel.provider, parcel.credential, outgoing, parcel.destination)
            try:
                answer = await self._upstream.send(await self._signed(request, parcel))
                if 200 <= answer.status < 300:
                    return answer
                body = await _body(answer)
            except (ProviderUnavailable, RateLimited) as error:
                failure: KeywayError = error
            else:
                if (field := _refused_field(parcel.wire, outgoing, answer.status, body)) and field not in relaxed:
                    relaxed.add(field)
                    self._relaxations.remember(address, field)
                    assert parcel.wire.relaxation is not None
                    outgoing = parcel.wire.relaxation.without(outgoing, field)
                    continue
                failure = self._failure(parcel, answer.status, answer.headers, body)
            seconds = pause(
                failure,
                retries=retries,
                chance=self._chance(),
                remaining=deadline - asyncio.get_running_loop().time(),
            )
            if seconds is None:
                raise failure
            retries += 1
            await self._sleep(seconds)

    async def _signed(self, request: HttpRequest, parcel: Parcel) -> HttpRequest:
        if parcel.provider.signing is None:
            return request
        assert parcel.destination.region is not None
        # Anew for every try: a signature holds the time of day.
        return await self._signer.sign(
            request, parcel.credential, region=parcel.destination.region, access_key_id=parcel.access_key_id
        )

    def _failure(self, parcel: Parcel, status: int, headers: Mapping[str, str], body: bytes) -> KeywayError:
        failure = parcel.wire.failure(status, headers, body, provider=parcel.provider.id, now=self._now())
        if (said := headers.get("x-should-retry")) in ("true", "false"):
            failure.should_retry = said == "true"
        return failure


async def _body(answer: UpstreamAnswer) -> bytes:
    body = b""
    try:
        while len(body) < _LONGEST_ERROR and (data := await answer.read()):
            body += data
    finally:
        await answer.aclose()
    return body


def _refused_field(wire: Wire, outgoing: Outgoing, status: int, body: bytes) -> str | None:
    return wire.relaxation.refused_field(outgoing, status, body) if wire.relaxation is not None else None
