"""AWS event stream: messages out of bytes, however they are cut. botocore's own parser is the second opinion."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from uuid import UUID
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from infra.local.provider.bedrock_converse.frames import frame, message
from keyway.errors import KeywayError, ProviderProtocolError
from keyway.framing.eventstream import EventStreamDecoder, EventStreamMessage

EMPTY = bytes.fromhex("000000100000000005c248eb7d98c8ff")
"""A message without headers and payload, as in the specification's test vectors."""

EVERY_TYPE = (
    b"\x01a\x00"
    b"\x01b\x01"
    b"\x01c\x02\xcf"
    b"\x01d\x03\x80\x00"
    b"\x01e\x04\x00\x00\x9d\x00"
    b"\x01f\x05\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\x01g\x06\x00\x03\x00\xff\x10"
    b"\x01h\x07\x00\x05Gr\xc3\xbcn"
    b"\x01i\x08\x00\x00\x00\x00\x00\x7e\x47\x18"
    b"\x01j\x09\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
)


def decode(*chunks: bytes) -> list[EventStreamMessage]:
    decoder = EventStreamDecoder(provider="bedrock")
    messages = [found for chunk in chunks for found in decoder.feed(chunk)]
    decoder.end()
    return messages


def by_botocore(body: bytes) -> list[tuple[dict[str, object], bytes]]:
    buffer: Any = EventStreamBuffer()
    buffer.add_data(body)
    return [(found.headers, found.payload) for found in buffer]


def refused(*chunks: bytes) -> str:
    with pytest.raises(ProviderProtocolError) as raised:
        decode(*chunks)
    assert raised.value.provider == "bedrock"
    return str(raised.value)


def test_a_message_of_nothing() -> None:
    assert decode(EMPTY) == [({}, b"")]


def test_text_headers_and_a_payload() -> None:
    body = frame({":event-type": "chunk", ":message-type": "event"}, b'{"a": 1}')
    assert decode(body) == [({":event-type": "chunk", ":message-type": "event"}, b'{"a": 1}')]


def test_every_type_of_header_is_read() -> None:
    assert decode(message(EVERY_TYPE, b"x"))[0].headers == {
        "a": True,
        "b": False,
        "c": -49,
        "d": -32768,
        "e": 40192,
        "f": -1,
        "g": b"\x00\xff\x10",
        "h": "Grün",
        "i": 8275736,
        "j": UUID("00010203-0405-0607-0809-0a0b0c0d0e0f"),
    }


def test_botocore_reads_the_same_headers() -> None:
    [(headers, _)] = by_botocore(message(EVERY_TYPE, b"x"))
    ours = decode(message(EVERY_TYPE, b"x"))[0].headers
    assert {**headers, "j": None} == {**ours, "j": None}
    assert headers["j"] == UUID("00010203-0405-0607-0809-0a0b0c0d0e0f").bytes


def test_messages_come_out_as_soon_as_they_are_whole() -> None:
    decoder = EventStreamDecoder(provider="bedrock")
    first, second = frame({"n": "1"}, b"one"), frame({"n": "2"}, b"two")
    assert list(decoder.feed(first[:-1])) == []
    assert [found.payload for found in decoder.feed(first[-1:] + second[:20])] == [b"one"]
    assert [found.payload for found in decoder.feed(second[20:])] == [b"two"]


def test_headers_that_change_between_messages_are_read_anew() -> None:
    body = frame({"n": "1"}, b"") + frame({"n": "2"}, b"") + frame({"n": "2"}, b"") + EMPTY
    assert [found.headers for found in decode(body)] == [{"n": "1"}, {"n": "2"}, {"n": "2"}, {}]


def test_a_wrong_checksum_of_the_lengths_is_refused_before_the_rest_has_come() -> None:
    body = bytearray(frame({"n": "1"}, b"one"))
    body[3] ^= 1
    assert "first bytes do not match" in refused(bytes(body[:16]))


