"""From a request to an exchange: what happens before anything is sent.

``Gateway.open`` equips the request with the operator's tools, sanitises and encodes it, finds the key that pays, checks
the price, sends it, and looks at the first frame of the answer; whatever goes wrong until then is raised and can still
be an HTTP error. What it returns is an ``Exchange``, which tells the rest of the story (``exchange.py``).

Nothing here knows HTTP, a protocol, a key's whereabouts or CloudWatch: those are ports (``ports.py``), plugged in by
``wiring.py``. How a request arrived is ``doors/``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from keyway.billing.settlement import Settlement, Terms
from keyway.capabilities import Model
from keyway.catalog import Catalog, Provider
from keyway.chat import Caller, ChatRequest
from keyway.delivery import Delivery
from keyway.destination import destination
from keyway.errors import DeadlineExceeded, InternalError, KeywayError, UnpricedModel
from keyway.exchange import Exchange, stopped
from keyway.keys.credential import Credential
from keyway.keys.resolve import Resolver
from keyway.ports import Journal
from keyway.report import Report
from keyway.route import Route
from keyway.sanitise import check_files, sanitise
from keyway.tools.loop import ToolLoop, closing
from keyway.wire.registry import wire as wire_called

if TYPE_CHECKING:
    # Loaded where an operator has tools.
    from keyway.tools.call import ToolRunner
    from keyway.tools.toolbox import RunnableTool, Toolbox

RESERVE = 3.0
"""Seconds before the invocation's own deadline at which the provider is stopped, so that there is time left to tell
the caller and to settle. A short invocation keeps a fifth of its time instead."""


@dataclass(frozen=True, slots=True)
class Invocation:
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
        toolbox: Toolbox | None = None,
        tool_runner: ToolRunner | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._catalog = catalog
        self._resolver = resolver
        self._delivery = delivery
        self._journal = journal
        self._base_urls = base_urls
        self._multiplier = multiplier
        self._toolbox = toolbox
        self._tool_runner = tool_runner
        self._now = now

    async def open(self, request: ChatRequest, caller: Caller, invocation: Invocation) -> Exchange:
        """Sends ``request`` and returns its exchange once the provider has begun to answer.

        Raises:
            KeywayError: Whatever keeps the request from being answered, before its first byte.
        """
        report = Report(request, caller, invocation.request_id, started=self._now())
        remaining = invocation.deadline - report.started
        deadline = asyncio.get_running_loop().time() + remaining - min(RESERVE, remaining / 5)
        try:
            exchange = await self._prepare(request, caller, report, deadline)
        except asyncio.CancelledError:
            self._journal.refused(report, stopped())
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
        tools: Mapping[str, RunnableTool] = {}
        if self._toolbox is not None:
            request, tools = self._toolbox.equip(request)
        spoken = self._catalog.spoken(provider, model)
        goes_to = destination(provider, model, spoken, request, self._base_urls)
        wire = wire_called(goes_to.wire)
        dialect = wire.dialect(goes_to.dialect)
        request = sanitise(request, model)
        outgoing = wire.encode(request, model, dialect)
        if outgoing.schema_waits:
            # It is asked for in a turn of its own, when much has been paid for: what is wrong with it is said now.
            wire.encode(closing(request), model, dialect)
        credential = await self._credential(
            request, caller, provider, model, caller_chose_address=goes_to.caller_chosen, deadline=deadline
        )
        terms = self._terms(provider, model, credential)
        report.resolved(model, credential, terms, traced_as=provider.traced_as)
        return Exchange(
            route=Route(provider, model, wire, dialect, goes_to, credential),
            loop=ToolLoop(request, tools),
            outgoing=outgoing,
            settlement=Settlement(terms),
            report=report,
            caller=caller,
            delivery=self._delivery,
            tool_runner=self._tool_runner,
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
