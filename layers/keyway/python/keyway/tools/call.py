"""The story of one call, top to bottom: its arguments, its key, its limit, the run, another try, and its price.

    refused, unknown, malformed          answered with what is wrong; nothing is run
    a key of the workspace's, the        run once, and free: whoever's key it is has an account of their own
      caller's, or none at all
    a hosted key                         counted against the workspace's limit; tried again when whoever runs the tool
                                         is too busy, in the end with another key; priced when it has succeeded

Whatever happens, the model is answered: a failure is an outcome, never an exception. What is written down on the way
goes to ``CallContext.note``; what a call costs is only charged with the whole exchange (``billing/settlement.py``).
Limits are ``admission.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2s

from pydantic import SecretStr

from keyway.billing.failure_reason import status_reason
from keyway.billing.records import (
    Charge,
    Failed,
    Reason,
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
from keyway.tools.admission import COUNTING, Admission, limited_call
from keyway.tools.arguments import merged
from keyway.tools.context import CallContext
from keyway.tools.executor import Executor, Job, Key, ToolFailure
from keyway.tools.expression import ExpressionError
from keyway.tools.limiter import Limited, Limiter
from keyway.tools.outcome import failed, succeeded
from keyway.tools.pricing import left_open, needs_key, price_of, price_version
from keyway.tools.round import Slot
from keyway.tools.rows import ToolHosting
from keyway.tools.toolbox import RunnableTool

PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each further try on the same hosted key, when it was turned away for too many requests."""

_LONGEST_ID = 128
"""Characters of a call's id in the ledger. CloudWatch takes lines of up to 256 KB."""


