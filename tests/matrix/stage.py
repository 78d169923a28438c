"""One gateway of real parts before one scripted provider that plays all twenty, for a module of tests.

Each vendor knows one key only, so that a request that is answered carried the right one.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from infra.local.provider import ScriptedProvider
from keyway.answer import Answer
from keyway.catalog import Catalog
from keyway.chat import Caller, ChatRequest, Json
from keyway.errors import KeywayError
from keyway.events import Event, TextDelta, ThinkingDelta
from keyway.gateway import Gateway
from keyway.outside.upstream import HttpUpstream
from tests.exchange.harness import CALLERS_SECRET, HOSTED_SECRET, Lines, Stores, call, captured, gateway_over
from tests.exchange.toolset import KEYS, Toolset
from tests.matrix.ways import PRICES, WAYS, Way

ACCESS_KEY_ID = "AKIDEXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KNOWN = {"hosted": HOSTED_SECRET, "caller": CALLERS_SECRET, "aws": ACCESS_KEY_ID, "none": "empty"}
"""The one key that a vendor takes, by whose it is."""

CATALOG = Catalog.load(prices=PRICES)


@dataclass(frozen=True)
class Outcome:
    """What one request came to."""

    events: tuple[Event, ...]
    answer: Answer | None
    error: KeywayError | None
    lines: Lines

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def thinking(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, ThinkingDelta))


class Stage:
    """The provider, and gateways that talk to it."""

    def __init__(self, provider: ScriptedProvider, upstream: HttpUpstream) -> None:
        self.provider = provider
        self._upstream = upstream

    async def ask(
        self,
        way: Way,
        fields: Json,
        *,
        streamed: bool,
        flag: bool = True,
        caller: Caller | None = None,
        toolset: Toolset | None = None,
    ) -> Outcome:
        """Sends one request by ``way`` and reads all of its answer, written down as JSON like a caller's."""
        asked = {"provider": way.provider, "model": way.model, "maxTokens": 1_000, "stream": streamed, **way.asks}
        if way.key == "aws":
            asked |= {"bedrockAccessKeyId": ACCESS_KEY_ID, "bedrockSecretKey": AWS_SECRET}
        request = ChatRequest.model_validate_json(json.dumps({**asked, **fields}))
        told: list[Event | Answer] = []
        error: KeywayError | None = None
        with captured() as lines:
            try:
                exchange = await self._gateway(way, flag=flag, toolset=toolset).open(
                    request, caller or who(way), call()
                )
                try:
                    async for batch in exchange:
                        told += batch
                finally:
                    await exchange.aclose()
            except KeywayError as raised:
                error = raised
        answers = [each for each in told if isinstance(each, Answer)]
        assert answers == told[len(told) - len(answers) :]
        events = tuple(each for each in told if not isinstance(each, Answer))
        return Outcome(events, answers[0] if answers else None, error, lines)

    def _gateway(self, way: Way, *, flag: bool, toolset: Toolset | None) -> Gateway:
        base_urls = dict(self.provider.base_urls)
        base_urls[way.provider] += way.address
        stores = Stores(platform=_platform(), flag=flag)
        return gateway_over(self._upstream, stores, catalog=CATALOG, base_urls=base_urls, toolset=toolset)


def who(way: Way) -> Caller:
    """Who asks by ``way``: a workspace, with a key of its own where no platform key is to pay."""
    return caller_with(CALLERS_SECRET if way.key == "caller" else None)


def caller_with(secret: str | None) -> Caller:
    """Somebody of the workspace ``w1``, with a key of their own or without."""
    return Caller.model_validate({"workspaceId": "w1", "apiKey": secret and SecretStr(secret)})


def _platform() -> Mapping[str, str]:
    """The platform's keys under both names: numbered for the pool, bare for the order of old; and those of tools."""
    keys: dict[str, str] = dict(KEYS)
    for provider in CATALOG.providers():
        if provider.hosting is not None:
            prefix = provider.hosting.key_prefix
            keys |= {f"{prefix}_1": HOSTED_SECRET, prefix: HOSTED_SECRET}
    return keys


@contextlib.asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """A stage for the length of the context."""
    keys = {way.provider: {KNOWN[way.key]} for way in WAYS}
    upstream = HttpUpstream()
    try:
        async with ScriptedProvider(keys=keys) as provider:
            yield Stage(provider, upstream)
    finally:
        await upstream.aclose()
