"""How often tools are called on hosted keys: one item of a DynamoDB table for each payee and workspace.

    id = "tool-limit#" payee "#" workspace   state   version   expiration

``state`` is the buckets and the waiting line, which ``tools/fair_queue.py`` knows how to change. Here it is changed by
compare and swap: a write says which ``version`` it was made from and is refused when another environment was faster,
which brings that one's state along for the next try. The state last seen is remembered, so that one write is all a
call takes as long as no other environment has written meanwhile.

Whoever waits sleeps until its turn, and wakes to renew its ticket. Tickets of an environment that dies run out.

It never stops a call because the table fails: nobody can say then, and the call may be made. What a call that was
turned away is told is for ``tools/call.py`` to say.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from keyway.billing.records import WaitReason
from keyway.outside.aws import Aws, AwsError
from keyway.tools.fair_queue import Decision, FairQueue, FairQueueError, Passed, Refused, Rules, Waiting
from keyway.tools.limiter import Admission, Admitted, Limited, TurnedAway, Uncounted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

T = TypeVar("T")
Change: TypeAlias = Callable[[FairQueue, int], tuple[FairQueue, T]]  # of a queue and the time: another, and an answer

_TRIES = 40
"""After as many writes lost to other environments the table is as good as out of reach."""

_KEPT = 600
"""Seconds that an item outlives its use, for clocks that differ."""

_CHANCE = random.SystemRandom().random  # a seed of our own would be the same in every copy of a snapshot

log = logging.getLogger("keyway")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an item held when it was last read or written. Without a line, there is none or nobody can read it."""

    line: FairQueue | None = None
    version: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Item:
    """One item, as this environment knows it. Within the environment it is changed once at a time, first come first."""

    name: str
    rules: Rules
    seen: _Seen = _Seen()
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    failure: AwsError | None = None
    failures: int = 0


