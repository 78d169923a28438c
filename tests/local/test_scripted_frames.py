"""The scripted provider's frames are the vendors': compared with recordings of them, and read by our decoders."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from infra.local.provider import Call, Refuse, Say, Script, Step, Think, Tokens
from infra.local.provider.anthropic_messages import PROTOCOL as ANTHROPIC
from infra.local.provider.openai_responses import PROTOCOL as OPENAI
from infra.local.provider.protocol import Question, WireProtocol
from keyway.events import Event, TextDelta, ThinkingDelta, ToolCall, TurnFinished, Usage
from keyway.wire.registry import wire

WIRES = {"openai_responses": OPENAI, "anthropic_messages": ANTHROPIC}
every_wire = pytest.mark.parametrize("name", WIRES)

STEPS: tuple[Step, ...] = (
    Think("Let me "),
    Think("see."),
    Say("Hel"),
    Say("lo"),
    Call("weather", {"city": "Zürich"}, id="call_1"),
    Call("time", id="call_2"),
)
TOKENS = Tokens(input=100, output=20, cache_read=30, cache_write=8, reasoning=4)

NOT_OURS = {
    # Fields a vendor sends that say nothing to a gateway, and fields of one model family or one kind of item.
    "background", "billing", "content_filters", "frequency_penalty", "moderation", "presence_penalty",
    "prompt_cache_retention", "tool_usage", "inference_geo", "phase", "caller", "stop_details", "server_tool_use",
    "container", "context_management",
}  # fmt: skip


def frames(protocol: WireProtocol, *steps: Step, ending: str = "stop", tokens: Tokens | None = TOKENS) -> bytes:
    question = Question(1, "", {}, {"model": "some-model", "include": ["reasoning.encrypted_content"]})
    script = Script(*steps, ending=ending)  # type: ignore[arg-type]
    answer = protocol.answer(question, script, tokens)
    parts = [*answer.begin()]
    for step in steps:
        parts += answer.add(step)  # type: ignore[arg-type]
    return b"".join([*parts, *answer.finish()])


def document(protocol: WireProtocol, *steps: Step) -> Mapping[str, object]:
    answer = protocol.answer(Question(1, "", {}, {"model": "some-model"}), Script(*steps), TOKENS)
    for _ in [*answer.begin(), *(frame for step in steps for frame in answer.add(step)), *answer.finish()]:  # type: ignore[arg-type]
        pass
    return answer.document()


def data_of(stream: bytes) -> Iterator[dict[str, object]]:
    for line in stream.splitlines():
        if line.startswith(b"data: {"):
            yield json.loads(line.removeprefix(b"data: "))


def decoded(name: str, body: bytes) -> list[Event]:
    speaker = wire(name)
    decoder = speaker.decoder(speaker.dialect({}), provider="somebody")
    return [*decoder.feed(body), *decoder.end()]


def shapes(value: object, path: str = "") -> Iterator[str]:
    """Every path of field names in ``value``; list items share one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}"
            yield from shapes(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from shapes(inner, f"{path}[]")


def kind(event: Mapping[str, object]) -> str:
    """The event's type, with the type of what it carries."""
    carried = event.get("item") or event.get("part") or event.get("content_block") or event.get("delta")
    inner = carried.get("type", "") if isinstance(carried, Mapping) else ""
    return f"{event.get('type')} {inner}".strip()


def recorded(recordings: Path, name: str, vendor: str) -> dict[str, set[str]]:
    """For each kind of event the fields that every recording of the vendor has."""
    found: dict[str, set[str]] = {}
    for path in sorted((recordings / name).glob(f"{vendor}-stream-200-*.sse")):
        for event in data_of(path.read_bytes()):
            fields = set(shapes(event))
            found[kind(event)] = found.get(kind(event), fields) & fields
    return found


@pytest.mark.parametrize(("name", "vendor"), [("openai_responses", "openai"), ("anthropic_messages", "anthropic")])
def test_every_field_that_all_recordings_of_an_event_have_is_sent(recordings: Path, name: str, vendor: str) -> None:
    real = recorded(recordings, name, vendor)
    stream = frames(WIRES[name], *STEPS)
    shared = 0
    for event in data_of(stream):
        if kind(event) in real:
            shared += 1
            missing = {
                field for field in real[kind(event)] - set(shapes(event)) if NOT_OURS.isdisjoint(field.split("."))
            }
            assert not missing, f"{kind(event)} lacks {sorted(missing)}"
    assert shared > 15


@every_wire
def test_our_decoder_reads_a_stream_as_it_was_scripted(name: str) -> None:
    events = decoded(name, frames(WIRES[name], *STEPS))
    assert "".join(event.text for event in events if isinstance(event, ThinkingDelta)) == "Let me see."
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Hel", "lo"]
    assert [(call.id, call.name, call.arguments) for call in events if isinstance(call, ToolCall)] == [
        ("call_1", "weather", {"city": "Zürich"}),
        ("call_2", "time", {}),
    ]
    last = events[-1]
    assert isinstance(last, TurnFinished)
    assert last.finish_reason == "tool_calls"
    assert last.usage == Usage(input=100, output=20, cache_read=30, cache_write=8, reasoning=4)


@every_wire
def test_a_document_says_the_same_as_the_stream(name: str) -> None:
    def meaning(events: list[Event]) -> tuple[object, ...]:
        texts = "".join(event.text for event in events if isinstance(event, TextDelta))
        calls = [event for event in events if isinstance(event, ToolCall)]
        last = events[-1]
        assert isinstance(last, TurnFinished)
        return texts, calls, last.finish_reason, last.usage

    whole = json.dumps(document(WIRES[name], *STEPS)).encode()
    assert meaning(decoded(name, whole)) == meaning(decoded(name, frames(WIRES[name], *STEPS)))


@every_wire
@pytest.mark.parametrize("ending", ["stop", "length", "content_filter"])
def test_every_ending_is_read_as_scripted(name: str, ending: str) -> None:
    last = decoded(name, frames(WIRES[name], Say("x"), ending=ending))[-1]
    assert isinstance(last, TurnFinished)
    assert last.finish_reason == ending


@every_wire
def test_a_refusal_is_read_as_filtered_content(name: str) -> None:
    last = decoded(name, frames(WIRES[name], Refuse("I would "), Refuse("rather not.")))[-1]
    assert isinstance(last, TurnFinished)
    assert last.finish_reason == "content_filter"


@every_wire
def test_without_tokens_the_usage_is_unknown(name: str) -> None:
    last = decoded(name, frames(WIRES[name], Say("x"), tokens=None))[-1]
    assert isinstance(last, TurnFinished)
    assert last.usage is None


def test_openai_numbers_its_events_and_pads_its_deltas() -> None:
    events = list(data_of(frames(OPENAI, *STEPS)))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    deltas = [event for event in events if "delta" in event]
    assert all((len(str(event["delta"])) + len(str(event["obfuscation"]))) % 16 == 0 for event in deltas)


def test_anthropic_pings_and_pads_its_lines_with_blanks() -> None:
    stream = frames(ANTHROPIC, *STEPS)
    assert stream.startswith(b'event: message_start\ndata: {"type":"message_start"')
    assert stream.count(b"event: ping") == 1
    assert b"   }\n\n" in stream
    assert stream.endswith(b"}\n\n")
