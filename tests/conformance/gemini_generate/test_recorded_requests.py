"""What a recorded request asks of the API, our encoder asks too, where our vocabulary can say it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from keyway.wire import gemini_generate as wire
from tests.conformance.feeding import Recording, recorded
from tests.conformance.gemini_generate.translation import UnsayableError, meaning, sayable

VERTEX = "/projects/{project}/locations/{location}/publishers/google/models/{model}"
NOT_SAYABLE = {
    "01d4fc5208": "tool choice NONE",
    "11aeebe667": "setting logprobs",
    "1c45ebf1d7": "tool choice VALIDATED",
    "36620116cc": "JSON without a schema",
    "41280d9b5b": "setting thinkingConfig",
    "4b646ad80d": "setting topK",
    "4f43deb5ed": "tool choice VALIDATED",
    "6ab6bdbbab": "a tool the provider runs",
    "aadf2bf829": "setting logprobs",
    "abaffe8c05": "tool choice VALIDATED",
    "b4ac941e6a": "setting responseLogprobs",
    "c3d65640e8": "setting modelArmorConfig",
    "d829d47329": "setting modelArmorConfig",
}
"""Recordings that ask for what our vocabulary has no word for, and the first such thing in each."""


def _path(recording: Recording, recordings: Path) -> str:
    rows: list[dict[str, Any]] = json.loads((recordings / "index.json").read_bytes())
    path = next(row["path"] for row in rows if row["id"] == recording.id)
    assert isinstance(path, str)
    return path


@recorded("gemini_generate", lambda row: row["id"] not in NOT_SAYABLE)
def test_a_request_we_can_say_is_sent_with_the_same_meaning(recording: Recording, recordings: Path) -> None:
    path = _path(recording, recordings)
    request, model = sayable(copy.deepcopy(recording.request), path, recording.provider)
    row = {"path": VERTEX} if recording.provider == "vertex" else {}

    outgoing = wire.encode(request, model, wire.dialect(row))

    assert meaning(json.loads(json.dumps(outgoing.body))) == meaning(recording.request)
    sent = outgoing.path
    if recording.provider == "vertex":
        _, _, _, project, _, location, *_ = path.split("/")
        sent = sent.replace("{project}", project).replace("{location}", location)
    assert sent == path.removeprefix("/v1beta1").removeprefix("/v1beta")
    assert outgoing.streamed == recording.stream


@recorded("gemini_generate", lambda row: row["id"] in NOT_SAYABLE)
def test_a_request_we_cannot_say_holds_what_the_list_says(recording: Recording, recordings: Path) -> None:
    with pytest.raises(UnsayableError) as raised:
        sayable(recording.request, _path(recording, recordings), recording.provider)

    assert str(raised.value) == NOT_SAYABLE[recording.id]


def test_the_list_names_only_recordings_that_exist(recordings: Path) -> None:
    rows = json.loads((recordings / "index.json").read_bytes())

    assert set(NOT_SAYABLE) <= {row["id"] for row in rows if row["wire"] == "gemini_generate"}