@dataclass(slots=True)
class _Attempt:
    """A call on its way: what is known of it, for whoever writes it down."""

    tool: RunnableTool
    arguments: dict[str, object]
    call_id: str
    credential: Credential | None = None
    on_hosted_key: bool = False
    limited: Limited | None = None
    job: Job | None = field(default=None, repr=False)

    @property
    def hosting(self) -> ToolHosting:
        assert self.tool.hosting is not None, "only such a tool is run on a hosted key"
        return self.tool.hosting

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
        counting: Seconds that an answer may be held back for its usage to be counted.
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
        counting: float = COUNTING,
    ) -> None:
        self._resolver = resolver
        self._admission = Admission(limiter, counting=counting)
        self._executors = executors
        self._now = now
        self._sleep = sleep

    async def run(self, slot: Slot, context: CallContext) -> None:
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
            output = await self._output(attempt, context)
        except asyncio.CancelledError:
            if attempt.on_hosted_key and not context.left():
                context.note(attempt.subject, Failed("timeout"))  # a caller who leaves is no failure of the tool's
            raise
        except ToolFailure as failure:
            slot.outcome = failed(call, arguments, failure, started=started, ended=self._now())
            return
        # From here to the outcome nothing waits: what was paid for cannot be cancelled away.
        charge = self._charge(attempt, output, context) if attempt.on_hosted_key else None
        shown = _public(output) if planned.tool.trusted else output
        slot.outcome = succeeded(call, arguments, shown, charge, started=started, ended=self._now())
        if attempt.limited is not None:
            await self._admission.count(attempt.limited, attempt.subject, arguments, output, context)

    async def _output(self, attempt: _Attempt, context: CallContext) -> object:
        """Runs the tool. Raises ``ToolFailure``, and has then written down what there was to write."""
        try:
            await self._find_key(attempt, context)
            attempt.job = self._job(attempt, context)
            output = await (self._on_hosted_key(attempt, context) if attempt.on_hosted_key else self._once(attempt))
        except KeywayError as error:
            raise ToolFailure(error.message, status=error.status, retry_after=error.retry_after) from None
        except ToolFailure as failure:
            raise _redacted(failure, attempt.credential) from None
        except Exception as error:  # noqa: BLE001 - one tool's bug must not take the exchange with it
            context.bug(error)
            if attempt.on_hosted_key:
                context.note(attempt.subject, Failed("other"))
            raise ToolFailure("The tool could not be run. The operator finds the reason in the log.") from None
        return output

    async def _find_key(self, attempt: _Attempt, context: CallContext) -> None:
        hosting = attempt.tool.hosting
        if hosting is None:
            return
        brought = attempt.tool.tool.params.get(hosting.api_key_param)
        needed = needs_key(hosting, attempt.arguments)
        attempt.credential = await self._resolver.resolve_tool(
            attempt.tool.payee,
            key_prefix=hosting.key_prefix,
            byok_provider=hosting.byok_provider,
            caller=context.caller,
            callers_key=SecretStr(brought) if isinstance(brought, str) else None,
            needs_key=needed,
        )
        if attempt.credential is None:
            if not needed:
                return
            raise ToolFailure(
                _keyless(attempt.tool, hosting, context.caller), status=503
            )  # there is nothing wrong with the call
        if attempt.credential.origin != "hosted":
            return
        if problem := left_open(hosting, attempt.arguments):
            raise ToolFailure(f"{attempt.tool.tool.id} was not called: {problem}")
        attempt.limited = limited_call(attempt.tool, context.caller)
        if attempt.limited is not None:
            await self._admission.admit(attempt.limited, attempt.subject, context)
        attempt.on_hosted_key = True  # what went wrong before this was no use of the key

    async def _on_hosted_key(self, attempt: _Attempt, context: CallContext) -> object:
        """Runs the tool, again while it is too busy, in the end with another key. Raises ``ToolFailure``."""
        try:
            output = await self._until_not_busy(attempt, context)
        except ToolFailure as failure:
            if failure.sent:
                context.note(attempt.subject, Failed(_reason(failure)))
            raise
        context.note(attempt.subject, Used())
        return output

    async def _until_not_busy(self, attempt: _Attempt, context: CallContext) -> object:
        for pause in PAUSES:
            try:
                return await self._once(attempt)
            except ToolFailure as failure:
                if not _busy(failure):
                    raise
            context.note(attempt.subject, UpstreamRateLimited())
            await self._sleep(pause)
        try:
            return await self._once(attempt)
        except ToolFailure as failure:
            if not _busy(failure):
                raise
        with suppress(KeywayError):  # without another key, one more try on this one
            other = await self._resolver.another_hosted_key(attempt.tool.payee, attempt.hosting.key_prefix)
            attempt.credential = other or attempt.credential
        attempt.job = self._job(attempt, context)
        try:
            return await self._once(attempt)
        except ToolFailure as failure:
            if _busy(failure):
                context.note(attempt.subject, Throttled("upstream_retries_exhausted"))
            raise

    async def _once(self, attempt: _Attempt) -> object:
        assert attempt.job is not None
        return await self._executors[attempt.job.executor.type].run(attempt.job)

    def _job(self, attempt: _Attempt, context: CallContext) -> Job:
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
            caller=context.caller,
            request_id=context.request_id,
        )

    def _charge(self, attempt: _Attempt, output: object, context: CallContext) -> Charge | None:
        """What the run costs; ``None`` when nobody can say, and then an operator is told."""
        try:
            return Charge(attempt.subject, price_of(attempt.hosting, attempt.arguments, output))
        except ExpressionError:
            context.note(attempt.subject, UnknownModelCost())
            return None


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


def _reason(failure: ToolFailure) -> Reason:
    if failure.status is None:
        return "timeout" if failure.timed_out else "other"
    return status_reason(failure.status, failure.words)


def _busy(failure: ToolFailure) -> bool:
    """Whether another try, or another key, may help."""
    return failure.status in (429, 503) or (
        failure.status in (401, 403) and status_reason(failure.status, failure.words) == "rate_limited"
    )


def _keyless(tool: RunnableTool, hosting: ToolHosting, caller: Caller) -> str:
    said = f"A key is required for {tool.tool.id}. Send it as params.{hosting.api_key_param} of the tool"
    if caller.workspace_id is None:
        return f"{said}, or name the workspaceId whose key should pay."
    return f"{said}, or store one for the workspace." if hosting.byok_provider else f"{said}."


def _redacted(failure: ToolFailure, credential: Credential | None) -> ToolFailure:
    if credential is not None:
        failure.message = credential.redact(failure.message)
        failure.args = (failure.message,)
    return failure
