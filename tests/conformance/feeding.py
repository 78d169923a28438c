"""Feeds a decoder one body in many splits and finds the recordings of a wire.

Knows no wire: it needs only a way to make a ``Decoder``. ``outcome_however_split`` is the law every decoder has
to keep: what comes out does not depend on how the network cut the bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyway.errors import KeywayError
from keyway.events import Event, TextDelta, ThinkingDelta, ToolCall, ToolCallStarted, TurnFinished, Usage
from keyway.wire.contract import Decoder
from tests.conftest import RECORDINGS


@dataclass(frozen=True)
class Outcome:
    """What one body came to: its events (adjacent deltas of a kind joined), the error that ended it, its usage."""

    events: tuple[Event, ...]
    error: tuple[str, str, int | None] | None
    usage: Usage | None

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def thinking(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, ThinkingDelta))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(event for event in self.events if isinstance(event, ToolCall))

    @property
    def started(self) -> tuple[ToolCallStarted, ...]:
        return tuple(event for event in self.events if isinstance(event, ToolCallStarted))

    @property
    def finished(self) -> TurnFinished:
        """The one terminal event. Fails when there is none, more than one, or anything after it."""
        assert self.error is None, self.error
        assert [index for index, event in enumerate(self.events) if isinstance(event, TurnFinished)] == [
            len(self.events) - 1
        ], self.events
        last = self.events[-1]
        assert isinstance(last, TurnFinished)
        return last


def outcome(decoder: Decoder, chunks: Iterable[bytes]) -> Outcome:
    """Feeds ``chunks`` and the end. Only a ``KeywayError`` may escape the decoder; it is part of the outcome."""
    events: list[Event] = []
    error: tuple[str, str, int | None] | None = None
    try:
        for chunk in chunks:
            events.extend(decoder.feed(chunk))
        events.extend(decoder.end())
    except KeywayError as raised:
        error = (raised.type, raised.message, raised.upstream_status)
    return Outcome(tuple(_joined(events)), error, decoder.usage)


def outcome_however_split(make_decoder: Callable[[], Decoder], body: bytes) -> Outcome:
    """The outcome of ``body``, after proving it the same whole, by byte, by line, by frame and at random splits."""
    whole = outcome(make_decoder(), [body])
    assert outcome(make_decoder(), [body[i : i + 1] for i in range(len(body))]) == whole
    assert outcome(make_decoder(), re.split(rb"(?<=\n)", body)) == whole
    assert outcome(make_decoder(), re.split(rb"(?<=\n\n)|(?<=\r\n\r\n)", body)) == whole

    @settings(max_examples=20, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.integers(0, len(body)), max_size=12))
    def same_at_any_split(cuts: list[int]) -> None:
        edges = [0, *sorted(cuts), len(body)]
        chunks = [body[start:stop] for start, stop in pairwise(edges)]
        assert outcome(make_decoder(), chunks) == whole

    same_at_any_split()
    return whole


def _joined(events: Iterable[Event]) -> Iterator[Event]:
    held: TextDelta | ThinkingDelta | None = None
    for event in events:
        if held is not None and type(event) is type(held):
            assert isinstance(event, TextDelta | ThinkingDelta)
            held = type(held)(held.text + event.text)
            continue
        if held is not None:
            yield held
        held = event if isinstance(event, TextDelta | ThinkingDelta) else None
        if held is None:
            yield event
    if held is not None:
        yield held


@dataclass(frozen=True)
class Recording:
    """One recorded exchange: what was sent, as JSON, and the bytes that came back."""

    id: str
    wire: str
    provider: str
    status: int
    stream: bool
    about: str
    headers: Mapping[str, str]
    request: dict[str, Any]
    response: bytes


def recorded(wire: str, choose: Callable[[dict[str, Any]], bool] = lambda _: True) -> pytest.MarkDecorator:
    """Runs a test that takes ``recording`` once for each recording of ``wire`` whose index row ``choose`` accepts.

    Where the recordings are absent the test appears once and is skipped by the ``recordings`` fixture.
    """
    rows = [row for row in _index() if row["wire"] == wire and choose(row)]
    if not rows and not _index():
        return pytest.mark.parametrize("recording", [pytest.param({}, id="absent")], indirect=True)
    params = [pytest.param(row, id=f"{row['provider']}-{row['status']}-{row['id']}") for row in rows]
    return pytest.mark.parametrize("recording", params, indirect=True)


def load(folder: Path, row: Mapping[str, Any]) -> Recording:
    """The exchange an index row names."""
    return Recording(
        id=row["id"],
        wire=row["wire"],
        provider=row["provider"],
        status=row["status"],
        stream=row["stream"],
        about=row["about"],
        headers=row["headers"],
        request=json.loads((folder / row["request"]).read_bytes()),
        response=(folder / row["response"]).read_bytes(),
    )


def _index() -> list[dict[str, Any]]:
    path = RECORDINGS / "index.json"
    return json.loads(path.read_bytes()) if path.is_file() else []
