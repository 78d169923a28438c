"""The snapshot, and life after it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runtime.process import running
from tests.runtime.scripted_api import NEXT, ScriptedRuntimeApi

RESTORE_NEXT = "GET /2018-06-01/runtime/restore/next"
SNAPSTART = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}

AWS_HOOKS = """
_before, _after = [], []
def register_before_snapshot(f, *args, **named): _before.append((f, args, named))
def register_after_restore(f, *args, **named): _after.append((f, args, named))
def get_before_snapshot(): return _before
def get_after_restore(): return _after
"""

CODE = """
import snapshot_restore_py
from stream_runtime import after_restore, before_snapshot

story = []

@before_snapshot
def first(): story.append("before 1")

@before_snapshot
async def second(): story.append("before 2")

@after_restore
async def third(): story.append("after 1")

@after_restore
def fourth(): story.append("after 2")

snapshot_restore_py.register_before_snapshot(story.append, "aws before")
snapshot_restore_py.register_after_restore(story.append, "aws after")

class Function:
    async def start(self): story.append("start")
    async def restored(self): story.append("restored")
    async def __call__(self, event, context): return story

handler = Function()
"""


async def test_hooks_run_around_the_snapshot_in_their_order(tmp_path: Path, api: ScriptedRuntimeApi) -> None:
    (tmp_path / "snapshot_restore_py.py").write_text(AWS_HOOKS)
    api.replies[RESTORE_NEXT] = (200, b"")
    api.invoke({})
    async with running(tmp_path, CODE, api.address, **SNAPSTART):
        story = json.loads((await api.answer()).body)
    assert story == [
        "start", "before 2", "before 1", "aws before", "aws after", "after 1", "after 2", "restored",
    ]  # fmt: skip
    lines = [each.line for each in api.requests]
    assert lines.index(RESTORE_NEXT) < lines.index(NEXT)
    # A connection made before the snapshot is of no use after it.
    assert api.matching(RESTORE_NEXT)[0].connection != api.matching(NEXT)[0].connection


async def test_without_snapstart_there_is_no_restore_and_no_hook(tmp_path: Path, api: ScriptedRuntimeApi) -> None:
    (tmp_path / "snapshot_restore_py.py").write_text(AWS_HOOKS)
    api.invoke({})
    async with running(tmp_path, CODE, api.address):
        assert json.loads((await api.answer()).body) == ["start"]
    assert not api.matching(RESTORE_NEXT)


@pytest.mark.parametrize(
    ("which", "call", "error_type", "exit_status"),
    [
        ("before_snapshot", "POST /2018-06-01/runtime/init/error", "Runtime.BeforeSnapshotError", 64),
        ("after_restore", "POST /2018-06-01/runtime/restore/error", "Runtime.AfterRestoreError", 65),
    ],
)
async def test_a_hook_that_fails_ends_the_process_as_aws_does(
    tmp_path: Path, api: ScriptedRuntimeApi, *, which: str, call: str, error_type: str, exit_status: int
) -> None:
    code = f"""
import stream_runtime

@stream_runtime.{which}
def fail(): raise ValueError("no good")

async def handler(event, context): ...
"""
    api.replies[RESTORE_NEXT] = (200, b"")
    async with running(tmp_path, code, api.address, **SNAPSTART) as process:
        status, _, err = await process.ended()
    request = await api.request(call)
    assert status == exit_status
    assert request.headers["lambda-runtime-function-error-type"] == error_type
    assert json.loads(request.body)["errorMessage"] == "no good"
    assert "no good" in err
    assert not api.matching(NEXT)
