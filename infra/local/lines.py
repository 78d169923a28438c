"""What the function wrote to its standard output: metric lines and one log line for each exchange.

On Lambda these lines go to CloudWatch. Here they are kept, and can be waited for, because a line and the answer
it belongs to travel by different ways.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

Json: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one line in CloudWatch's Embedded Metric Format.

    ``dimensions`` by name; ``properties`` is what the line holds besides, such as the request's id.
    """

    name: str
    value: Decimal
    unit: str
    namespace: str
    dimensions: Mapping[str, str]
    properties: Json


@dataclass(frozen=True, slots=True)
class Written:
    """All that was written about one exchange: its metrics, and the log line that came last."""

    metrics: tuple[Metric, ...]
    log: Json

    def named(self, name: str) -> list[Metric]:
        """The metrics called ``name``."""
        return [metric for metric in self.metrics if metric.name == name]

    @property
    def charged(self) -> Decimal:
        """The sum of every ``CostCharged``, in USD."""
        return sum((metric.value for metric in self.named("CostCharged")), Decimal(0))


class FunctionLines:
    """Hears lines as they come. ``also`` is called with each of them."""

    def __init__(self, *, also: Callable[[str], None] | None = None) -> None:
        self.all: list[str] = []
        self._also = also
        self._metrics: dict[str, list[Metric]] = {}
        self._logs: dict[str, Json] = {}
        self._said: list[Json] = []
        self._more = asyncio.Event()

    def hear(self, line: str) -> None:
        """Takes one line. Lines that are not JSON objects are kept and otherwise ignored."""
        self.all.append(line)
        if self._also is not None:
            self._also(line)
        try:
            data = json.loads(line, parse_float=Decimal)
        except ValueError:
            return
        if not isinstance(data, dict):
            return
        self._said.append(data)
        if "_aws" in data:
            for metric in metrics_of(data):
                self._metrics.setdefault(str(data.get("requestId")), []).append(metric)
        exchange = data.get("exchange")
        if isinstance(exchange, Mapping) and "ending" in exchange:
            request_id = str(exchange.get("requestId"))
            self._logs[request_id] = exchange
        self._more.set()

    async def about(self, request_id: str, *, within: float = 20.0) -> Written:
        """Everything about one exchange, once it is settled.

        Raises:
            TimeoutError: It was not written down ``within`` that many seconds.
        """
        log = await self.settled(lambda exchange: exchange.get("requestId") == request_id, within=within)
        return Written(tuple(self._metrics.get(request_id, ())), log)

    async def settled(self, wanted: Callable[[Json], bool], *, within: float = 20.0) -> Json:
        """The log line of the first exchange that is ``wanted``, once there is one.

        Raises:
            TimeoutError: There was none ``within`` that many seconds.
        """
        return await self._first(self._logs.values, wanted, within)

    async def said(self, text: str, *, within: float = 20.0, **members: object) -> Json:
        """The first line whose message holds ``text`` and which has these members, once there is one.

        Raises:
            TimeoutError: There was none ``within`` that many seconds.
        """

        def wanted(line: Json) -> bool:
            return text in str(line.get("message")) and members.items() <= line.items()

        return await self._first(lambda: self._said, wanted, within)

    async def _first(self, lines: Callable[[], Iterable[Json]], wanted: Callable[[Json], bool], within: float) -> Json:
        try:
            async with asyncio.timeout(within):
                while (found := next(filter(wanted, lines()), None)) is None:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise TimeoutError("the function wrote no such line") from None
        return found


def metrics_of(line: Json) -> list[Metric]:
    """The metrics in one line. Raises ``ValueError`` when it is not in the Embedded Metric Format."""
    found = []
    try:
        for directive in line["_aws"]["CloudWatchMetrics"]:  # type: ignore[index]
            (names,) = directive["Dimensions"]
            dimensions = {name: str(line[name]) for name in names}
            defined = {metric["Name"] for metric in directive["Metrics"]}
            rest = {name: entry for name, entry in line.items() if name not in {"_aws", *names, *defined}}
            for metric in directive["Metrics"]:
                values = line[metric["Name"]]
                value = sum(map(Decimal, values if isinstance(values, list) else [values]), Decimal(0))
                found.append(Metric(metric["Name"], value, metric["Unit"], directive["Namespace"], dimensions, rest))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not in the Embedded Metric Format: {error!r}") from error
    return found
