"""Every recorded answer of the Messages API means what its own JSON says, however the bytes were split."""

from __future__ import annotations

from dataclasses import asdict

from keyway.errors import ModelUnavailable
from keyway.wire import anthropic_messages as wire
from tests.conformance.anthropic_messages.expected import from_document, from_stream
from tests.conformance.feeding import Recording, outcome_however_split, recorded


@recorded("anthropic_messages", lambda row: row["status"] == 200)
def test_an_answer_means_what_its_json_says(recording: Recording) -> None:
    outcome = outcome_however_split(lambda: wire.decoder(wire.dialect({}), provider="anthropic"), recording.response)

    expected = (from_stream if recording.stream else from_document)(recording.response)
    finished = outcome.finished
    assert outcome.text == expected.text
    assert outcome.thinking == expected.thinking
    assert [(call.id, call.name, call.arguments) for call in outcome.calls] == expected.calls
    assert [(started.id, started.name) for started in outcome.started] == [
        (call_id, name) for call_id, name, _ in expected.calls
    ]
    assert not any(call.malformed for call in outcome.calls)
    assert finished.finish_reason == expected.finish_reason
    assert finished.response_id == expected.response_id
    assert finished.usage is not None
    assert asdict(finished.usage) == expected.counts
    assert outcome.usage == finished.usage


@recorded("anthropic_messages", lambda row: row["status"] == 200)
def test_every_signed_reasoning_block_is_kept_for_replay(recording: Recording) -> None:
    outcome = outcome_however_split(lambda: wire.decoder(wire.dialect({}), provider="anthropic"), recording.response)

    expected = (from_stream if recording.stream else from_document)(recording.response)
    signed = [
        {key: block[key] for key in ("type", "thinking", "signature")}
        for block in expected.blocks
        if block["type"] == "thinking"
    ]
    kept = outcome.finished.extras.get("anthropic_messages", [])
    assert isinstance(kept, list)
    assert [entry for entry in kept if entry["type"] == "thinking"] == signed


@recorded("anthropic_messages", lambda row: row["status"] == 404)
def test_an_unknown_model_is_not_to_be_had(recording: Recording) -> None:
    error = wire.failure(404, recording.headers, recording.response, provider="anthropic", now=0.0)

    assert isinstance(error, ModelUnavailable)
    assert error.upstream_status == 404
    assert "claude-sonet-4-5" in error.message
