"""The whole story of one request, top to bottom.

``Gateway.open`` sanitises the request, encodes it, finds the key that pays, checks the price, sends it, and looks
at the first frame of the answer; whatever goes wrong until then is raised and can still be an HTTP error. What it
returns is an ``Exchange``: iterate it for events as they arrive, in batches of what one read brought; the last
batch ends with the ``Answer``. However it ends (drained, broken, left by its caller, out of time), it is settled
once, before ``aclose`` returns.

Nothing here knows HTTP, a protocol, a key's whereabouts or CloudWatch: those are ports (``ports.py``), plugged in by
``wiring.py``. Signing, sending and trying again is ``delivery.py``; how a request arrived and how events are shown is
``doors/``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from keyway.answer import Answer
from keyway.billing.settlement import Ending, Settlement, Statement, Terms
from keyway.capabilities import Model
from keyway.catalog import Catalog, Provider
from keyway.chat import Caller, ChatRequest
from keyway.deadline import Deadline
from keyway.delivery import Delivery, Parcel
from keyway.destination import destination
from keyway.errors import (
    AuthFailed,
    DeadlineExceeded,
    InternalError,
    KeywayError,
    ProviderProtocolError,
    UnpricedModel,
)
from keyway.events import Event
from keyway.keys.credential import Credential
from keyway.keys.resolve import Resolver
from keyway.ports import Journal, UpstreamAnswer
from keyway.report import Report
from keyway.sanitise import check_files, sanitise
from keyway.wire.contract import Decoder
from keyway.wire.registry import wire as wire_called

Batch: TypeAlias = list[Event | Answer]
"""What one read brought. May be empty: the provider has accepted the request and said nothing yet."""

RESERVE = 3.0
"""Seconds before the invocation's own deadline at which the provider is stopped, so that there is time left to tell
the caller and to settle. A short invocation keeps a fifth of its time instead."""


@dataclass(frozen=True, slots=True)
class Call:
    """The invocation an exchange runs in: its id and the epoch second at which it is cut off."""

    request_id: str
    deadline: float


class Gateway:
    """Runs exchanges. One per environment, shared by all its invocations; holds nothing of any one of them."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        resolver: Resolver,
        delivery: Delivery,
        journal: Journal,
        base_urls: Mapping[str, str],
        multiplier: Decimal,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._catalog = catalog
        self._resolver = resolver
        self._delivery = delivery
        self._journal = journal
        self._base_urls = base_urls
        self._multiplier = multiplier
        self._now = now

    async def open(self, request: ChatRequest, caller: Caller, call: Call) -> Exchange:
        """Sends ``request`` and returns its exchange once the provider has begun to answer.

        Raises:
            KeywayError: Whatever keeps the request from being answered, before its first byte.
        """
        report = Report(request, caller, call.request_id, started=self._now())
        remaining = call.deadline - report.started
        deadline = asyncio.get_running_loop().time() + remaining - min(RESERVE, remaining / 5)
        try:
            exchange = await self._prepare(request, caller, report, deadline)
        except asyncio.CancelledError:
            self._journal.refused(report, _stopped())
            raise
        except Exception as error:
            self._journal.refused(report, error)
            if isinstance(error, KeywayError):
                raise
            raise InternalError from None
        await exchange.dispatch()
        return exchange

    async def _prepare(self, request: ChatRequest, caller: Caller, report: Report, deadline: float) -> Exchange:
        provider = self._catalog.provider(request.provider)
        model = self._catalog.model(provider, request.model)
        check_files(request, provider)
        spoken = self._catalog.spoken(provider, model)
        goes_to = destination(provider, model, spoken, request, self._base_urls)
        wire = wire_called(goes_to.wire)
        dialect = wire.dialect(goes_to.dialect)
        outgoing = wire.encode(sanitise(request, model), model, dialect)
        credential = await self._credential(
            request, caller, provider, model, caller_chose_address=goes_to.caller_chosen, deadline=deadline
        )
        terms = self._terms(provider, model, credential)
        report.resolved(model, credential, terms)
        return Exchange(
            parcel=Parcel(provider, wire, goes_to, outgoing, credential, request.bedrock_access_key_id),
            decoder=wire.decoder(dialect, provider=provider.id, structured=request.response_format is not None),
            settlement=Settlement(terms),
            report=report,
            delivery=self._delivery,
            journal=self._journal,
            deadline=deadline,
            now=self._now,
        )

    async def _credential(
        self,
        request: ChatRequest,
        caller: Caller,
        provider: Provider,
        model: Model,
        *,
        caller_chose_address: bool,
        deadline: float,
    ) -> Credential:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._resolver.resolve(
                    request,
                    caller,
                    provider,
                    model,
                    minute=int(self._now() // 60),
                    caller_chose_address=caller_chose_address,
                )
        except TimeoutError:
            raise DeadlineExceeded("The time ran out before a key was found for this request.") from None

    def _terms(self, provider: Provider, model: Model, credential: Credential) -> Terms:
        price = self._catalog.price(model)
        billed = credential.origin == "hosted" or (
            credential.origin == "legacy" and self._catalog.is_hosted_model(provider, model)
        )
        if billed and price is None:
            raise UnpricedModel(
                f"model: the price of {model.id!r} is not known, so no platform key may pay for it."
                " Bring a key of your own, or ask the operator to add its price."
            )
        return Terms(origin=credential.origin, billed=billed, price=price, multiplier=self._multiplier)


class Exchange:
    """One request that is under way. Iterate it, then ``aclose`` it; the second settles whatever the first left."""

    def __init__(
        self,
        *,
        parcel: Parcel,
        decoder: Decoder,
        settlement: Settlement,
        report: Report,
        delivery: Delivery,
        journal: Journal,
        deadline: float,
        now: Callable[[], float],
    ) -> None:
        self._parcel = parcel
        self._provider = parcel.provider.id
        self._decoder = decoder
        self._settlement = settlement
        self._report = report
        self._delivery = delivery
        self._journal = journal
        self._deadline = Deadline(deadline, self._provider)
        self._now = now
        self._upstream_answer: UpstreamAnswer | None = None
        self._first: Batch | None = None
        self._broken: KeywayError | None = None
        self._turn = asyncio.Lock()
        """Whoever reads: a caller who iterates, or somebody who closes the exchange under the caller's hands."""

    async def dispatch(self) -> None:
        """Sends the request and looks at the first frame of the answer. Called once, by ``Gateway.open``.

        An answer that comes as one document is read to its end here, so that an error in it is still an HTTP error.

        Raises:
            KeywayError: The provider could not be reached, refused the request, or began with an error.
        """
        try:
            with self._deadline:
                self._upstream_answer = await self._delivery.send(self._parcel, deadline=self._deadline.when)
            batch: Batch = []
            while not batch and not self._decoder.begun:
                batch = await self._next_batch()
                if self._broken:
                    raise self._broken
            self._first = batch
        except BaseException as error:  # noqa: BLE001 - whatever ends it, it is settled; then it goes on up
            raise await self._fail(error) from None

    def __aiter__(self) -> Exchange:
        return self

    async def __anext__(self) -> Batch:
        """What the next read brings. The first batch was read by ``dispatch`` and may be empty.

        Raises:
            KeywayError: The answer broke; the exchange is settled.
        """
        async with self._turn:
            return await self._next()

    async def _next(self) -> Batch:
        if (first := self._first) is not None:
            self._first = None
            return first
        # Not before the first batch has left: writing a metric must not hold up the first byte.
        self._accept()
        if self._settlement.settled:
            await self._release()
            raise StopAsyncIteration
        try:
            batch: Batch = []
            while not batch:
                if self._broken:
                    raise self._broken
                batch = await self._next_batch()
        except BaseException as error:  # noqa: BLE001 - whatever ends it, it is settled; then it goes on up
            raise await self._fail(error) from None
        return batch

    async def aclose(self) -> None:
        """Ends the exchange. One that its caller left is drained to its usage and settled like any other.

        May be called again, and while the exchange is being read.
        """
        try:
            self._report.left = self._report.left or not self._settlement.settled
            async for _ in self:
                pass
        except KeywayError:
            pass  # settled and written down by then; there is nobody left to tell
        finally:
            await self._release()

    async def whole(self) -> Answer:
        """The answer in one piece, for callers who do not stream.

        Raises:
            KeywayError: The answer broke; the exchange is settled.
        """
        try:
            async for batch in self:
                if batch and isinstance(batch[-1], Answer):
                    return batch[-1]
            raise AssertionError("an exchange ends with an answer or an error")
        finally:
            await self.aclose()

    async def _next_batch(self) -> Batch:
        assert self._upstream_answer is not None
        with self._deadline:
            data = await self._upstream_answer.read()
        now = self._now()
        batch: Batch = []
        try:
            for event in self._decoder.feed(data) if data else self._decoder.end():
                self._report.heard(now)  # not with any byte: a keep-alive is no answer
                self._report.add(event)
                batch.append(event)
            if not data and not self._report.finished:
                raise ProviderProtocolError(f"{self._provider} ended its answer early.", provider=self._provider)
        except KeywayError as error:
            # What came before the error in the same read is still the caller's.
            self._broken = error
            return batch
        if self._report.finished:
            self._accept()
            ending = Ending.CANCELLED if self._report.left else Ending.COMPLETED
            batch.append(self._report.answer(self._settle(ending)))
        return batch

    async def _fail(self, error: BaseException) -> BaseException:
        """Settles a broken exchange, and returns the error as its caller may see it."""
        if self._settlement.settled:
            # It broke while it was told how it ended; the account is closed.
            error = InternalError() if isinstance(error, Exception) else error
        elif isinstance(error, asyncio.CancelledError):
            self._settle(Ending.CANCELLED, _stopped())
        elif isinstance(error, KeywayError):
            credential = self._parcel.credential
            if isinstance(error, AuthFailed) and credential.is_platform:
                error = error.of_platform()
            error.message = credential.redact(error.message)
            error.args = (error.message,)
            self._settle(Ending.DEADLINE if isinstance(error, DeadlineExceeded) else Ending.FAILED, error)
        else:
            self._settle(Ending.FAILED, error)
            error = InternalError() if isinstance(error, Exception) else error
        await self._release()
        return error

    def _accept(self) -> None:
        if records := self._settlement.accept():
            self._journal.record(self._report, records)

    def _settle(self, ending: Ending, error: BaseException | None = None) -> Statement:
        self._report.ended = self._now()
        statement = self._settlement.settle(ending, usage=self._decoder.usage, error=error)
        self._journal.settled(self._report, statement, error)
        return statement

    async def _release(self) -> None:
        self._deadline.close()
        answer, self._upstream_answer = self._upstream_answer, None
        if answer is not None:
            await answer.aclose()


def _stopped() -> DeadlineExceeded:
    return DeadlineExceeded("The invocation was stopped.")
