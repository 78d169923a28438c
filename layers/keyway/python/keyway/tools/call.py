"""The story of one call, top to bottom: its arguments, its key, its limit, the run, another try, and its price.

    refused, unknown, malformed          answered with what is wrong; nothing is run
    a key of the workspace's, the        run once, and free: whoever's key it is has an account of their own
      caller's, or none at all
    a hosted key                         counted against the workspace's limit; tried again when whoever runs the tool
                                         is too busy, in the end with another key; priced when it has succeeded

Whatever happens, the model is answered: a failure is an outcome, never an exception. What is written down on the way
goes to ``Scene.note``; what a call costs is only charged with the whole exchange (``billing/settlement.py``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2s

from pydantic import SecretStr

from keyway.billing.failure_reason import status_reason
from keyway.billing.records import (
    Charge,
    Failed,
    LimitUncounted,
    QueueWaitDuration,
    QueueWaitExceeded,
    Reason,
    Record,
    Subject,
    Throttled,
    UnknownModelCost,
    UpstreamRateLimited,
    Used,
)
from keyway.chat import Caller
from keyway.errors import KeywayError
from keyway.keys.credential import Credential
from keyway.keys.resolve import Resolver
from keyway.tools.arguments import merged
from keyway.tools.executor import Executor, Job, Key, ToolFailure
from keyway.tools.expression import ExpressionError
from keyway.tools.limit import Limited, Limiter, TurnedAway, Uncounted
from keyway.tools.outcome import failed, succeeded
from keyway.tools.pricing import left_open, needs_key, price_of, price_version, usage_of
from keyway.tools.round import Slot
from keyway.tools.rows import CustomLimit, Hosting
from keyway.tools.toolbox import RunnableTool

PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each further try on the same hosted key, when it was turned away for too many requests."""

_COUNTING = 5.0
"""Seconds that an answer is held back for its usage to be counted. A slow table must not fail the exchange."""

_LONGEST_ID = 128
"""Characters of a call's id in the ledger. CloudWatch takes lines of up to 256 KB."""

_QUEUED = 0.1
"""Seconds of waiting below which nobody was in the way, and no wait is recorded."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The exchange that a call is part of.

    Attributes:
        note: Writes down a record about a subject, at once.
        bug: Is told of an exception that nobody foresaw.
        remaining: Seconds until the exchange has to stop.
        left: Whether the caller is gone.
    """

    caller: Caller
    request_id: str
    note: Callable[[Subject, Record], None]
    bug: Callable[[BaseException], None]
    remaining: Callable[[], float]
    left: Callable[[], bool]


@dataclass(slots=True)
class _Attempt:
    """A call on its way: what is known of it, for whoever writes it down."""

    tool: RunnableTool
    arguments: dict[str, object]
    call_id: str
    credential: Credential | None = None
    hosted: bool = False
    job: Job | None = field(default=None, repr=False)

    @property
    def subject(self) -> Subject:
        hosting = self.tool.hosting
        return Subject(
            self.tool.payee,
            self.tool.tool.id,
            key=self.credential.key if self.credential else None,
            call_id=self.call_id,
            price_version=price_version(hosting.pricing) if hosting else None,
        )


