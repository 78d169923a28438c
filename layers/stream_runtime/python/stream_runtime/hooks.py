"""Callbacks for the turning points of an environment's life.

A library registers what it must do before a snapshot, after a restore, and at shutdown; `runtime` and `snapstart` run
them. A callback takes no arguments, may be async, and may be registered with these functions as a decorator. Hooks
registered with AWS's own `snapshot_restore_py` are run too (see `snapstart`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeAlias, TypeVar

Callback: TypeAlias = Callable[[], object] | Callable[[], Awaitable[object]]
_C = TypeVar("_C", bound=Callback)


class Hooks:
    """What was registered, in the order it was registered."""

    def __init__(self) -> None:
        self.before_snapshot: list[Callback] = []
        self.after_restore: list[Callback] = []
        self.on_shutdown: list[Callback] = []


registered = Hooks()


def before_snapshot(callback: _C) -> _C:
    """Run `callback` before SnapStart takes its snapshot. The last registered runs first."""
    registered.before_snapshot.append(callback)
    return callback


def after_restore(callback: _C) -> _C:
    """Run `callback` in every environment restored from the snapshot, in the order of registration."""
    registered.after_restore.append(callback)
    return callback


def on_shutdown(callback: _C) -> _C:
    """Run `callback` when the environment is told to go. All of them together have about 400 ms."""
    registered.on_shutdown.append(callback)
    return callback


async def call(callback: Callback) -> None:
    """Run one callback to its end, async or not. What it raises passes through."""
    pending = callback()
    if isawaitable(pending):
        await pending
