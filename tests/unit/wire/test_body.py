"""The body of an answer: event stream or document, whatever was asked for, and a clear error when it is neither."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyway.chat import Json
from keyway.errors import ProviderProtocolError
from keyway.events import Event, TextDelta, Usage
from keyway.wire.body import BodyDecoder


class Tale:
    """A wire that retells what it was given, as text."""

    usage: Usage | None = None

    def frame(self, name: str, data: Json) -> Iterator[Event]:
        yield TextDelta(f"frame {name} {dict(data)}")

    def document(self, data: Json) -> Iterator[Event]:
        yield TextDelta(f"document {dict(data)}")

    def done(self) -> Iterator[Event]:
        yield TextDelta("done")

    def end(self) -> Iterator[Event]:
        yield TextDelta("end")


def told(*chunks: bytes) -> list[str]:
    decoder = BodyDecoder(Tale(), provider="acme")
    events = [*(event for chunk in chunks for event in decoder.feed(chunk)), *decoder.end()]
    return [event.text for event in events if isinstance(event, TextDelta)]


@pytest.mark.parametrize(
    ("body", "tale"),
    [
        (b'{"a":1}', ["document {'a': 1}"]),
        (b'\n\n\r\n \t{"a":1}\n', ["document {'a': 1}"]),
        (b'\xef\xbb\xbf{"a":1}', ["document {'a': 1}"]),
        (b'data: {"a":1}\n\ndata: [DONE]\n\n', ["frame  {'a': 1}", "done", "end"]),
        (b'\n\n\xef\xbb\xbfdata: {"a":1}\n\n', ["frame  {'a': 1}", "end"]),
        (b'event: e\ndata: {"a":1}', ["frame e {'a': 1}", "end"]),
        (b': hello\n\ndata: {"a":1}\n\n', ["frame  {'a': 1}", "end"]),
        (b"data:  [DONE] bye\n\n", ["done", "end"]),
        (b"data:\n\ndata:   \n\n", ["end"]),
        ('data: {"a":"ü"}\n\n'.encode(), ["frame  {'a': 'ü'}", "end"]),
    ],
)
def test_the_first_byte_tells_a_stream_from_a_document(body: bytes, tale: list[str]) -> None:
    assert told(body) == tale
    assert told(*(body[i : i + 1] for i in range(len(body)))) == tale


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        (b"", "an empty body"),
        (b" \n\n", "an empty body"),
        (b"<html><body>Bad gateway</body></html>", "Bad gateway"),
        (b"[1, 2]", "[1, 2]"),
        (b'{"a":', '{"a":'),
        (b"data: not json\n\n", "not json"),
        (b"data: 7\n\n", "7"),
        (b'{"a":"\xff"}', "\ufffd"),
        (b"[" * 100_000, "[[["),
    ],
)
def test_what_is_no_json_object_is_quoted_in_a_protocol_error(body: bytes, quoted: str) -> None:
    with pytest.raises(ProviderProtocolError) as raised:
        told(body)
    assert quoted in raised.value.message
    assert raised.value.message.startswith("acme ")
    assert len(raised.value.message) < 300


def test_a_frame_is_told_before_the_next_one_breaks() -> None:
    decoder = BodyDecoder(Tale(), provider="acme")
    events = decoder.feed(b'data: {"a":1}\n\ndata: broken\n\n')
    assert next(events) == TextDelta("frame  {'a': 1}")
    with pytest.raises(ProviderProtocolError):
        next(events)


def test_usage_is_the_turn_s() -> None:
    tale = Tale()
    decoder = BodyDecoder(tale, provider="acme")
    tale.usage = Usage(1, 2)
    assert decoder.usage == Usage(1, 2)