class ToolLimits:
    """Counts calls in a table that all environments share. A ``Limiter``.

    Args:
        table: The table's name; ``None`` when the operator has none, and so nothing is counted.
        now, sleep: The wall clock, and how to wait for so many of its seconds.
        period: Seconds between refills.
        lease: Seconds after which somebody who waits and has not been heard of is dead.
        heartbeat: Seconds between signs of life.
        patience: Seconds that one answer of the table may take.
        longest: How many may wait for the same item, in which each of them renews its ticket.
        remembered: Items whose state is kept in memory.
        chance: Random numbers from 0 to 1.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        table: str | None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        period: float = 60.0,
        lease: float = 30.0,
        heartbeat: float = 10.0,
        patience: float = 2.0,
        longest: int = 300,
        remembered: int = 1_000,
        chance: Callable[[], float] = _CHANCE,
    ) -> None:
        self._aws = aws
        self._table = table or ""
        self._now: Callable[[], int] = lambda: _milliseconds(now())
        self._sleep = sleep
        period, lease, heartbeat = map(_milliseconds, (period, lease, heartbeat))
        self._rules = partial(Rules.of, period=period, lease=lease, heartbeat=heartbeat, longest=longest)
        self._patience = patience
        self._most_remembered = remembered
        self._chance = chance
        self._items: OrderedDict[str, _Item] = OrderedDict()
        self._outage: str | None = None

    async def admit(self, limited: Limited, *, within: float) -> Admission:
        """Whether a call may be made, after at most ``within`` seconds in line, or a day.

        ``Uncounted`` when the table cannot be used. Never raises. When it is cancelled, its place in line is given up.
        """
        if not self._table:
            return Uncounted()
        item, ticket = self._item(limited), secrets.token_hex(6)
        began = self._now()
        until = began + _milliseconds(min(max(within, 0.0), 86_400.0))
        waits_for: WaitReason | None = None

        def ask(line: FairQueue, now: int) -> tuple[FairQueue, Decision]:
            return line.ask(ticket, now=now, until=until, rules=item.rules)

        while True:
            # A task of its own: what it does to the table is known even when this call is cancelled meanwhile.
            asking = asyncio.create_task(self._change(item, ask))
            try:
                answer = await asyncio.shield(asking)
                waited = (self._now() - began) / 1000 if waits_for else 0.0
                match answer:
                    case Passed():
                        return Admitted(waited, waits_for)
                    case Refused(after, reason):
                        return TurnedAway(after / 1000, reason, waited)
                    case Waiting(_, wake, reason):
                        waits_for = waits_for or reason
                        while (left := wake - self._now()) > 0:  # a sleep may end a little early
                            await self._sleep(left / 1000)
            except AwsError:
                return Uncounted()
            except asyncio.CancelledError:
                await asyncio.shield(self._withdraw(item, ticket, asking))
                raise

    async def use(self, limited: Limited, usage: Mapping[str, Decimal]) -> bool:
        """A call has used up so much of each dimension. What is not a number above zero is nothing.

        Never raises; ``False`` when it could not be counted, because the table cannot be used.
        """
        item = self._item(limited)
        if not item.rules.counted(usage):
            return True
        with suppress(AwsError):
            if self._table:
                await self._change(item, lambda line, now: (line.used(usage, now=now, rules=item.rules), None))
                return True
        return False

    def restored(self) -> None:
        """After a SnapStart restore: what was seen before the snapshot is long past."""
        self._items.clear()

    async def _withdraw(self, item: _Item, ticket: str, asking: asyncio.Task[Decision]) -> None:
        """Gives back what a cancelled call has. If that fails, the lease of its place runs out."""
        with suppress(AwsError, TimeoutError):
            async with asyncio.timeout(self._patience):
                answer = await asking
                await self._change(
                    item, lambda line, now: (line.undone(ticket, answer, now=now, rules=item.rules), None)
                )

    async def _change(self, item: _Item, change: Change[T]) -> T:
        """Makes a change to an item, and gives what came of it. Raises ``AwsError`` when the table cannot be used."""
        failures = item.failures
        async with item.lock:
            if item.failure is not None and item.failures > failures:
                raise item.failure.with_traceback(None)  # nobody waits as long for the same behind another
            try:
                outcome = await self._swap(item, change)
            except AwsError as error:
                item.seen, item.failure, item.failures = _Seen(), error, item.failures + 1
                self._say(str(error))
                raise
        self._say(None)
        return outcome

    async def _swap(self, item: _Item, change: Change[T]) -> T:
        fresh = False  # whether the table itself has told what it holds; what is remembered may be out of date
        for tries in range(_TRIES):
            now = self._now()
            before = item.seen.line or FairQueue.full(item.rules, now=now)
            after, outcome = change(before, now)
            if after is before:
                if fresh:
                    return outcome
                item.seen = await self._ask_table(partial(_read, table=self._table, name=item.name))
            else:
                row = _row(item, after)
                found = await self._ask_table(partial(_write, table=self._table, row=row, over=item.seen.version))
                # Our own version is found where the first answer was lost on the way and boto3 has tried again.
                if found is None or found.version == row["version"]:
                    item.seen = _Seen(after, row["version"])
                    return outcome
                item.seen = found
                if tries % 2:  # one loss tells that what was remembered is old, a second one of a crowd
                    await asyncio.sleep(self._chance() * min(0.01 * 2 ** (tries // 2), 1.0))
            fresh = True
        raise AwsError("dynamodb:PutItem", f"{_TRIES} losses to other environments")

    async def _ask_table(self, operation: Callable[[DynamoDBClient], T]) -> T:
        try:
            async with asyncio.timeout(self._patience):
                return await self._aws.call("dynamodb", operation)
        except TimeoutError:
            raise AwsError("dynamodb", f"no answer in {self._patience:g} seconds", answered=False) from None

    def _item(self, limited: Limited) -> _Item:
        payee = limited.payee.replace("%", "%25").replace("#", "%23")  # so that no two have the same id
        name = f"tool-limit#{payee}#{limited.workspace_id}"
        rules = self._rules(limited.limit)
        item = self._items.setdefault(name, _Item(name, rules))
        item.rules = rules
        self._items.move_to_end(name)
        while len(self._items) > self._most_remembered:
            self._items.popitem(last=False)
        return item

    def _say(self, outage: str | None) -> None:
        """Logs the beginning and the end of an outage, and a change of its reason; not every call."""
        if outage != self._outage:
            self._outage, extra = outage, {"reason": outage}
            if outage is None:
                log.info("calls of tools are counted again", extra=extra)
            else:
                log.error("calls of tools cannot be counted, so they are let through: %s", outage, extra=extra)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _row(item: _Item, line: FairQueue) -> dict[str, dict[str, str]]:
    """``version`` is random: a number would begin anew with an item that expired, and mean another state."""
    return {
        "id": {"S": item.name},
        "state": {"S": line.text()},
        "version": {"S": secrets.token_hex(8)},
        "expiration": {"N": str(line.rested_at(item.rules) // 1000 + _KEPT)},
    }


def _write(client: DynamoDBClient, *, table: str, row: dict[str, Any], over: Mapping[str, Any] | None) -> _Seen | None:
    """Writes over the given version, or where there is none. What stands there instead, if something else does."""
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(#version)"}
    if over is not None:
        condition = {"ConditionExpression": "#version = :over", "ExpressionAttributeValues": {":over": over}}
    try:
        answer = client.put_item(
            TableName=table,
            Item=row,
            ExpressionAttributeNames={"#version": "version"},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ReturnConsumedCapacity="TOTAL",
            **condition,
        )
    except client.exceptions.ConditionalCheckFailedException as error:
        found: Mapping[str, Any] | None = dict(error.response).get("Item")  # type: ignore[assignment]
        return _read(client, table=table, name=row["id"]["S"]) if found is None else _seen(found)
    _check(answer)
    return None


def _read(client: DynamoDBClient, *, table: str, name: str) -> _Seen:
    key = {"id": {"S": name}}
    answer = client.get_item(TableName=table, Key=key, ConsistentRead=True, ReturnConsumedCapacity="TOTAL")
    _check(answer)
    return _seen(answer.get("Item", {}))


def _check(answer: Mapping[str, Any]) -> None:
    """An answer without the figure that was asked for is not DynamoDB's, and so nothing was written or read."""
    if "ConsumedCapacity" not in answer:
        raise AwsError("dynamodb", "an answer that cannot be right")


def _seen(item: Mapping[str, Any]) -> _Seen:
    if not item:
        return _Seen()
    try:
        return _Seen(FairQueue.read(item["state"]["S"]), item["version"])
    except (FairQueueError, LookupError, TypeError):
        name = str(item.get("id", {}).get("S"))
        log.error("the limit kept as %s cannot be read and is begun anew", name, extra={"item": name})  # noqa: TRY400
        return _Seen(None, item.get("version"))
