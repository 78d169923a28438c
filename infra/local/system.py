"""The whole gateway on one machine, for as long as a context lasts.

    async with LocalSystem() as system:
        ...  # POST system.url + "/v1/execute"; system.provider takes scripts; system.lines has the metrics

AWS is moto in this process, the provider is scripted and so is the search API, and the function runs in processes of
its own behind the runtime layer's local function URL. Everything is on loopback, unless ``real`` names a provider that
is to be called for real. What is seeded is ``seed.py``'s; which tools there are is ``tools.py``'s.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import cache
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.aws import LocalAws
from infra.local.lines import FunctionLines
from infra.local.provider import ScriptedProvider
from infra.local.real_keys import RealVendor
from infra.local.search import ScriptedSearch
from infra.local.seed import MODEL_KEYS, TOOL_KEYS, SeededAccount
from infra.local.tools import COUNT_FUNCTION, FUNCTIONS, SEARCH_PROVIDER, catalog
from keyway.catalog import Catalog
from stream_runtime.local import LocalLambda

ROOT = Path(__file__).resolve().parents[2]
PYTHON_PATH = (ROOT / "functions", ROOT / "layers" / "keyway" / "python")

OWN_KEYS = {
    ("ws-with-keys", "openai"): "sk-local-openai-of-a-workspace-7c21",
    ("ws-with-keys", "anthropic"): "sk-ant-local-of-a-workspace-44d0",
    ("ws-with-keys", SEARCH_PROVIDER): "search-local-of-a-workspace-18e7",
}
"""Keys that a workspace has stored, by workspace and provider."""

CALLERS_KEY = "sk-local-brought-by-the-caller-9e5b"
"""A key that the scripted provider and the search API accept, and that nobody has stored."""

_serial = count(1)


class LocalSystem:
    """The system as a context manager.

    Args:
        environments: Processes of the function.
        concurrency: Invocations at once in each (``AWS_LAMBDA_MAX_CONCURRENCY`` when above 1).
        real: Providers to call for real, by id; their keys take the place of the seeded ones.
        settings: Environment variables that win over the ones made here.
        prepare: Called with AWS before the function starts: the place to break something or seed more.
        timeout: The function's timeout in seconds.
        port: Of the function URL; 0 for any free one.
        on_line: Called with every line the function writes.
        tools: The operator's tool catalog, made of the search API's URL.
    """

    def __init__(
        self,
        *,
        environments: int = 1,
        concurrency: int = 1,
        real: Mapping[str, RealVendor] | None = None,
        settings: Mapping[str, str] | None = None,
        prepare: Callable[[LocalAws, SeededAccount], None] | None = None,
        timeout: float = 60.0,
        port: int = 0,
        on_line: Callable[[str], None] | None = None,
        tools: Callable[[str], Mapping[str, object]] = catalog,
    ) -> None:
        self._environments = environments
        self._concurrency = concurrency
        self.real = dict(real or {})
        self._settings = dict(settings or {})
        self._prepare = prepare
        self._timeout = timeout
        self._tools = tools
        self._port = port
        self._open = AsyncExitStack()
        self._polls_before = 0
        self.lines = FunctionLines(also=on_line)
        self.complaints: list[str] = []
        self.aws = LocalAws()
        self.account = SeededAccount(self.aws.url, self.aws.environment, name=f"keyway-{next(_serial)}")
        accepted = _accepted_keys()
        self.search = ScriptedSearch(keys=accepted[SEARCH_PROVIDER])
        self.provider = ScriptedProvider(keys=accepted)
        self._lambda: LocalLambda | None = None

    @property
    def function(self) -> LocalLambda:
        """The function: its URLs and its processes."""
        assert self._lambda is not None, "the system is not running"
        return self._lambda

    @property
    def url(self) -> str:
        """The function URL, without a slash at its end."""
        return self.function.url

    async def __aenter__(self) -> Self:
        """Starts everything. Raises ``StartError`` when the function cannot be started."""
        async with AsyncExitStack() as opening:
            opening.enter_context(self.aws)
            opening.enter_context(self.account)
            await opening.enter_async_context(self.provider)
            await opening.enter_async_context(self.search)
            self._seed()
            if self._prepare is not None:
                self._prepare(self.aws, self.account)
            self._polls_before = self.aws.outages.calls("appconfig")
            self._lambda = await opening.enter_async_context(
                LocalLambda(
                    "gateway.app.handler",
                    environments=self._environments,
                    concurrency=self._concurrency,
                    environment=self._environment(),
                    python_path=PYTHON_PATH,
                    task_root=ROOT / "functions",
                    timeout=self._timeout,
                    port=self._port,
                    function_name="keyway-gateway",
                    on_stdout=self.lines.hear,
                    on_stderr=self.complaints.append,
                )
            )
            self._open = opening.pop_all()
        return self

    async def ready(self) -> None:
        """Waits until every environment has asked for its flags, which it does in the background.

        On a busy machine a request might otherwise come before them, and meet the fallback setting.

        Raises:
            TimeoutError: They were not asked for within half a minute.
        """
        asked = self._polls_before + 2 * self._environments  # a session's start, and its first poll
        await asyncio.to_thread(self.aws.outages.wait_for_calls, "appconfig", asked)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops everything that was started, the function first."""
        await self._open.aclose()

    def _seed(self) -> None:
        for arn, run in FUNCTIONS.items():
            self.aws.functions.register(arn, run)
        for (workspace, provider), key in OWN_KEYS.items():
            self.account.put_workspace_key(workspace, provider, key)
        if self.real:
            scripted = {name: key for name, key in MODEL_KEYS.items() if _vendor_of(name) not in self.real}
            real = {name: key for vendor in self.real.values() for name, key in vendor.keys.items()}
            self.account.put_hosted_keys({**scripted, **real, **TOOL_KEYS})

    @property
    def provider_addresses(self) -> dict[str, str]:
        """Where each provider is called. One that is called for real at its vendor's own address is left out."""
        scripted = {name: url for name, url in self.provider.base_urls.items() if name not in self.real}
        return scripted | {name: vendor.base_url for name, vendor in self.real.items() if vendor.base_url}

    def _environment(self) -> dict[str, str]:
        return {
            **self.aws.environment,
            **self.account.environment,
            "PROVIDER_BASE_URLS": json.dumps(self.provider_addresses),
            "TOOL_CATALOG": json.dumps(self._tools(self.search.url)),
            "TOOL_EXECUTORS": "http,lambda",
            "TOOL_FUNCTIONS": COUNT_FUNCTION,
            **self._settings,
        }


def _vendor_of(key_name: str) -> str:
    """The provider whose pool a key named like ``GEMINI_API_KEY_1`` is in."""
    return _pools()[key_name.rpartition("_")[0]]


@cache
def _pools() -> Mapping[str, str]:
    return {row.hosting.key_prefix: row.id for row in Catalog.load().providers() if row.hosting is not None}


def _accepted_keys() -> dict[str, set[str]]:
    """What the scripted provider and the search API take for good keys, by vendor."""
    accepted: dict[str, set[str]] = {SEARCH_PROVIDER: {CALLERS_KEY, *TOOL_KEYS.values()}}
    for name, key in MODEL_KEYS.items():
        accepted.setdefault(_vendor_of(name), {CALLERS_KEY}).add(key)
    for (_, provider), key in OWN_KEYS.items():
        accepted[provider].add(key)
    return accepted
