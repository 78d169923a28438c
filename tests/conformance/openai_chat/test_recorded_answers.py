"""Every recorded answer of Chat Completions means what its own JSON says, however the bytes were split."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from keyway.errors import ModelUnavailable, ProviderRejected
from keyway.wire import openai_chat as wire
from tests.conformance.feeding import Outcome, Recording, outcome_however_split, recorded
from tests.conformance.openai_chat.dialects import DIALECTS
from tests.conformance.openai_chat.expected import Expected, from_document, from_stream


def _expected(recording: Recording) -> Expected:
    return (from_stream if recording.stream else from_document)(recording.response)


def _outcome(recording: Recording) -> Outcome:
    dialect = wire.dialect(DIALECTS[recording.provider])
    return outcome_however_split(
        lambda: wire.decoder(dialect, provider=recording.provider, structured=True), recording.response
    )


def _means_what_its_json_says(recording: Recording) -> None:
    outcome, expected = _outcome(recording), _expected(recording)
    assert outcome.text == expected.text
    assert outcome.thinking == expected.thinking
    if expected.error is not None:
        assert outcome.error is not None
        assert (outcome.error[0], outcome.error[2]) == ("ProviderRejected", expected.error["status_code"])
        assert expected.error["message"] in outcome.error[1]
        return
    finished = outcome.finished
    assert [(call.id, call.name, call.arguments) for call in outcome.calls] == expected.read_calls
    assert [(started.id, started.name) for started in outcome.started] == [
        (call_id, name) for call_id, name, _ in expected.read_calls
    ]
    assert not any(call.malformed for call in outcome.calls)
    assert finished.finish_reason == expected.finish_reason
    assert finished.response_id == expected.response_id
    assert finished.usage is not None
    assert asdict(finished.usage) == expected.counts
    assert outcome.usage == finished.usage


@recorded("openai_chat", lambda row: row["status"] == 200)
def test_an_answer_means_what_its_json_says(recording: Recording):
    _means_what_its_json_says(recording)


@recorded("mistral_chat")
def test_an_answer_of_mistral_means_what_its_json_says(recording: Recording):
    _means_what_its_json_says(recording)


@recorded("openai_chat", lambda row: row["provider"] in ("deepseek", "openrouter"))
def test_reasoning_is_kept_whole_for_replay(recording: Recording):
    kept: Any = _outcome(recording).finished.extras.get("openai_chat", {})

    if not recording.stream:
        message = json.loads(recording.response)["choices"][0]["message"]
        replayed = DIALECTS[recording.provider]["replayed"]
        assert kept == {name: message[name] for name in replayed if message.get(name)}
        return
    expected = from_stream(recording.response)
    blocks = kept.get("reasoning_details", [])
    assert "".join(block.get("text", "") for block in blocks) == expected.thinking
    assert all(block.get("signature") or block.get("data") for block in blocks)
    assert len({block["index"] for block in blocks}) == len(blocks)


@recorded("openai_chat", lambda row: row["status"] == 404)
def test_an_unknown_model_is_not_to_be_had(recording: Recording):
    error = wire.failure(404, recording.headers, recording.response, provider=recording.provider, now=0.0)

    assert isinstance(error, ModelUnavailable)
    assert error.upstream_status == 404
    assert recording.request["model"] in error.message


@recorded("openai_chat", lambda row: row["status"] == 400)
def test_a_refused_request_keeps_its_status_and_its_words(recording: Recording):
    error = wire.failure(400, recording.headers, recording.response, provider=recording.provider, now=0.0)

    assert isinstance(error, ProviderRejected)
    assert error.status == error.upstream_status == 400
    assert json.loads(recording.response)["error"]["message"] in error.message
