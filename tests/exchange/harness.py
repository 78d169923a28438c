"""A gateway of real parts with its outside replaced: scripted provider, stores in memory, lines in a list.

Everything that decides about money is the product's own: catalog, resolution, wires, exchange, settlement, telemetry.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from infra.local.provider import ScriptedProvider
from keyway.catalog import Catalog
from keyway.delivery import Delivery
from keyway.exchange import Exchange
from keyway.gateway import Gateway, Invocation
from keyway.keys.pool import KeyPool
from keyway.keys.resolve import Resolver
from keyway.outside.log_lines import log_to_stdout
from keyway.outside.signing import AwsSigner
from keyway.outside.telemetry import Telemetry
from keyway.outside.upstream import HttpUpstream
from keyway.ports import Journal, Upstream
from tests.exchange.toolset import Toolset

HOSTED_SECRET = "sk-hosted-0123456789abcdef"
WORKSPACE_SECRET = "sk-workspace-fedcba9876543210"
CALLERS_SECRET = "sk-callers-aaaabbbbccccdddd"
SECRETS = (HOSTED_SECRET, WORKSPACE_SECRET, CALLERS_SECRET)

MODELS = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-4-5"}


@dataclass
class Stores:
    """The key stores and the flag, in memory."""

    platform: Mapping[str, str] = field(
        default_factory=lambda: {"OPENAI_API_KEY_1": HOSTED_SECRET, "ANTHROPIC_API_KEY_1": HOSTED_SECRET}
    )
    workspace: Mapping[tuple[str, str], str] = field(default_factory=dict)
    flag: bool = True

    async def current(self) -> Mapping[str, str]:
        return self.platform

    async def key(self, workspace_id: str, provider: str) -> str | None:
        return self.workspace.get((workspace_id, provider))

    async def enabled(self, _name: str, _context: Mapping[str, object]) -> bool:
        return self.flag


async def at_once(_seconds: float) -> None:
    """Stands in for the pause before another try."""


def resolver_of(stores: Stores, *, catalog: Catalog | None = None, hosted: bool = True) -> Resolver:
    """Finds the key that pays, in ``stores``."""
    return Resolver(
        catalog=catalog or Catalog.load(),
        hosted=hosted,
        workspace_keys=stores,
        platform_keys=stores,
        flags=stores,
        pool=KeyPool(0),
    )


def gateway_over(
    upstream: Upstream,
    stores: Stores | None = None,
    *,
    catalog: Catalog | None = None,
    base_urls: Mapping[str, str] | None = None,
    multiplier: str = "1",
    toolset: Toolset | None = None,
    journal: Journal | None = None,
    now: Callable[[], float] = time.time,
) -> Gateway:
    """A gateway that sends its requests by ``upstream``, and has the tools of ``toolset``."""
    catalog = catalog or Catalog.load()
    resolver = resolver_of(stores or Stores(), catalog=catalog)
    return Gateway(
        catalog=catalog,
        resolver=resolver,
        toolbox=toolset.toolbox() if toolset else None,
        tool_runner=toolset.runner(resolver) if toolset else None,
        delivery=Delivery(upstream, AwsSigner(), sleep=at_once),
        journal=journal or Telemetry(namespace="Keyway/HostedKey", environment="test"),
        base_urls=base_urls or {},
        multiplier=Decimal(multiplier),
        now=now,
    )


@contextlib.asynccontextmanager
async def gateway(
    provider: ScriptedProvider,
    stores: Stores | None = None,
    *,
    multiplier: str = "1",
    toolset: Toolset | None = None,
):
    """A gateway that talks to ``provider``, and has the tools of ``toolset``."""
    async with contextlib.aclosing(HttpUpstream()) as upstream:
        yield gateway_over(upstream, stores, base_urls=provider.base_urls, multiplier=multiplier, toolset=toolset)


def call(seconds: float = 60.0) -> Invocation:
    """An invocation with ``seconds`` left."""
    return Invocation(request_id="request-1", deadline=time.time() + seconds)


async def leave(exchange: Exchange, when: Awaitable[object]) -> None:
    """Reads ``exchange`` until ``when``, then leaves it under way, as a caller who hangs up does."""

    async def read() -> None:
        async for _ in exchange:
            pass

    reading = asyncio.ensure_future(read())
    await when
    await exchange.aclose()
    await reading


@dataclass
class Lines:
    """What was written to standard output, parsed."""

    text: str = ""

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return [line for line in self.all if "_aws" in line]

    def named(self, metric: str) -> list[dict[str, Any]]:
        """The metric lines that carry ``metric``."""
        return [line for line in self.metrics if metric in line]

    @property
    def exchanges(self) -> list[dict[str, Any]]:
        """The log lines of exchanges that ended."""
        return [line["exchange"] for line in self.all if "exchange" in line and "_aws" not in line]

    @property
    def charged(self) -> Decimal:
        """The sum of every ``CostCharged``."""
        return sum((Decimal(str(line["CostCharged"][0])) for line in self.named("CostCharged")), Decimal(0))


@contextlib.contextmanager
def captured() -> Iterator[Lines]:
    """Collects the lines written meanwhile; complete when the context is left."""
    log_to_stdout("keyway")
    lines = Lines()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            yield lines
        finally:
            lines.text = out.getvalue()
