"""How often tools may be called, counted in a table by several environments at once, some of which are killed."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from keyway.outside.aws import Aws
from keyway.outside.tool_limits import ToolLimits
from keyway.tools.fair_queue import FairQueue
from keyway.tools.limiter import Admitted, TurnedAway, Uncounted
from tests.outside.callers import HOUR, TABLE, TEN, Callers, Wall, calls, kill, stand_in_line, tokens
from tests.outside.conftest import QUICK, Operator, until
from tests.outside.servers import FAULTS, Atomic, Proxy

PUT, GET = "PutItem", "GetItem"


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def proxy(moto: tuple[str, int]) -> Iterator[Proxy]:
    server = Atomic(moto)
    yield server
    server.close()


@pytest.fixture
def table(operator: Operator) -> Iterator[Any]:
    """The table as an operator sees it."""
    dynamodb = operator("dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield dynamodb
    dynamodb.delete_table(TableName=TABLE)


@pytest.fixture
def period() -> float:
    """Seconds between refills."""
    return 60.0


@pytest.fixture
def limits(aws, wall, table, period):  # noqa: ARG001 - the table has to be there
    return ToolLimits(aws, table=TABLE, now=wall, sleep=wall.sleep, period=period, patience=20)


@pytest.fixture
def elsewhere(proxy, session, wall, table, period):  # noqa: ARG001
    """Another environment."""
    aws = Aws(endpoints={"dynamodb": proxy.url}, read_timeout=20, session=session, **QUICK)
    yield ToolLimits(aws, table=TABLE, now=wall, sleep=wall.sleep, period=period, patience=20)
    proxy.permit()
    aws.stop()


def item(table: Any, name: str = "tool-limit#search#w-1") -> Any:
    return table.get_item(TableName=TABLE, Key={"id": {"S": name}}, ConsistentRead=True).get("Item")


def line(table: Any) -> FairQueue:
    return FairQueue.read(item(table)["state"]["S"])


async def test_of_forty_at_once_exactly_ten_pass_and_who_has_no_time_is_turned_away(limits, elsewhere, wall, table):
    callers = Callers(wall)
    for _ in range(20):
        callers.call(limits, within=5)
        callers.call(elsewhere, within=59.999)
    await callers.settle()
    admissions = Counter(admission for _, _, admission in callers.ended)
    assert admissions == {Admitted(): 10, TurnedAway(60.0, "actor_requests"): 30}
    assert (line(table).calls, line(table).tickets) == (0, ())
    wall.move(wall.milliseconds + 60_000)
    assert await elsewhere.admit(TEN, within=0) == Admitted()


@pytest.mark.parametrize("period", [20.0])
async def test_who_has_time_for_one_refill_waits_and_who_does_not_fit_is_told_of_the_next(
    limits, elsewhere, wall, table
):
    callers = Callers(wall)
    for _ in range(20):
        callers.call(limits, within=20)
        callers.call(elsewhere, within=20)
    await callers.settle()
    admissions = Counter(admission for _, _, admission in callers.ended)
    assert admissions == {Admitted(): 10, TurnedAway(40.0, "queue_position"): 20}
    assert len(line(table).tickets) == 10
    await callers.live(20)
    assert callers.passed(20) == {0: 10, 1: 10}
    assert {admission.waited for _, at, admission in callers.ended if at} == {20.0}
    assert line(table).tickets == ()


@pytest.mark.parametrize("period", [6.0])
async def test_who_has_time_passes_at_a_refill_in_order_of_arrival(limits, elsewhere, wall):
    callers = Callers(wall)
    for _ in range(20):
        callers.call(limits)
        callers.call(elsewhere)
    await callers.live(20)
    assert callers.passed(6) == {0: 10, 1: 10, 2: 10, 3: 10}
    waited = callers.ended[10:]
    assert all(admission.waited == at and at % 6 < 0.1 for _, at, admission in waited)
    assert Counter(admission.reason for _, _, admission in waited) == {"actor_requests": 1, "queue_position": 29}
    for environment in (0, 1):  # those of one environment arrive in the order in which they were made
        names = [name for name, _, _ in waited if name % 2 == environment]
        assert names == sorted(names)


async def test_a_newcomer_takes_no_token_from_those_who_wait(limits, elsewhere, wall):
    callers = Callers(wall)
    await callers.call_each(*[limits] * 4, limited=calls(2))
    await callers.live(59.999)
    callers.call(elsewhere, calls(2), within=0.001)
    await callers.live(61)
    assert callers.passed() == {0: 2, 1: 2}
    assert callers.ended[2] == (4, 59.999, TurnedAway(60.001, "queue_position"))


async def test_nobody_waits_for_an_environment_that_was_killed(limits, elsewhere, wall, proxy, table):
    callers = Callers(wall)
    await callers.call_each(*[limits] * 4, limited=calls(4))
    process = await stand_in_line(proxy.url, wall, per_minute=4, many=3)
    await callers.call_each(*[limits, elsewhere] * 3, limited=calls(4))
    await kill(process)
    await callers.live(29)
    assert len(line(table).tickets) == 9
    await callers.live(31)
    assert len(line(table).tickets) == 6
    await callers.live(121)
    assert callers.passed() == {0: 4, 1: 4, 2: 2}
    assert [name for name, _, _ in callers.ended] == list(range(10))
    assert {admission.reason for _, _, admission in callers.ended[4:]} == {"queue_position"}  # as it was at first


async def test_tokens_that_the_dead_held_back_go_to_the_next_when_their_lease_ends(limits, wall, proxy, table):
    callers = Callers(wall)
    await callers.call_each(*[limits] * 4, limited=calls(4))
    await callers.live(50)
    process = await stand_in_line(proxy.url, wall, per_minute=4, many=3)
    await callers.call_each(*[limits] * 6, limited=calls(4))
    await kill(process)
    await callers.live(61)
    assert callers.passed() == {0: 4, 1: 1}  # the three might still be alive
    await callers.live(91)
    assert callers.passed() == {0: 4, 1: 4}
    await callers.live(121)
    assert callers.passed() == {0: 4, 1: 4, 2: 2}
    assert (line(table).calls, line(table).tickets) == (2, ())


async def test_a_cancelled_call_gives_up_its_place_and_the_next_moves_up(limits, elsewhere, wall, table):
    callers = Callers(wall)
    leaving = await callers.call_each(limits, limits, limited=calls(1))
    await callers.call_each(elsewhere, limited=calls(1))
    assert len(line(table).tickets) == 2
    last = line(table).tickets[1]
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert line(table).tickets == (last,)
    await callers.live(61)
    assert [(name, at) for name, at, _ in callers.ended] == [(0, 0.0), (2, 60.0)]


async def test_a_call_that_is_cancelled_while_the_table_answers_gives_back_what_it_got(limits, proxy, table):
    proxy.faults = {PUT: "slow"}
    leaving = asyncio.create_task(limits.admit(TEN, within=HOUR))
    await until(lambda: proxy.asked == [PUT])
    leaving.cancel()
    await asyncio.sleep(0)
    proxy.faults = {}
    proxy.permit()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert proxy.asked == [PUT, PUT]
    assert line(table).calls == 10


@pytest.mark.parametrize("fault", [*FAULTS, "slow"])
@pytest.mark.usefixtures("table")
async def test_a_call_that_is_cancelled_while_the_table_fails_ends_in_time(aws, wall, proxy, fault):
    limits = ToolLimits(aws, table=TABLE, now=wall, sleep=wall.sleep, patience=2)
    leaving = await Callers(wall).call_each(limits, limits, limited=calls(1))
    proxy.fault = fault
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(leaving, 20)


async def test_who_cannot_be_served_in_time_after_all_is_turned_away_from_the_line(limits, elsewhere, wall, table):
    callers = Callers(wall)
    await callers.call_each(*[limits] * 10, limited=tokens(100))
    await callers.call_each(limits, limited=tokens(100), within=90)
    await callers.live(25)
    assert await elsewhere.use(tokens(100), {"tokens": Decimal(250)})
    await callers.live(40)
    assert callers.ended[10:] == [(10, 30.0, TurnedAway(90.0, "dimension", 30.0))]
    assert line(table).tickets == ()


async def test_what_is_used_in_one_environment_is_missing_in_the_other(limits, elsewhere, wall, table):
    few = tokens(100)
    assert await limits.use(few, {"tokens": Decimal("99.999"), "unheard-of": Decimal(5)})
    assert await elsewhere.admit(few, within=0) == Admitted()
    assert await elsewhere.use(few, {"tokens": Decimal("150.001")})
    assert line(table).left == {"tokens": Decimal(-150)}
    assert await limits.admit(few, within=119) == TurnedAway(120.0, "dimension")
    wall.move(wall.milliseconds + 120_000)
    assert await limits.admit(few, within=0) == Admitted()


async def test_what_is_nothing_is_not_written_down(limits, proxy):
    for usage in ({}, {"tokens": Decimal(0)}, {"tokens": Decimal(-1)}, {"tokens": Decimal("NaN")}, {"x": Decimal(1)}):
        assert await limits.use(tokens(100), usage)
        assert await limits.use(TEN, usage)
    assert proxy.asked == []


async def test_a_call_takes_one_write_while_nobody_else_writes(limits, elsewhere, proxy):
    for _ in range(3):
        await limits.admit(TEN, within=0)
    assert proxy.asked == [PUT] * 3
    await elsewhere.admit(TEN, within=0)
    await elsewhere.admit(TEN, within=0)
    assert proxy.asked[3:] == [PUT] * 3  # the first one was refused, and brought what the table holds
    await limits.admit(TEN, within=0)
    assert proxy.asked[6:] == [PUT] * 2


async def test_who_is_turned_away_has_written_nothing_and_has_looked_into_the_table(limits, elsewhere, proxy, wall):
    one = calls(1)
    waiting = await Callers(wall).call_each(limits, limits, limited=one)
    assert await elsewhere.admit(one, within=60) == TurnedAway(120.0, "queue_position")
    waiting.cancel()
    await asyncio.wait({waiting})
    asked = []
    proxy.alter = lambda operation, body: asked.append((operation, body.get("ConsistentRead")))
    for _ in range(2):
        assert await elsewhere.admit(one, within=59) == TurnedAway(60.0, "actor_requests")  # not behind who has left
    assert asked == [(GET, True)] * 2


def lost(proxy: Proxy, table: Any, times: int) -> None:
    """Before each of as many writes, another environment is faster."""
    left = iter(range(times))

    def write(operation: str, _body: object) -> None:
        if operation == PUT and next(left, None) is not None:
            table.put_item(TableName=TABLE, Item={**(item(table) or ITEM), "version": {"S": secrets.token_hex(8)}})

    proxy.alter = write


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_a_write_that_another_environment_was_faster_than_is_made_again(limits, proxy, table, times):
    await limits.admit(TEN, within=0)
    proxy.asked.clear()
    lost(proxy, table, times)
    assert await limits.admit(TEN, within=0) == Admitted()
    assert proxy.asked == [PUT] * (times + 1)
    assert line(table).calls == 8


async def test_who_always_loses_is_let_through_in_the_end(aws, wall, proxy, table, said):
    pauses = iter(range(1_000))
    limits = ToolLimits(aws, table=TABLE, now=wall, chance=lambda: 0.0 * next(pauses))
    await limits.admit(TEN, within=0)
    lost(proxy, table, 1_000)
    assert await limits.admit(TEN, within=0) == Uncounted()
    assert (len(proxy.asked), next(pauses)) == (41, 20)  # a pause after every second loss
    assert said()[-1].endswith("so they are let through: dynamodb:PutItem failed with 40 losses to other environments")


async def test_a_write_whose_answer_was_lost_is_counted_once(proxy, session, wall, table):
    def once(_operation: str, _body: object) -> None:
        proxy.faults = {}

    aws = Aws(**{**QUICK, "attempts": 2}, endpoints={"dynamodb": proxy.url}, session=session)
    limits = ToolLimits(aws, table=TABLE, now=wall, patience=20)
    await limits.admit(TEN, within=0)
    proxy.faults, proxy.alter = {PUT: "hung up"}, once
    assert await limits.admit(TEN, within=0) == Admitted()
    assert proxy.asked == [PUT] * 3
    assert line(table).calls == 8
    aws.stop()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("table")
async def test_a_table_that_fails_stops_nobody_and_says_so_once(limits, proxy, said, fault):
    proxy.fault = fault
    for _ in range(3):
        assert await limits.admit(TEN, within=0) == Uncounted()
        assert not await limits.use(tokens(100), {"tokens": Decimal(1)})
    (begun,) = said()
    assert begun.startswith("calls of tools cannot be counted, so they are let through: dynamodb")
    proxy.fault = None
    assert await limits.admit(TEN, within=0) == Admitted()
    assert await limits.admit(TEN, within=0) == Admitted()
    assert said()[1:] == ["calls of tools are counted again"]


async def test_who_waits_is_let_through_when_the_table_fails(limits, wall, proxy):
    callers = Callers(wall)
    await callers.call_each(limits, limits, limited=calls(1))
    proxy.fault = "broken"
    await callers.live(61)
    assert callers.ended[-1] == (1, 10.0, Uncounted())


async def test_a_slow_table_is_waited_for_once_by_all_who_stand_behind_it(aws, wall, table, proxy, said):
    patient = ToolLimits(aws, table=TABLE, now=wall, patience=20)
    await patient.admit(calls(1, workspace="w-2"), within=0)  # from here on there is a connection
    proxy.asked.clear()
    limits = ToolLimits(aws, table=TABLE, now=wall, patience=1)
    proxy.fault = "slow"
    began = time.monotonic()
    assert await asyncio.gather(*(limits.admit(TEN, within=HOUR) for _ in range(20))) == [Uncounted()] * 20
    assert time.monotonic() - began < 10
    assert proxy.asked == [PUT]
    assert said() == [
        "calls of tools cannot be counted, so they are let through: dynamodb failed with no answer in 1 seconds"
    ]
    assert item(table) is None


async def test_a_port_that_nobody_listens_on_is_an_outage(nobody, wall, said):
    aws = Aws(endpoints={"dynamodb": nobody}, **QUICK)
    assert await ToolLimits(aws, table=TABLE, now=wall).admit(TEN, within=0) == Uncounted()
    assert len(said()) == 1
    aws.stop()


async def test_without_a_table_nothing_is_counted_and_nothing_is_asked(aws, proxy):
    limits = ToolLimits(aws, table=None)
    assert await limits.admit(TEN, within=0) == Uncounted()
    assert not await limits.use(tokens(1), {"tokens": Decimal(1)})
    assert proxy.asked == []


ITEM = {
    "id": {"S": "tool-limit#search#w-1"},
    "state": {"S": FairQueue(1_700_000_000_000, 0).text()},
    "version": {"S": "v"},
}


@pytest.mark.parametrize(
    "nonsense",
    [
        {"id": ITEM["id"], "version": {"S": "v"}},
        {**ITEM, "state": {"N": "1"}},
        {**ITEM, "state": {"S": "[]"}},
        {**ITEM, "state": {"L": [{"S": "a"}]}, "version": {"M": {"a": {"N": "1"}}}},
    ],
)
async def test_an_item_that_cannot_be_read_is_begun_anew(limits, table, said, nonsense):
    table.put_item(TableName=TABLE, Item=nonsense)
    assert await limits.admit(TEN, within=0) == Admitted()
    assert line(table).calls == 9
    assert said() == ["the limit kept as tool-limit#search#w-1 cannot be read and is begun anew"]


async def test_an_item_that_nobody_here_has_written_is_written_over(limits, table):
    table.put_item(TableName=TABLE, Item={"id": ITEM["id"], "state": ITEM["state"]})
    assert await limits.admit(TEN, within=0) == Admitted()
    assert line(table).calls == 9


async def test_an_item_that_can_be_read_is_gone_by(limits, table, wall):
    table.put_item(TableName=TABLE, Item=ITEM)
    assert wall() == 1_700_000_000
    assert await limits.admit(TEN, within=0) == TurnedAway(60.0, "actor_requests")


async def test_an_item_expires_when_it_has_rested_and_is_missed_by_nobody(limits, wall, table, proxy):
    few = tokens(100)
    await limits.use(few, {"tokens": Decimal(1_000)})
    assert 20 <= (int(item(table)["expiration"]["N"]) - wall()) / 60 <= 30
    wall.move(wall.milliseconds + 600_000)
    assert await limits.admit(few, within=0) == Admitted()
    table.delete_item(TableName=TABLE, Key={"id": ITEM["id"]})
    proxy.asked.clear()
    assert await limits.admit(few, within=0) == Admitted()
    assert proxy.asked == [PUT, GET, PUT]
    assert (line(table).calls, line(table).left) == (9, {"tokens": 100})


async def test_after_a_snapshot_nothing_is_remembered(limits, proxy, table):
    await limits.admit(TEN, within=0)
    limits.restored()
    assert await limits.admit(TEN, within=0) == Admitted()
    assert proxy.asked == [PUT] * 3
    assert line(table).calls == 8


async def test_the_items_that_were_asked_for_last_are_remembered_up_to_the_limit(aws, wall, table, proxy):
    limits = ToolLimits(aws, table=TABLE, now=wall, remembered=2)
    for workspace in ("w-1", "w-2", "w-1", "w-3", "w-1", "w-2"):
        await limits.admit(calls(10, workspace=workspace), within=0)
    assert proxy.asked == [PUT] * 7  # only the last one had been forgotten, and took two
    assert line(table).calls == 7


async def test_every_payee_and_workspace_has_a_line_of_its_own(limits):
    one = {"per_minute": 1}
    for payee, workspace in [("a", "b"), ("a", "c"), ("b", "b"), ("a#b", "c"), ("a", "b#c"), ("a%23b", "c")]:
        limited = calls(**one, payee=payee, workspace=workspace)
        assert await limits.admit(limited, within=0) == Admitted()
        assert await limits.admit(limited, within=0) == TurnedAway(60.0, "actor_requests")


@pytest.mark.parametrize("within", [-5.0, 0.0, float("inf")])
async def test_any_time_may_be_given(limits, within):
    assert await limits.admit(TEN, within=within) == Admitted()


async def test_by_the_real_clock(aws, table):
    limits = ToolLimits(aws, table=TABLE, period=2, patience=20)
    began = time.monotonic()
    found = await asyncio.gather(*(limits.admit(calls(2), within=20) for _ in range(4)))
    assert [admission.reason for admission in found] == [None, None, "actor_requests", "queue_position"]
    assert time.monotonic() - began > 1.9
    assert all(0 < admission.waited < 10 for admission in found[2:])
    assert line(table).tickets == ()
