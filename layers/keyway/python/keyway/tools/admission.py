"""Whether a call on a hosted key may be made now, and what is written down about its waiting.

How calls are counted is the ``Limiter``'s (``limiter.py``); what became of a call is told by ``call.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from keyway.billing.records import LimitUncounted, QueueWaitDuration, QueueWaitExceeded, Subject, Throttled
from keyway.chat import Caller
from keyway.tools.context import CallContext
from keyway.tools.executor import ToolFailure
from keyway.tools.limiter import Admitted, Limited, Limiter, TurnedAway, Uncounted
from keyway.tools.pricing import usage_of
from keyway.tools.rows import CustomLimit
from keyway.tools.toolbox import RunnableTool

COUNTING = 5.0
"""Seconds that an answer is held back for its usage to be counted. A slow table must not fail the exchange."""

_QUEUED = 0.1
"""Seconds of waiting below which nobody was in the way, and no wait is recorded."""


def limited_call(tool: RunnableTool, caller: Caller) -> Limited | None:
    """What a call on a hosted key counts against; ``None`` when there is no limit."""
    limit = tool.hosting.limit if tool.hosting is not None else None
    if limit is None or caller.workspace_id is None:
        return None
    return Limited(tool.payee, caller.workspace_id, limit)


class Admission:
    """Lets calls through, one workspace's as often as the operator allows."""

    def __init__(self, limiter: Limiter, *, counting: float = COUNTING) -> None:
        self._limiter = limiter
        self._counting = counting

    async def admit(self, limited: Limited, subject: Subject, context: CallContext) -> None:
        """Waits for the workspace's turn.

        Raises:
            ToolFailure: It does not come in time.
        """
        subject = replace(subject, key=None)  # none is used yet
        admission = await self._limiter.admit(limited, within=context.remaining())
        if isinstance(admission, Uncounted):
            context.note(subject, LimitUncounted())
            return
        self._note_wait(admission, subject, context)
        if isinstance(admission, TurnedAway):
            context.note(subject, Throttled("billing_actor_limit"))
            raise ToolFailure(
                f"{subject.tool} is called too often by this workspace."
                f" It may be called again in {admission.retry_after:.0f} seconds.",
                status=429,
                retry_after=admission.retry_after,
                sent=False,
            )

    async def count(
        self,
        limited: Limited,
        subject: Subject,
        arguments: Mapping[str, object],
        output: object,
        context: CallContext,
    ) -> None:
        """Takes what a run used up from the workspace's dimensions. Does not raise."""
        if not isinstance(limited.limit, CustomLimit):
            return
        usage = usage_of(limited.limit, arguments, output)
        counted = False
        try:
            async with asyncio.timeout(self._counting):
                counted = await self._limiter.use(limited, usage)
        except TimeoutError:
            pass
        finally:
            if not counted or len(usage) < len(limited.limit.dimensions):
                context.note(replace(subject, key=None), LimitUncounted())

    def _note_wait(self, admission: Admitted | TurnedAway, subject: Subject, context: CallContext) -> None:
        if admission.reason is None or admission.waited <= 0:
            return
        if isinstance(admission, TurnedAway):
            context.note(subject, QueueWaitExceeded(admission.reason))
        if admission.waited > _QUEUED or admission.reason == "queue_position":
            context.note(subject, QueueWaitDuration(admission.waited * 1000, admission.reason))