def test_a_wrong_checksum_of_the_message_is_refused_and_what_came_before_is_kept() -> None:
    good, bad = frame({"n": "1"}, b"one"), bytearray(frame({"n": "2"}, b"two"))
    bad[-5] ^= 1
    decoder = EventStreamDecoder(provider="bedrock")
    found = decoder.feed(good + bytes(bad))
    assert next(found).payload == b"one"
    with pytest.raises(ProviderProtocolError, match="does not match its checksum"):
        next(found)


@pytest.mark.parametrize("length", [1, 11, 12, 15, 16, 30])
def test_a_stream_that_ends_inside_a_message_is_refused(length: int) -> None:
    body = frame({":event-type": "chunk"}, b"payload")
    assert "in the middle of a message" in refused(EMPTY, body[:length])


def lengths(total: int, headers: int) -> bytes:
    prelude = struct.pack(">II", total, headers)
    return prelude + struct.pack(">I", crc32(prelude)) + bytes(4)


@pytest.mark.parametrize(
    ("total", "headers", "said"),
    [
        (16 + 131_073, 131_073, "more than is allowed"),
        (16 + 24 * 1024 * 1024 + 1, 0, "more than is allowed"),
        (0xFFFFFFFF, 0, "more than is allowed"),
        (15, 0, "shorter than its headers"),
        (0, 0, "shorter than its headers"),
        (40, 25, "shorter than its headers"),
    ],
)
def test_lengths_that_cannot_be_are_refused(total: int, headers: int, said: str) -> None:
    assert said in refused(lengths(total, headers))


def test_the_largest_message_that_may_be_is_read() -> None:
    payload = bytes(24 * 1024 * 1024)
    assert len(decode(message(b"", payload))[0].payload) == len(payload)


@pytest.mark.parametrize(
    "headers",
    [
        b"\x05ab",
        b"\x01a",
        b"\x01a\x0a",
        b"\x01a\x07\x00\x05ab",
        b"\x01a\x07\x00",
        b"\x01a\x05\x00\x00",
        b"\x01a\x09\x00",
        b"\x01a\x07\x00\x01\xff",
        b"\x01\xff\x00",
        b"\x01a\x00\x01a\x01",
    ],
)
def test_headers_that_cannot_be_read_are_refused(headers: bytes) -> None:
    assert "headers cannot be read" in refused(message(headers, b"payload"))


HEADERS = st.dictionaries(st.text(min_size=1, max_size=6), st.text(max_size=12), max_size=4)
MESSAGES = st.lists(st.tuples(HEADERS, st.binary(max_size=40)), max_size=4)


@given(MESSAGES, st.data())
def test_what_was_written_is_read_whatever_the_split(
    messages: list[tuple[dict[str, str], bytes]], data: st.DataObject
) -> None:
    body = b"".join(frame(headers, payload) for headers, payload in messages)
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=6))
    chunks = [body[start:stop] for start, stop in pairwise([0, *sorted(cuts), len(body)])]
    assert decode(*chunks) == messages
    assert decode(*(body[at : at + 1] for at in range(len(body)))) == messages
    assert by_botocore(body) == messages


@given(MESSAGES, st.binary(min_size=1, max_size=3), st.data())
def test_a_damaged_stream_is_refused_and_nothing_else_escapes(
    messages: list[tuple[dict[str, str], bytes]], damage: bytes, data: st.DataObject
) -> None:
    body = b"".join(frame(headers, payload) for headers, payload in messages)
    at = data.draw(st.integers(0, len(body)))
    damaged = body[:at] + damage + body[at + data.draw(st.integers(0, 3)) :]
    intact = 0
    decoder = EventStreamDecoder(provider="bedrock")
    try:
        for found in pieces(decoder, damaged):
            assert found == messages[intact]
            intact += 1
        decoder.end()
    except KeywayError:
        return
    assert intact == len(messages)
    assert damaged == body


def pieces(decoder: EventStreamDecoder, body: bytes) -> Iterable[EventStreamMessage]:
    for start in range(0, len(body), 7):
        yield from decoder.feed(body[start : start + 7])
