"""The story of one task: claimed if it is to be charged once, answered, made to fit, and remembered.

    claim ──► ask ──► fit ──► keep             the first attempt
      │        └────► release                  it failed and charged nothing: the next attempt may ask again
      └─────────────────────────► answer       an earlier attempt was answered: the same answer, nothing charged

A task without an ``idempotencyKey`` knows only the middle of it. Whatever has been paid for is handed over: an answer
that cannot be stored or remembered is an operator's worry (the log says so), never a reason to lose it.

The error of a task is raised; its class name is what ``Retry`` and ``Catch`` match. Where records and large answers are
kept is ``outside/idempotency.py`` and ``outside/answers_bucket.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

from keyway.answer import Answer
from keyway.chat import Caller, ChatRequest
from keyway.doors.native.answer import answer_json
from keyway.doors.step_functions.answer import INLINE, encoded, reference
from keyway.doors.step_functions.event import Task, read_task
from keyway.errors import InternalError, KeywayError
from keyway.ports import Journal
from keyway.report import Report

Ask: TypeAlias = Callable[[ChatRequest, Caller], Awaitable[Answer]]
"""Runs a request to its settled answer, or raises a ``KeywayError`` and has charged nothing."""


class Record(Protocol):
    """What is remembered of one task. ``within`` is the seconds a call may take."""

    async def claim(self, *, lasts: float) -> Mapping[str, object] | None:
        """The answer of an earlier attempt; or ``None``, and the task is this attempt's for ``lasts`` seconds."""
        ...

    async def keep(self, answer: Mapping[str, object], *, within: float) -> None:
        """The task has been answered. Never raises."""
        ...

    async def release(self, *, within: float) -> None:
        """The attempt failed, and the next one may begin anew. Never raises."""
        ...


class Records(Protocol):
    """The records of all tasks."""

    def of(self, *, workspace_id: str | None, key: str, fingerprint: Mapping[str, object]) -> Record:
        """The record of the task that ``workspace_id`` calls ``key``. Reads nothing yet."""
        ...


class Answers(Protocol):
    """The place for large answers."""

    async def put(self, request_id: str, content: bytes, *, within: float) -> Mapping[str, object] | None:
        """Where ``content`` is from now on; ``None`` when it could not be put anywhere. Never raises."""
        ...


class Tasks:
    """Runs bare events. ``now`` gives epoch seconds."""

    def __init__(self, *, records: Records, answers: Answers, journal: Journal, now: Callable[[], float]) -> None:
        self._records = records
        self._answers = answers
        self._journal = journal
        self._now = now

    async def run(self, event: object, *, request_id: str, deadline: float, ask: Ask) -> dict[str, object]:
        """The result of the task in ``event``: an answer, or a reference to a large one.

        Args:
            event: The decoded JSON, of any shape.
            request_id: The invocation's.
            deadline: The epoch second at which the invocation is cut off.
            ask: What answers a request.

        Raises:
            KeywayError: Whatever keeps the task from being answered.
        """
        task = read_task(event)
        if task.idempotency_key is None:
            return await self._asked(task, request_id, deadline, ask)
        record = self._records.of(
            workspace_id=task.caller.workspace_id, key=task.idempotency_key, fingerprint=task.fingerprint
        )
        if (earlier := await self._claim(record, task, request_id, deadline)) is not None:
            return dict(earlier)
        try:
            result = await self._asked(task, request_id, deadline, ask)
        except InternalError:
            # A bug may have struck before or after the account was closed; the next attempt waits until this one's
            # time is over rather than pay at once for what may have been paid.
            raise
        except KeywayError:
            await record.release(within=self._left(deadline))
            raise
        await record.keep(result, within=self._left(deadline))
        return result

    async def _claim(self, record: Record, task: Task, request_id: str, deadline: float) -> Mapping[str, object] | None:
        started = self._now()
        try:
            return await record.claim(lasts=deadline - started)
        except KeywayError as error:
            self._journal.refused(Report(task.request, task.caller, request_id, started=started), error)
            raise

    async def _asked(self, task: Task, request_id: str, deadline: float, ask: Ask) -> dict[str, object]:
        body = answer_json(await ask(task.request, task.caller))
        content = encoded(body)
        if len(content) <= INLINE:
            return body
        place = await self._answers.put(request_id, content, within=self._left(deadline))
        return body if place is None else reference(body, place)

    def _left(self, deadline: float) -> float:
        """Seconds that one more thing may take, so that there is time for another after it."""
        return max(0.0, (deadline - self._now()) * 2 / 3)
