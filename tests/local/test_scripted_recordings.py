"""What every recorded answer of a vendor has, a played one has as well: streams of chunks, and whole documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path

import pytest

from infra.local.provider import Call, Say, Script, Step, Think, Tokens
from infra.local.provider.gemini_generate import GOOGLE, VERTEX
from infra.local.provider.openai_chat import PROTOCOLS
from infra.local.provider.protocol import Question, WireProtocol

RECORDED: Mapping[str, tuple[str, WireProtocol]] = {
    **{name: ("openai_chat", PROTOCOLS[name]) for name in ("openai", "groq", "openrouter", "cerebras")},
    **{name: ("openai_chat", PROTOCOLS[name]) for name in ("deepseek", "ollama-cloud")},
    "azure": ("openai_chat", PROTOCOLS["azure-openai"]),
    "mistral": ("mistral_chat", PROTOCOLS["mistral"]),
    "google": ("gemini_generate", GOOGLE),
    "vertex": ("gemini_generate", VERTEX),
}
STREAMED = ("openai", "groq", "openrouter", "mistral", "google")
NOT_OURS = {
    # Fields a vendor sends that say nothing to a gateway, and counts of things that the recorded models happen to have.
    "channel", "is_byok", "protected_material_code", "protected_material_text", "seed", "usage_breakdown",
}  # fmt: skip


def fields(value: object, path: str = "") -> Iterator[str]:
    """Every path of field names in ``value``; list items share one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}"
            yield from fields(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, f"{path}[]")


def in_all(values: list[object]) -> set[str]:
    return reduce(set.intersection, (set(fields(value)) for value in values)) if values else set()


def chunks(stream: bytes) -> list[object]:
    lines = (line.removeprefix(b"data: ") for line in stream.splitlines() if line.startswith(b"data: {"))
    found = [json.loads(line) for line in lines]
    return [chunk for chunk in found if chunk.get("choices") or chunk.get("candidates")]


def played(protocol: WireProtocol, *steps: Step) -> tuple[bytes, object]:
    body = {"model": "gemini-3-flash-preview", "stream_options": {"include_usage": True}}
    answer = protocol.answer(Question(1, "", {}, body), Script(*steps), Tokens(input=100, output=20))
    parts = [*answer.begin()]
    for step in steps:
        parts += answer.add(step)  # type: ignore[arg-type]
    return b"".join([*parts, *answer.finish()]), answer.document()


@pytest.mark.parametrize("vendor", STREAMED)
def test_every_field_that_all_recorded_chunks_have_is_sent(recordings: Path, vendor: str) -> None:
    folder, protocol = RECORDED[vendor]
    real = [path.read_bytes() for path in sorted((recordings / folder).glob(f"{vendor}-stream-200-*.sse"))]
    expected = in_all([chunk for stream in real for chunk in chunks(stream)])
    ours, _ = played(protocol, Think("Hm."), Say("Hello"), Call("f", {"a": 1}, id="call00001"))
    missing = {field for field in expected - in_all(chunks(ours)) if NOT_OURS.isdisjoint(field.split("."))}
    assert len(expected) >= 5
    assert not missing


@pytest.mark.parametrize("vendor", RECORDED)
def test_every_field_that_all_recorded_documents_have_is_sent(recordings: Path, vendor: str) -> None:
    folder, protocol = RECORDED[vendor]
    paths = sorted((recordings / folder).glob(f"{vendor}-json-200-*.response.json"))
    expected = in_all([json.loads(path.read_bytes()) for path in paths])
    _, ours = played(protocol, Think("Hm."), Say("Hello"), Call("f", {"a": 1}, id="call00001"))
    missing = {field for field in expected - set(fields(ours)) if NOT_OURS.isdisjoint(field.split("."))}
    assert len(expected) >= 5
    assert not missing
