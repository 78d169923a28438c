"""Server-sent events: the standard's rules, and the same events however the bytes arrive."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyway.framing.sse import SseDecoder


def decode(*chunks: bytes) -> list[tuple[str, str]]:
    decoder = SseDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return [(event.name, event.data) for event in (*events, *decoder.end())]


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b"data: one\n\n", [("", "one")]),
        (b"event: ping\ndata: {}\n\n", [("ping", "{}")]),
        (b"data:no space\n\ndata:  two spaces\n\n", [("", "no space"), ("", " two spaces")]),
        (b"data: a\ndata: b\ndata\n\n", [("", "a\nb\n")]),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [("", "a"), ("", "b"), ("", "c")]),
        (b"\xef\xbb\xbfdata: after a mark\n\n", [("", "after a mark")]),
        (b"data: \xef\xbb\xbfkept\n\n", [("", "\ufeffkept")]),
        (b": OPENROUTER PROCESSING\n\n:\n\n: keep-alive\n\ndata: x\n\n", [("", "x")]),
        (b"id: 7\nretry: 10\nunknown: y\nbare\ndata: x\n\n", [("", "x")]),
        (b"event: lonely\n\ndata: x\n\n", [("", "x")]),
        (b"\n\n\n", []),
        (b"data: cut off", [("", "cut off")]),
        (b"data: cut off\n", [("", "cut off")]),
        (b"data: cut off\r", [("", "cut off")]),
        (b"", []),
        (b"\xef\xbb", []),
        ("data: Zürich 🏔\u2028\x85\x0b\n\n".encode(), [("", "Zürich 🏔\u2028\x85\x0b")]),
        (b"data: \xff\n\n", [("", "\ufffd")]),
    ],
)
def test_a_body_is_these_events_whole_and_byte_by_byte(body: bytes, events: list[tuple[str, str]]) -> None:
    assert decode(body) == events
    assert decode(*(body[i : i + 1] for i in range(len(body)))) == events


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_event_is_dispatched_with_the_byte_that_completes_it(end: bytes) -> None:
    decoder = SseDecoder()
    assert list(decoder.feed(b"data: now" + end)) == []
    assert [event.data for event in decoder.feed(end[:1])] == ["now"]


def test_a_cr_and_its_lf_in_two_reads_are_one_line_end() -> None:
    assert decode(b"data: a\r", b"\ndata: b\r", b"", b"\n\r", b"\n") == [("", "a\nb")]


def test_a_long_line_in_small_reads_costs_no_more_than_its_length() -> None:
    reads = [b"data: ", *[b"x" * 16] * 100_000, b"\n\n"]
    started = time.perf_counter()
    ((_, data),) = decode(*reads)
    assert len(data) == 1_600_000
    assert time.perf_counter() - started < 5  # looking at every byte again with each read would take minutes


lines = st.sampled_from([b"data: a", b"data:b", b"event: e", b": c", b"x: y", b"", b"", "data: ü".encode()])


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.tuples(lines, st.sampled_from([b"\n", b"\r", b"\r\n"])), max_size=20),
    st.lists(st.integers(0, 200), max_size=8),
)
def test_any_split_gives_the_same_events(written: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    body = b"".join(line + end for line, end in written)
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    assert decode(*(body[start:stop] for start, stop in pairwise(edges))) == decode(body)
