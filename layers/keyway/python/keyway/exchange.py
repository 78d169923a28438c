"""The story of one request from the moment it is sent, top to bottom. How it came so far is ``gateway.py``.

Iterate an ``Exchange`` for events as they arrive, in batches of what one read brought; the last batch ends with the
``Answer``. When the model calls tools that are run here, they are run, and the model is asked again with their results,
until it has answered:

    turn ──► done                      most exchanges
      └────► tools ──► turn …          as long as the model calls tools that are run here
      └────► closing turn ──► done     a schema that its host takes only without tools

However it ends (drained, broken, left by its caller, out of time), it is settled once, before ``aclose`` returns.

One turn of the model is ``turn.py``; what follows a turn is decided in ``tools/loop.py``, and a round of tools is run
by ``tools/round.py``; what it all comes to is ``billing/settlement.py``; how events are shown is ``doors/``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from keyway.answer import Answer
from keyway.billing.records import Charge, Record, Subject
from keyway.billing.settlement import Ending, Settlement, Statement
from keyway.chat import Caller
from keyway.deadline import Deadline
from keyway.delivery import Delivery
from keyway.errors import AuthFailed, DeadlineExceeded, InternalError, KeywayError
from keyway.events import Event, ToolCallEnded, TurnFinished, TurnStarted
from keyway.ports import Journal
from keyway.report import Report
from keyway.route import Route
from keyway.tools.loop import Done, GiveUp, RunCalls, ToolLoop
from keyway.turn import MAX_CALLS, ModelTurn
from keyway.wire.contract import Outgoing

if TYPE_CHECKING:
    # Loaded where an operator has tools, with the first round of them.
    from keyway.tools.call import ToolRunner
    from keyway.tools.round import Round

Batch: TypeAlias = list[Event | Answer]
"""What one read brought. May be empty: the provider has accepted the request and said nothing yet."""


class Exchange:
    """One request that is under way. Iterate it, then ``aclose`` it; the second settles whatever the first left."""

    def __init__(
        self,
        *,
        route: Route,
        loop: ToolLoop,
        outgoing: Outgoing,
        settlement: Settlement,
        report: Report,
        caller: Caller,
        delivery: Delivery,
        tool_runner: ToolRunner | None,
        journal: Journal,
        deadline: float,
        now: Callable[[], float],
    ) -> None:
        self._route = route
        self._loop = loop
        self._settlement = settlement
        self._report = report
        self._caller = caller
        self._delivery = delivery
        self._tool_runner = tool_runner
        self._journal = journal
        self._deadline = Deadline(deadline, route.provider.id)
        self._now = now
        self._outgoing = outgoing
        self._turn: ModelTurn | None = None
        """The turn under way, or the last one; ``None`` between two."""
        self._round: Round | None = None
        """Tools at work, after the turn that called them."""
        self._round_is_last = False
        self._rounds: list[Round] = []
        self._charges: list[Charge] = []
        self._first: Batch | None = None
        self._broken: KeywayError | None = None
        self._releasing: set[asyncio.Task[None]] = set()
        """Connections of earlier turns, being given back."""
        self._reading = asyncio.Lock()
        """Whoever reads: a caller who iterates, or somebody who closes the exchange under the caller's hands."""

    async def dispatch(self) -> None:
        """Sends the request and looks at the first frame of the answer. Called once, by ``Gateway.open``.

        An answer that comes as one document is read to its end here, so that an error in it is still an HTTP error.

        Raises:
            KeywayError: The provider could not be reached, refused the request, or began with an error.
        """
        try:
            batch: Batch = []
            turn = await self._begin(self._outgoing, batch)
            told = len(batch)
            # Until there is something to show, or it is a stream that has begun without anything to show yet.
            while len(batch) == told and not turn.begun:
                batch += await self._next_batch()
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
        async with self._reading:
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

        What is drained is the turn of the model that is under way: tools at work are stopped, and nothing further is
        begun for somebody who is gone. May be called again, and while the exchange is being read.
        """
        try:
            self._report.left = self._report.left or not self._settlement.settled
            if self._round is not None:
                self._round.stop()
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
        """One step of the story: a read of the turn under way, a tool that has ended, or the start of the next turn."""
        if self._round is not None:
            return await self._tools_batch(self._round)
        if self._turn is not None:
            return await self._turn_batch(self._turn)
        if self._report.left:
            return [self._end(Ending.CANCELLED)]
        batch: Batch = []
        await self._begin(self._route.outgoing(self._loop.request), batch)
        return batch

    async def _begin(self, outgoing: Outgoing, batch: Batch) -> ModelTurn:
        """Sends the request of a turn. Says so in ``batch`` if the exchange has, or may have, several."""
        request, report = self._loop.request, self._report.begin(self._now(), closing=self._loop.closing)
        turn = self._turn = ModelTurn(
            self._route.parcel(outgoing, request),
            self._route.decoder(request),
            report,
            delivery=self._delivery,
            deadline=self._deadline,
            now=self._now,
        )
        self._report.warnings.update(dict.fromkeys(outgoing.warnings))
        await turn.send()
        if (more := self._loop.may_go_on(schema_waits=turn.schema_waits)) or len(self._report.turns) > 1:
            batch.append(TurnStarted(last=not more))
        return turn

    async def _turn_batch(self, turn: ModelTurn) -> Batch:
        batch: Batch = [*await turn.read()]
        if turn.broken is not None:
            # What came before the error in the same read is still the caller's.
            self._broken = turn.broken
        elif (finished := turn.report.finished) is not None:
            if turn.calls_left_out:
                warning = f"{turn.calls_left_out} calls beyond the first {MAX_CALLS} of an answer were left out"
                self._report.warnings[warning] = None
            self._accept()
            self._follow(turn, finished, batch)
        return batch

    def _follow(self, turn: ModelTurn, finished: TurnFinished, batch: Batch) -> None:
        """Does what follows a finished turn, whose last event ends ``batch``."""
        if self._report.left:
            batch.append(self._end(Ending.CANCELLED))
            return
        step = self._loop.after(turn.report.calls, finished.finish_reason, schema_waits=turn.schema_waits)
        if isinstance(step, Done):
            batch.append(self._end(Ending.COMPLETED))
            return
        batch[-1] = replace(finished, last=isinstance(step, RunCalls) and bool(step.handed_back))
        if isinstance(step, GiveUp):
            self._broken = step.error
            batch += [ToolCallEnded(each.call.id, each.call.name, "cancelled") for each in step.planned]
            return
        if isinstance(step, RunCalls):
            self._start(step)
        else:
            self._loop.close()
        # The connection is given back while the story goes on.
        self._turn = None
        self._releasing.add(asyncio.ensure_future(turn.aclose()))

    def _start(self, step: RunCalls) -> None:
        """Sets the tools of a round to work."""
        from keyway.tools.context import CallContext  # noqa: PLC0415 - only an exchange with tools loads what runs them
        from keyway.tools.round import Round  # noqa: PLC0415

        runner, report, journal = self._tool_runner, self._report, self._journal
        assert runner is not None, "a toolbox with tools comes with what runs them"
        loop = asyncio.get_running_loop()

        def note(subject: Subject, record: Record) -> None:
            journal.record(report, (record,), subject)

        context = CallContext(
            caller=self._caller,
            request_id=report.request_id,
            note=note,
            bug=partial(journal.tool_bug, report),
            remaining=lambda: self._deadline.when - loop.time(),
            left=lambda: report.left,
        )

        self._round = Round(step.planned, partial(runner.run, context=context), self._now)
        self._round_is_last = bool(step.handed_back)

    async def _tools_batch(self, running: Round) -> Batch:
        if self._report.left:
            running.stop()
        try:
            with self._deadline:
                ended = await running.ended()
        except DeadlineExceeded as error:
            ended = running.abandon()
            self._broken = DeadlineExceeded(
                "The tools had not finished when the time for this request ran out.", provider=error.provider
            )
        batch: Batch = [ToolCallEnded(each.run.call.id, each.run.call.name, each.run.status) for each in ended]
        if running.over:
            self._round_over(running)
            turn = self._report.turns[-1]
            assert turn.finished is not None
            self._loop.answered(turn.text, turn.finished.extras, turn.calls, running.outcomes)
            if self._report.left:
                batch.append(self._end(Ending.CANCELLED))
            elif self._round_is_last and self._broken is None:
                batch.append(self._end(Ending.COMPLETED))
        return batch

    def _round_over(self, running: Round) -> None:
        """Takes what the round came to into the account."""
        self._report.ran([outcome.run for outcome in running.outcomes])
        self._charges += [outcome.charge for outcome in running.outcomes if outcome.charge is not None]
        self._rounds.append(running)
        self._round = None

    async def _fail(self, error: BaseException) -> BaseException:
        """Settles a broken exchange, and returns the error as its caller may see it."""
        if self._round is not None:
            self._round.abandon()
            self._round_over(self._round)
        if self._settlement.settled:
            # It broke while it was told how it ended; the account is closed.
            error = InternalError() if isinstance(error, Exception) else error
        elif isinstance(error, asyncio.CancelledError):
            self._settle(Ending.CANCELLED, stopped())
        elif isinstance(error, KeywayError):
            credential = self._route.credential
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

    def _end(self, ending: Ending) -> Answer:
        """Settles an exchange that has its answer."""
        statement = self._settle(ending)
        if self._turn is not None:  # else it ends with a round, and the loop knows the turn that called it
            last = self._turn.report
            assert last.finished is not None
            self._loop.ended(last.text, last.finished.extras, last.calls)
        return self._report.answer(statement, self._loop.transcript)

    def _settle(self, ending: Ending, error: BaseException | None = None) -> Statement:
        self._report.ended = self._now()
        if (finished := self._report.finished) is not None and finished.response_id is not None:
            # Somebody else's text, so it may be long, and may repeat what it was sent.
            self._report.response_id = self._route.credential.redact(finished.response_id)[:128]
        pending = self._turn.usage if self._turn is not None else None
        turns = [turn.finished.usage if turn.finished is not None else pending for turn in self._report.turns]
        statement = self._settlement.settle(ending, turns=turns, tools=self._charges, error=error)
        self._journal.settled(self._report, statement, error)
        return statement

    async def _release(self) -> None:
        self._deadline.close()
        if self._turn is not None:
            await self._turn.aclose()
        if self._releasing:
            await asyncio.gather(*self._releasing)
        for round_ in self._rounds:
            await round_.aclose()


def stopped() -> DeadlineExceeded:
    """What becomes of an exchange whose invocation is cut off."""
    return DeadlineExceeded("The invocation was stopped.")
