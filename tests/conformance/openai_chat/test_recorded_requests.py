"""What a recorded request asks of Chat Completions, our encoder asks too, where our vocabulary can say it."""

from __future__ import annotations

import pytest

from keyway.wire import openai_chat as wire
from tests.conformance.feeding import Recording, recorded
from tests.conformance.openai_chat.translation import Unsayable, meaning, sayable

NOT_SAYABLE = {
    "04524f863a": "tool setting strict",
    "08c7d1374b": "a tool the provider runs",
    "08eca11f66": "setting web_search_options",
    "0cc0cf3c29": "tool setting strict",
    "17e8237780": "text with cache_control",
    "1bf4d02228": "a part of type document_url",
    "20e042f2f1": "text with cache_control",
    "252de7ad31": "a schema's description",
    "2918d700ef": "tool setting strict",
    "2a93daf08f": "tool setting strict",
    "2b532573b4": "a tool the provider runs",
    "335835f15c": "tool setting strict",
    "34c4291f6f": "tool setting strict",
    "38f4697a3e": "text with cache_control",
    "3bec30d5b6": "tool setting strict",
    "403f85ed15": "JSON without a schema",
    "5157700728": "tool setting strict",
    "5b7a556b56": "setting provider",
    "5ea9aad27c": "setting prompt_cache_key",
    "60d1c8de57": "a tool the provider runs",
    "6d716a0c31": "setting prompt_cache_key",
    "75f72e887b": "tool setting strict",
    "8149a5a592": "JSON without a schema",
    "845c93bb19": "setting clear_thinking",
    "8f243c9d2d": "setting usage",
    "95130b018d": "tool setting strict",
    "a1940ca79b": "tool setting strict",
    "afe7986e21": "text with cache_control",
    "b2c6bfbf0d": "setting models",
    "b551f2dcb4": "tool setting strict",
    "be3fa6477c": "tool setting strict",
    "c23b0e93ad": "tool setting strict",
    "c2d3765067": "tool setting strict",
    "cdb779d49e": "tool setting strict",
    "d00a7eb08d": "setting moderation",
    "d8ee42ab0a": "tool setting strict",
    "dccd62b7b9": "reasoning without an effort",
    "ea1273e162": "JSON without a schema",
    "eb012442b5": "setting stop",
    "edd08f552c": "tool choice required",
    "f61a998881": "tool setting strict",
    "f8fcea5ff0": "tool setting strict",
}
"""Recordings that ask for what our vocabulary has no word for, and the first such thing in each."""


def _asks_the_same(recording: Recording) -> None:
    outgoing = wire.encode(*sayable(recording.request, recording.provider))

    assert meaning(outgoing.body) == meaning(recording.request)
    assert outgoing.streamed is recording.stream


def _holds_what_the_list_says(recording: Recording) -> None:
    with pytest.raises(Unsayable) as raised:
        sayable(recording.request, recording.provider)

    assert str(raised.value) == NOT_SAYABLE[recording.id]


@recorded("openai_chat", lambda row: row["id"] not in NOT_SAYABLE)
def test_a_request_we_can_say_is_sent_with_the_same_meaning(recording: Recording):
    _asks_the_same(recording)


@recorded("mistral_chat", lambda row: row["id"] not in NOT_SAYABLE)
def test_a_request_to_mistral_we_can_say_is_sent_with_the_same_meaning(recording: Recording):
    _asks_the_same(recording)


@recorded("openai_chat", lambda row: row["id"] in NOT_SAYABLE)
def test_a_request_we_cannot_say_holds_what_the_list_says(recording: Recording):
    _holds_what_the_list_says(recording)


@recorded("mistral_chat", lambda row: row["id"] in NOT_SAYABLE)
def test_a_request_to_mistral_we_cannot_say_holds_what_the_list_says(recording: Recording):
    _holds_what_the_list_says(recording)
