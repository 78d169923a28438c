"""Every recorded answer of the Gemini API and of Vertex AI means what its own JSON says, however it was split."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from keyway.errors import ModelUnavailable, ProviderRejected
from keyway.wire import gemini_generate as wire
from tests.conformance.feeding import Recording, outcome_however_split, recorded
from tests.conformance.gemini_generate import expected


def _decoded(recording: Recording) -> Any:
    return outcome_however_split(
        lambda: wire.decoder(wire.dialect({}), provider=recording.provider), recording.response
    )


@recorded("gemini_generate", lambda row: row["status"] == 200)
def test_an_answer_means_what_its_json_says(recording: Recording) -> None:
    outcome = _decoded(recording)

    chunks = expected.chunks_of(recording.response, streamed=recording.stream)
    parts = expected.parts_of(chunks)
    calls = expected.calls_of(parts)
    assert outcome.text == expected.text_of(parts, thought=False)
    assert outcome.thinking == expected.text_of(parts, thought=True)
    assert [(call.name, call.arguments) for call in outcome.calls] == [(call["name"], call["args"]) for call in calls]
    assert [call.id for call, given in zip(outcome.calls, calls, strict=True) if "id" in given] == [
        given["id"] for given in calls if "id" in given
    ]
    assert len({call.id for call in outcome.calls}) == len(calls)
    assert [(call.id, call.name) for call in outcome.calls] == [(call.id, call.name) for call in outcome.started]
    assert outcome.finished.finish_reason == expected.finish_reason_of(chunks, calls)
    assert outcome.finished.response_id == chunks[0]["responseId"]
    assert outcome.finished.usage is not None
    assert asdict(outcome.finished.usage) == expected.counts_of(chunks)


@recorded("gemini_generate", lambda row: row["status"] == 200)
def test_every_signature_is_kept_on_its_part(recording: Recording) -> None:
    extras = _decoded(recording).finished.extras

    chunks = expected.chunks_of(recording.response, streamed=recording.stream)
    signatures = expected.signatures_of(expected.parts_of(chunks))
    kept = cast("dict[str, Any]", extras.get("gemini_generate", {"parts": []}))
    assert [part["thoughtSignature"] for part in kept["parts"] if "thoughtSignature" in part] == signatures
    if signatures:
        assert (kept["provider"], kept["model"]) == (recording.provider, chunks[0]["modelVersion"])


@recorded("gemini_generate", lambda row: row["status"] == 404)
def test_an_unknown_model_is_not_to_be_had(recording: Recording) -> None:
    error = wire.failure(404, recording.headers, recording.response, provider="google", now=0)

    assert isinstance(error, ModelUnavailable)
    assert "gemini-3.6-flahs" in error.message


@recorded("gemini_generate", lambda row: row["status"] == 400)
def test_a_file_the_host_cannot_fetch_is_the_requests_fault(recording: Recording) -> None:
    error = wire.failure(400, recording.headers, recording.response, provider="vertex", now=0)

    assert isinstance(error, ProviderRejected)
    assert error.status == 400
    assert "INVALID_ARGUMENT" in error.message
    assert "Cannot fetch content" in error.message
