"""JSON that stands among events without being one, and arrays where a stream was due."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyway.chat import Json
from keyway.errors import ProviderProtocolError
from keyway.events import Event, TextDelta, Usage
from keyway.framing.sse import SseDecoder
from keyway.wire.body import BodyDecoder


class Echo:
    """A turn that says which frames it got."""

    usage: Usage | None = None

    def frame(self, name: str, data: Json) -> Iterator[Event]:
        yield TextDelta(f"{name}{dict(data)}")

    def document(self, data: Json) -> Iterator[Event]:
        yield TextDelta(f"document {dict(data)}")

    def done(self) -> Iterator[Event]:
        yield TextDelta("done")

    def end(self) -> Iterator[Event]:
        yield TextDelta("end")


def said(body: bytes, size: int) -> list[str]:
    decoder = BodyDecoder(Echo(), provider="p")
    chunks = [body[i : i + size] for i in range(0, len(body), size)]
    events = [*(event for chunk in chunks for event in decoder.feed(chunk)), *decoder.end()]
    return [event.text for event in events if isinstance(event, TextDelta)]


@pytest.mark.parametrize("size", [1, 7, 1_000])
@pytest.mark.parametrize(
    ("body", "frames"),
    [
        (b'data: {"a": 1}\n\n{\n  "b": 2\n}\n', ["{'a': 1}", "{'b': 2}", "end"]),
        (b'data: {"a": 1}\n\n{\n  "b": 2\n}', ["{'a': 1}", "{'b': 2}", "end"]),
        (b'data: {"a": 1}\n{\n  "b": 2\n}\n\n', ["{'a': 1}", "{'b': 2}", "end"]),
        (b'data: {"a": 1}\n\n[{"b": 2},\n{"c": 3}]\n', ["{'a': 1}", "{'b': 2}", "{'c': 3}", "end"]),
        (b'event: x\ndata: {\n  "a": 1\n}\n\n', ["x{'a': 1}", "end"]),
        (b'data: [{"a": 1}, {"b": 2}]\n\n', ["{'a': 1}", "{'b': 2}", "end"]),
        (b'data: {"a": 1}\n\n{"b": 2}\ndata: [DONE]\n\n', ["{'a': 1}", "{'b': 2}", "done", "end"]),
        (b'data: {"a": 1}\n\nnot json\n{"b": 2}\n', ["{'a': 1}", "end"]),
        (b': {"b": 2}\nid: {"b": 2}\nretry: 3\ndata: {"a": 1}\n\n', ["{'a': 1}", "end"]),
        (b'[{"a": 1},\n {"b": 2}]', ["{'a': 1}", "{'b': 2}", "end"]),
        (b'{"a": 1}', ["document {'a': 1}"]),
    ],
)
def test_bare_json_is_a_frame_in_its_place(body: bytes, frames: list[str], size: int) -> None:
    assert said(body, size) == frames


@pytest.mark.parametrize("body", [b'[{"a": 1}, 2]', b"[", b"data: {\n\n", b"data: [1]\n\n", b"data: {\nnot json\n\n"])
def test_what_holds_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ProviderProtocolError, match="not a JSON object"):
        said(body, 1_000)


def test_a_stream_of_junk_is_not_kept_for_ever() -> None:
    decoder = SseDecoder()
    for _ in range(3_000):
        assert list(decoder.feed(b"junk" * 25 + b"\n")) == []

    assert 0 < len(decoder.take_stray()) <= 70_000
    assert decoder.take_stray() == ""
