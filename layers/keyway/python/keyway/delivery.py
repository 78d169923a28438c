"""Gets one request to its provider: signed where that is asked for, sent again where that may help.

What comes back is an answer whose head said success, or the error that the last try ended with. Which failures are
worth another try, and when, is ``retry.py``; a host that refuses one field of the protocol is asked once more without
it, and when that helps it is remembered (``relaxations.py``). Looking into the answer is the exchange's affair.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping

from keyway.error_body import error_body
from keyway.errors import KeywayError, ProviderUnavailable, RateLimited
from keyway.http_request import HttpRequest, http_request
from keyway.parcel import Parcel
from keyway.ports import Signer, Upstream, UpstreamAnswer
from keyway.relaxations import Relaxations
from keyway.retry import pause
from keyway.wire.contract import Outgoing, Wire


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
        outgoing = self._relaxations.applied(parcel)
        refused: tuple[str, ...] = ()
        retries = 0
        while True:
            request = http_request(parcel.provider, parcel.credential, outgoing, parcel.destination)
            try:
                answer = await self._upstream.send(await self._signed(request, parcel))
                if 200 <= answer.status < 300:
                    if refused:
                        # Only now: what merely sounds like the refusal of a field (a model's name may) is none.
                        self._relaxations.remember(parcel, refused)
                    return answer
                try:
                    body = await error_body(answer)
                finally:
                    await answer.aclose()
            except (ProviderUnavailable, RateLimited) as error:
                failure: KeywayError = error
            else:
                if (field := _refused_field(parcel.wire, outgoing, answer.status, body)) and field not in refused:
                    refused += (field,)
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


def _refused_field(wire: Wire, outgoing: Outgoing, status: int, body: bytes) -> str | None:
    return wire.relaxation.refused_field(outgoing, status, body) if wire.relaxation is not None else None
