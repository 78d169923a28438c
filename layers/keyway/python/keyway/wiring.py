"""The one place where things are built: settings in, a gateway that can be started out.

Building reads nothing but the operator's tool catalog, and connects to nothing. ``start`` begins to fetch hosted keys
and flags in the background, so that the environment's first request waits for as little as possible; ``restored`` does
it again after a snapshot.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from keyway.catalog import Catalog
from keyway.delivery import Delivery
from keyway.doors.step_functions.tasks import Tasks
from keyway.gateway import Gateway
from keyway.keys.pool import KeyPool
from keyway.keys.resolve import FLAG, Resolver
from keyway.outside.answers_bucket import AnswersBucket
from keyway.outside.aws import Aws
from keyway.outside.flags import Flags
from keyway.outside.idempotency import IdempotencyRecords
from keyway.outside.log_lines import log_to_stdout
from keyway.outside.secrets import HostedKeys
from keyway.outside.signing import AwsSigner
from keyway.outside.telemetry import Telemetry
from keyway.outside.upstream import HttpUpstream
from keyway.outside.workspace_keys import WorkspaceKeys
from keyway.settings import Settings

if TYPE_CHECKING:
    from keyway.tool_wiring import Tools


class Keyway:
    """A whole gateway: what the function holds for as long as its environment lives."""

    def __init__(self, settings: Settings) -> None:
        catalog = Catalog.load(
            blocked_providers=settings.blacklisted_providers, blocked_models=settings.blacklisted_models
        )
        self.catalog = catalog
        self._upstream = HttpUpstream()
        self._signer = AwsSigner(bearer_token=settings.aws_bearer_token_bedrock)
        self._aws = Aws()
        self._hosted_keys = HostedKeys(self._aws, settings.hosted_keys_secret)
        self._flags = Flags(
            self._aws,
            application=settings.appconfig_application,
            environment=settings.appconfig_environment,
            fallback={FLAG: settings.hosted_key_llm},
        )
        self._settings = settings
        journal = Telemetry(namespace=settings.metrics_namespace, environment=settings.deployment_environment)
        self.tasks = Tasks(
            records=IdempotencyRecords(self._aws, table=settings.idempotency_table),
            answers=AnswersBucket(self._aws, bucket=settings.answers_bucket),
            journal=journal,
            now=time.time,
        )
        resolver = Resolver(
            catalog=catalog,
            hosted=settings.keyway_hosted,
            workspace_keys=WorkspaceKeys(
                self._aws, table=settings.workspace_keys_table, kms_key=settings.workspace_keys_kms_key
            ),
            platform_keys=self._hosted_keys,
            flags=self._flags,
            # The operating system's randomness: a seed of our own would be the same in every copy of a snapshot.
            pool=KeyPool(random.SystemRandom()),
        )
        self.tools = _tools(settings, resolver, self._upstream, self._aws)
        """``None`` where the operator has none and allows none."""
        self.gateway = Gateway(
            catalog=catalog,
            resolver=resolver,
            delivery=Delivery(self._upstream, self._signer),
            journal=journal,
            base_urls=settings.provider_base_urls,
            multiplier=settings.cost_multiplier,
            toolbox=self.tools.toolbox if self.tools else None,
            tool_runner=self.tools.runner if self.tools else None,
        )

    async def start(self) -> None:
        """Loads what every request needs, and begins to fetch what a hosted key needs. Waits for nobody."""
        log_to_stdout("keyway")
        await self._upstream.prepare()
        self._hosted_keys.start()
        if self._settings.keyway_hosted:
            self._flags.start()

    async def restored(self) -> None:
        """After a snapshot: connections are dead, keys and flags may be old, tokens are used up."""
        await self._upstream.aclose()
        self._aws.restored()
        if self.tools is not None:
            self.tools.restored()
        self._signer.restored()
        self._hosted_keys.restored()
        self._flags.restored()

    async def stop(self) -> None:
        """Ends the background work and closes connections."""
        await self._hosted_keys.stop()
        await self._flags.stop()
        self._aws.stop()
        if self.tools is not None:
            self.tools.stop()
        await self._upstream.aclose()


def _tools(settings: Settings, resolver: Resolver, upstream: HttpUpstream, aws: Aws) -> Tools | None:
    """What runs tools, where there are any; it is slow to load, and most requests of most gateways need none."""
    if settings.tool_catalog is None and not settings.tool_executors:
        return None
    from keyway.tool_wiring import Tools  # noqa: PLC0415 - see above

    return Tools(settings, resolver=resolver, upstream=upstream, aws=aws)
