"""The two sides of a SnapStart snapshot, seen from inside the environment.

Before it: hooks, last registered first, then the call `restore/next`, which returns only in an environment restored
from the snapshot. After it: hooks in the order of registration. A hook that fails ends the process, with the error
type and exit code AWS's own runtime uses. Hooks of AWS's `snapshot_restore_py` run beside ours; that module is used
only if the function has imported it, for otherwise it holds none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from . import messages
from .failure import Failure
from .hooks import Callback, Hooks, call
from .link import Link

BEFORE_FAILED = 64
AFTER_FAILED = 65


class SnapshotError(Exception):
    """A hook failed. Carries what to tell the Runtime API, and the exit code."""

    def __init__(self, report: messages.Call, failure: Failure, exit_code: int) -> None:
        super().__init__(failure.message)
        self.report = report
        self.failure = failure
        self.exit_code = exit_code


async def cross(link: Link, hooks: Hooks, restored: Callback | None) -> None:
    """Be snapshotted, and come back. Raises SnapshotError; LinkError when the Runtime API is gone."""
    try:
        await _run(reversed(hooks.before_snapshot))
        await _run(reversed(_registered_with_aws("get_before_snapshot")))
    except (Exception, SystemExit) as error:
        failure = replace(Failure.of(error), type="Runtime.BeforeSnapshotError")
        raise SnapshotError(messages.init_error(failure), failure, BEFORE_FAILED) from error
    await link.call(messages.RESTORE_NEXT)
    link.close()
    try:
        await _run(_registered_with_aws("get_after_restore"))
        await _run(hooks.after_restore)
        if restored is not None:
            await call(restored)
    except (Exception, SystemExit) as error:
        failure = replace(Failure.of(error), type="Runtime.AfterRestoreError")
        raise SnapshotError(messages.restore_error(failure), failure, AFTER_FAILED) from error


async def _run(callbacks: Iterable[Callback]) -> None:
    for callback in callbacks:
        await call(callback)


def _registered_with_aws(which: str) -> list[Callback]:
    module = sys.modules.get("snapshot_restore_py")
    if module is None:
        return []
    return [partial(hook, *args, **named) for hook, args, named in getattr(module, which)()]
