"""The moment at which an exchange stops waiting for its provider."""

from __future__ import annotations

import asyncio

from keyway.errors import DeadlineExceeded


class Deadline:
    """``asyncio.timeout_at`` for many short waits: one timer for all of them, and our ``DeadlineExceeded``.

    An answer is waited for once per read, and a timer made anew for each costs more than the read itself.
    """

    def __init__(self, when: float, provider: str) -> None:
        self.when = when
        self._provider = provider
        self._waiting: asyncio.Task[object] | None = None
        self._cancels = 0
        self._over = False
        self._struck = False
        """Whether the task that waits has been cancelled by us."""
        self._timer = asyncio.get_running_loop().call_at(when, self._expire)

    def __enter__(self) -> None:
        if self._over:
            raise self._exceeded()
        task = self._waiting = asyncio.current_task()
        assert task is not None
        self._cancels = task.cancelling()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        task, self._waiting = self._waiting, None
        if self._struck and task is not None:
            self._struck = False
            if task.uncancel() <= self._cancels and kind is asyncio.CancelledError:
                raise self._exceeded() from None

    def close(self) -> None:
        """Nothing is waited for any more."""
        self._timer.cancel()

    def _expire(self) -> None:
        self._over = True
        if self._waiting is not None:
            self._struck = True
            self._waiting.cancel()

    def _exceeded(self) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"{self._provider} had not finished when the time for this request ran out.", provider=self._provider
        )
