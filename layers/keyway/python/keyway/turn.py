"""One turn of the model: a request of an exchange, and its answer as it arrives.

An exchange is one turn, or several with tools between them; what follows a turn is decided in ``tools/loop.py``, and
``exchange.py`` tells the whole story. A turn settles nothing and knows nothing of tools or money.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from keyway.deadline import Deadline
from keyway.delivery import Delivery
from keyway.errors import KeywayError, ProviderProtocolError
from keyway.events import Event, TextDelta, ThinkingDelta, ToolCall, ToolCallStarted, TurnFinished, Usage
from keyway.parcel import Parcel
from keyway.ports import UpstreamAnswer
from keyway.report import TurnReport
from keyway.strict_json import problem
from keyway.wire.contract import Decoder

MAX_BYTES = 64 * 2**20
"""Bytes of one answer. The longest that models write, streamed in their most wordy form, have some 40 million; whoever
brings an endpoint of their own may send without end, and an environment has to live with all of it."""

MAX_CALLS = 256
"""Tool calls of one answer that are looked at. More are no model's."""


class ModelTurn:
    """A turn that is under way.

    ``broken`` is an error that came after events of the same read: those are still the caller's. ``calls_left_out`` is
    how many calls there were beyond ``MAX_CALLS``.
    """

    def __init__(
        self,
        parcel: Parcel,
        decoder: Decoder,
        report: TurnReport,
        *,
        delivery: Delivery,
        deadline: Deadline,
        now: Callable[[], float],
    ) -> None:
        self.report = report
        self.schema_waits = parcel.outgoing.schema_waits
        self.broken: KeywayError | None = None
        self.calls_left_out = 0
        self._parcel = parcel
        self._decoder = decoder
        self._delivery = delivery
        self._deadline = deadline
        self._now = now
        self._answer: UpstreamAnswer | None = None
        self._bytes = 0
        self._calls: set[str] = set()

    @property
    def begun(self) -> bool:
        """Whether the answer is a stream whose first frame has been read."""
        return self._decoder.begun

    @property
    def usage(self) -> Usage | None:
        """What the provider has reported so far."""
        return self._decoder.usage

    async def send(self) -> None:
        """Sends the request. Raises ``KeywayError``."""
        with self._deadline:
            self._answer = await self._delivery.send(self._parcel, deadline=self._deadline.when)

    async def read(self) -> list[Event]:
        """What the next read brings, perhaps nothing that is shown. The last event is ``TurnFinished``.

        Raises:
            KeywayError: The answer broke before anything else came.
        """
        assert self._answer is not None
        with self._deadline:
            data = await self._answer.read()
        now = self._now()
        report = self.report
        events: list[Event] = []
        self._bytes += len(data)
        try:
            if self._bytes > MAX_BYTES:
                raise self._broken(f"sent more than {MAX_BYTES // 2**20} MiB in one answer")
            for event in self._decoder.feed(data) if data else self._decoder.end():
                report.heard(now)  # not with any byte: a keep-alive is no answer
                if (taken := self._taken(event)) is not None:
                    report.add(taken)
                    events.append(taken)
            if not data and report.finished is None:
                raise self._broken("ended its answer early")
        except KeywayError as error:
            self.broken = error
        if report.finished is not None:
            report.ended = now
        return events

    def _taken(self, event: Event) -> Event | None:
        """``event`` as it goes on, or ``None`` for what is left out.

        Whatever is wrong with an answer, it is heard to its end: it has to be paid for.
        """
        match event:
            case TextDelta() | ThinkingDelta():
                pass
            case ToolCallStarted(id=call_id) if len(self._calls) < MAX_CALLS:
                self._calls.add(call_id)
            case ToolCallStarted(id=call_id) if call_id not in self._calls:
                return None
            case ToolCall(id=call_id) if call_id not in self._calls:
                self.calls_left_out += 1
                return None
            case TurnFinished(extras=extras) if problem(extras):
                return replace(event, extras={})  # nobody could send it again
        return event

    def _broken(self, what: str) -> ProviderProtocolError:
        provider = self._parcel.provider.id
        return ProviderProtocolError(f"{provider} {what}.", provider=provider)

    async def aclose(self) -> None:
        """Gives the connection back, or closes it. May be called again."""
        answer, self._answer = self._answer, None
        if answer is not None:
            await answer.aclose()
