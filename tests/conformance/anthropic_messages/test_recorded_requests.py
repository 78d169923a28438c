"""What a recorded request asks of the Messages API, our encoder asks too, where our vocabulary can say it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyway.wire import anthropic_messages as wire
from tests.conformance.anthropic_messages.translation import UnsayableError, meaning, sayable
from tests.conformance.feeding import Recording, recorded

NOT_SAYABLE = {
    "0aabe77112": "a system turn in the middle",
    "1d9a8e187e": "assistant blocks besides text and calls",
    "3252c23291": "tool setting defer_loading",
    "41395fd2ff": "thinking without a level",
    "491812ff86": "a tool the provider runs",
    "4d35dfe3fe": "a system turn in the middle",
    "5e7ae23a90": "setting cache_control",
    "7661e45342": "a tool the provider runs",
    "7b41552e72": "tool setting defer_loading",
    "835b1fb3dc": "setting context_management",
    "8cef90a054": "setting cache_control",
    "ac4143ca4d": "a tool the provider runs",
    "ae18cdcae7": "a tool the provider runs",
    "b06d535b0a": "setting cache_control",
    "b8a8ac74a3": "tool setting defer_loading",
    "bd02a0779b": "tool setting defer_loading",
    "c27c96cdf1": "a tool the provider runs",
    "c89709b37a": "tool setting strict",
    "d20de54b3c": "a system turn in the middle",
    "d3234d6391": "tool setting defer_loading",
    "de189fcae2": "a tool the provider runs",
    "f7cff69c08": "a tool the provider runs",
}
"""Recordings that ask for what our vocabulary has no word for, and the first such thing in each."""


@recorded("anthropic_messages", lambda row: row["id"] not in NOT_SAYABLE)
def test_a_request_we_can_say_is_sent_with_the_same_meaning(recording: Recording) -> None:
    request, model = sayable(recording.request)

    outgoing = wire.encode(request, model, wire.dialect({}))

    assert meaning(outgoing.body) == meaning(recording.request)


@recorded("anthropic_messages", lambda row: row["id"] in NOT_SAYABLE)
def test_a_request_we_cannot_say_holds_what_the_list_says(recording: Recording) -> None:
    with pytest.raises(UnsayableError) as raised:
        sayable(recording.request)

    assert str(raised.value) == NOT_SAYABLE[recording.id]


def test_the_list_names_only_recordings_that_exist(recordings: Path) -> None:
    rows = json.loads((recordings / "index.json").read_bytes())

    assert set(NOT_SAYABLE) <= {row["id"] for row in rows if row["wire"] == "anthropic_messages"}