class ToolRunner:
    """Runs calls. One per environment.

    Args:
        resolver: Finds the key that pays.
        limiter: Counts calls on hosted keys.
        executors: What runs a tool, by the kind of its executor.
    """

    def __init__(
        self,
        *,
        resolver: Resolver,
        limiter: Limiter,
        executors: Mapping[str, Executor],
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._resolver = resolver
        self._limiter = limiter
        self._executors = executors
        self._now = now
        self._sleep = sleep

    async def run(self, slot: Slot, scene: Scene) -> None:
        """Answers the call of ``slot``. Raises nothing but ``CancelledError``."""
        planned, started = slot.planned, self._now()
        call = planned.call
        if planned.tool is None:
            slot.outcome = failed(call, call.arguments, ToolFailure(planned.refusal), started=started, ended=started)
            return
        hosting = planned.tool.hosting
        key_parameter = hosting.api_key_param if hosting else None
        arguments = merged(call.arguments, planned.tool.tool.params, key_parameter=key_parameter)
        attempt = _Attempt(planned.tool, arguments, _short(call.id))
        try:
            output = await self._output(attempt, scene)
        except asyncio.CancelledError:
            if attempt.hosted and not scene.left():
                scene.note(attempt.subject, Failed("timeout"))  # a caller who leaves is no failure of the tool's
            raise
        except ToolFailure as failure:
            slot.outcome = failed(call, arguments, failure, started=started, ended=self._now())
            return
        # From here to the outcome nothing waits: what was paid for cannot be cancelled away.
        charge = self._charge(attempt, output, scene) if attempt.hosted else None
        shown = _public(output) if planned.tool.trusted else output
        slot.outcome = succeeded(call, arguments, shown, charge, started=started, ended=self._now())
        await self._count_usage(attempt, output, scene)

    async def _output(self, attempt: _Attempt, scene: Scene) -> object:
        """Runs the tool. Raises ``ToolFailure``, and has then written down what there was to write."""
        try:
            await self._find_key(attempt, scene)
            attempt.job = self._job(attempt, scene)
            output = await (self._on_hosted_key(attempt, scene) if attempt.hosted else self._once(attempt))
        except KeywayError as error:
            raise ToolFailure(error.message, status=error.status, retry_after=error.retry_after) from None
        except ToolFailure as failure:
            raise _redacted(failure, attempt.credential) from None
        except Exception as error:  # noqa: BLE001 - one tool's bug must not take the exchange with it
            scene.bug(error)
            if attempt.hosted:
                scene.note(attempt.subject, Failed("other"))
            raise ToolFailure("The tool could not be run. The operator finds the reason in the log.") from None
        return output

    async def _find_key(self, attempt: _Attempt, scene: Scene) -> None:
        hosting = attempt.tool.hosting
        if hosting is None:
            return
        brought = attempt.tool.tool.params.get(hosting.api_key_param)
        needed = needs_key(hosting, attempt.arguments)
        attempt.credential = await self._resolver.resolve_tool(
            attempt.tool.payee,
            key_prefix=hosting.key_prefix,
            byok_provider=hosting.byok_provider,
            caller=scene.caller,
            callers_key=SecretStr(brought) if isinstance(brought, str) else None,
            needs_key=needed,
        )
        if attempt.credential is None:
            if not needed:
                return
            raise ToolFailure(_keyless(attempt.tool, hosting, scene.caller), status=503)
        attempt.hosted = attempt.credential.origin == "hosted"
        if attempt.hosted:
            try:
                if problem := left_open(hosting, attempt.arguments):
                    raise ToolFailure(f"{attempt.tool.tool.id} was not called: {problem}")
                await self._admit(attempt, hosting, scene)
            except BaseException:
                attempt.hosted = False  # the key was not used
                raise

    async def _admit(self, attempt: _Attempt, hosting: Hosting, scene: Scene) -> None:
        """Waits for the workspace's turn. Raises ``ToolFailure`` when it does not come in time."""
        limited = _limited(attempt.tool, hosting, scene.caller)
        if limited is None:
            return
        subject = replace(attempt.subject, key=None)
        admission = await self._limiter.admit(limited, within=scene.remaining())
        if isinstance(admission, Uncounted):
            scene.note(subject, LimitUncounted())
            return
        if admission.reason is not None and admission.waited > 0:
            if isinstance(admission, TurnedAway):
                scene.note(subject, QueueWaitExceeded(admission.reason))
            if admission.waited > _QUEUED or admission.reason == "queue_position":
                scene.note(subject, QueueWaitDuration(admission.waited * 1000, admission.reason))
        if isinstance(admission, TurnedAway):
            scene.note(subject, Throttled("billing_actor_limit"))
            raise ToolFailure(
                f"{attempt.tool.tool.id} is called too often by this workspace."
                f" It may be called again in {admission.retry_after:.0f} seconds.",
                status=429,
                retry_after=admission.retry_after,
            )

    async def _on_hosted_key(self, attempt: _Attempt, scene: Scene) -> object:
        """Runs the tool, again while it is too busy, in the end with another key. Raises ``ToolFailure``."""
        try:
            output = await self._until_not_busy(attempt, scene)
        except ToolFailure as failure:
            if failure.sent:
                scene.note(attempt.subject, Failed(_reason(failure)))
            raise
        scene.note(attempt.subject, Used())
        return output

    async def _until_not_busy(self, attempt: _Attempt, scene: Scene) -> object:
        for pause in PAUSES:
            try:
                return await self._once(attempt)
            except ToolFailure as failure:
                if not _busy(failure):
                    raise
            scene.note(attempt.subject, UpstreamRateLimited())
            await self._sleep(pause)
        try:
            return await self._once(attempt)
        except ToolFailure as failure:
            if not _busy(failure):
                raise
        hosting = attempt.tool.hosting
        assert hosting is not None
        with suppress(KeywayError):  # without another key, one more try on this one
            other = await self._resolver.another_hosted_key(attempt.tool.payee, hosting.key_prefix)
            attempt.credential = other or attempt.credential
        attempt.job = self._job(attempt, scene)
        try:
            return await self._once(attempt)
        except ToolFailure as failure:
            if _busy(failure):
                scene.note(attempt.subject, Throttled("upstream_retries_exhausted"))
            raise

    async def _once(self, attempt: _Attempt) -> object:
        assert attempt.job is not None
        return await self._executors[attempt.job.executor.type].run(attempt.job)

    def _job(self, attempt: _Attempt, scene: Scene) -> Job:
        tool, key, arguments = attempt.tool, None, attempt.arguments
        if attempt.credential is not None and attempt.credential.secret is not None and tool.hosting is not None:
            if (header := tool.hosting.header) is not None:
                key = Key(attempt.credential.secret, header.name, header.prefix)
            else:
                key = Key(attempt.credential.secret)
                arguments = {**arguments, tool.hosting.api_key_param: attempt.credential.secret}
        return Job(
            tool=tool.tool.id,
            executor=tool.executor,
            arguments=arguments,
            key=key,
            trusted=tool.trusted,
            place=tool.place,
            max_response_bytes=tool.max_response_bytes,
            caller=scene.caller,
            request_id=scene.request_id,
        )

    def _charge(self, attempt: _Attempt, output: object, scene: Scene) -> Charge | None:
        """What the run costs; ``None`` when nobody can say, and then an operator is told."""
        hosting = attempt.tool.hosting
        assert hosting is not None
        try:
            return Charge(attempt.subject, price_of(hosting, attempt.arguments, output))
        except ExpressionError:
            scene.note(attempt.subject, UnknownModelCost())
            return None

    async def _count_usage(self, attempt: _Attempt, output: object, scene: Scene) -> None:
        """Takes what the run used up from the workspace's dimensions."""
        hosting = attempt.tool.hosting
        limited = _limited(attempt.tool, hosting, scene.caller) if hosting and attempt.hosted else None
        if limited is None or not isinstance(limited.limit, CustomLimit):
            return
        usage = usage_of(limited.limit, attempt.arguments, output)
        counted = False
        try:
            async with asyncio.timeout(_COUNTING):
                counted = await self._limiter.use(limited, usage)
        except TimeoutError:
            pass
        finally:
            if not counted or len(usage) < len(limited.limit.dimensions):
                scene.note(replace(attempt.subject, key=None), LimitUncounted())


def _short(call_id: str) -> str:
    """``call_id`` as the ledger has it. A provider may write whole thoughts into one, and a log takes no such line."""
    if len(call_id) <= _LONGEST_ID:
        return call_id
    digest = blake2s(call_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{call_id[: _LONGEST_ID - 33]}~{digest}"


def _public(output: object) -> object:
    """An output without the members that are the operator's own: a price may look at them, and nobody else."""
    if not isinstance(output, dict):
        return output
    return {name: value for name, value in output.items() if not name.startswith("__")}


def _limited(tool: RunnableTool, hosting: Hosting, caller: Caller) -> Limited | None:
    if hosting.limit is None or caller.workspace_id is None:
        return None
    return Limited(tool.payee, caller.workspace_id, hosting.limit)


def _reason(failure: ToolFailure) -> Reason:
    if failure.status is None:
        return "timeout" if failure.timed_out else "other"
    return status_reason(failure.status, failure.words)


def _busy(failure: ToolFailure) -> bool:
    """Whether another try, or another key, may help."""
    return failure.status in (429, 503) or (
        failure.status in (401, 403) and status_reason(failure.status, failure.words) == "rate_limited"
    )


def _keyless(tool: RunnableTool, hosting: Hosting, caller: Caller) -> str:
    said = f"A key is required for {tool.tool.id}. Send it as params.{hosting.api_key_param} of the tool"
    if caller.workspace_id is None:
        return f"{said}, or name the workspaceId whose key should pay."
    return f"{said}, or store one for the workspace." if hosting.byok_provider else f"{said}."


def _redacted(failure: ToolFailure, credential: Credential | None) -> ToolFailure:
    if credential is not None:
        failure.message = credential.redact(failure.message)
        failure.args = (failure.message,)
    return failure
