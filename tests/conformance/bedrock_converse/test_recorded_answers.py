"""Every recorded answer of the Converse API means what botocore reads in it, however the bytes were split."""

from __future__ import annotations

from dataclasses import asdict

from keyway.errors import ProviderRejected
from keyway.wire import bedrock_converse as wire
from tests.conformance.bedrock_converse.expected import Expected, frames, from_document, from_stream
from tests.conformance.feeding import Outcome, Recording, outcome, outcome_however_split, recorded


def read(recording: Recording) -> Outcome:
    def decoder() -> wire.decode.ConverseDecoder:
        return wire.decoder(wire.dialect({}), provider="bedrock")

    whole = outcome_however_split(decoder, recording.response)
    if recording.stream:
        assert outcome(decoder(), frames(recording.response)) == whole
    return whole


def expected(recording: Recording) -> Expected:
    return (from_stream if recording.stream else from_document)(recording.response)


@recorded("bedrock_converse", lambda row: row["status"] == 200)
def test_an_answer_means_what_botocore_reads_in_it(recording: Recording) -> None:
    outcome, meant = read(recording), expected(recording)

    finished = outcome.finished
    assert outcome.text == meant.text
    assert outcome.thinking == meant.thinking
    assert [(call.id, call.name, call.arguments) for call in outcome.calls] == meant.calls
    assert [(started.id, started.name) for started in outcome.started] == [(i, name) for i, name, _ in meant.calls]
    assert not any(call.malformed for call in outcome.calls)
    assert finished.finish_reason == meant.finish_reason
    assert finished.usage is not None
    assert asdict(finished.usage) == meant.counts
    assert outcome.usage == finished.usage


@recorded("bedrock_converse", lambda row: row["status"] == 200)
def test_signed_reasoning_is_kept_for_replay_and_no_other(recording: Recording) -> None:
    kept = read(recording).finished.extras.get("bedrock_converse", [])

    assert isinstance(kept, list)
    reasoning = [entry["reasoningContent"]["reasoningText"] for entry in kept if "reasoningContent" in entry]
    assert reasoning == expected(recording).signed


@recorded("bedrock_converse", lambda row: row["status"] == 400)
def test_a_refused_request_is_told_in_bedrocks_words(recording: Recording) -> None:
    error = wire.failure(400, recording.headers, recording.response, provider="bedrock", now=0.0)

    assert isinstance(error, ProviderRejected)
    assert error.upstream_status == 400
    assert "video" in error.message or "Malformed input request" in error.message
