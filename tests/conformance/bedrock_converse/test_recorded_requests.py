"""What a recorded request asks of the Converse API, our encoder asks too, where our vocabulary can say it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyway.wire import bedrock_converse as wire
from tests.conformance.bedrock_converse.translation import UnsayableError, meaning, sayable
from tests.conformance.feeding import Recording, recorded

NOT_SAYABLE = {
    "02f16a6572": "setting serviceTier",
    "18e2605cfe": "a thinking budget of our own choice",
    "6675d0425c": "setting topP",
    "72262bccfa": "tool setting strict",
    "821aec907f": "thinking without a level",
    "ad514b5f66": "a thinking budget of our own choice",
    "b78cbc9de3": "any of several tools",
    "d135c27e05": "a thinking budget of our own choice",
}
"""Recordings that ask for what our vocabulary has no word for, and the first such thing in each."""


@pytest.fixture
def path(recording: Recording, recordings: Path) -> str:
    """The path the recorded request was sent to; it names the model."""
    rows = json.loads((recordings / "index.json").read_bytes())
    return next(str(row["path"]) for row in rows if (row["id"], row["wire"]) == (recording.id, "bedrock_converse"))


@recorded("bedrock_converse", lambda row: row["id"] not in NOT_SAYABLE)
def test_a_request_we_can_say_is_sent_with_the_same_meaning(recording: Recording, path: str) -> None:
    request, model = sayable(path, recording.request)

    outgoing = wire.encode(request, model, wire.dialect({}))

    assert outgoing.path == path
    assert meaning(outgoing.body) == meaning(recording.request)


@recorded("bedrock_converse", lambda row: row["id"] in NOT_SAYABLE)
def test_a_request_we_cannot_say_holds_what_the_list_says(recording: Recording, path: str) -> None:
    with pytest.raises(UnsayableError) as raised:
        sayable(path, recording.request)

    assert str(raised.value) == NOT_SAYABLE[recording.id]


def test_the_list_names_only_recordings_that_exist(recordings: Path) -> None:
    rows = json.loads((recordings / "index.json").read_bytes())

    assert set(NOT_SAYABLE) <= {row["id"] for row in rows if row["wire"] == "bedrock_converse"}
