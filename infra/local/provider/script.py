"""What a scripted provider is told to do, as data: no protocol, no socket.

A ``Script`` is a list of steps. Content steps become frames of whichever protocol the request came in on; the
other steps concern the connection. One ``Say`` is one frame, so a gate between two of them stands exactly
between two chunks on the wire. For a request that did not ask to stream, the same steps make one document.

Instead of a script, a request may be given a ``Refusal`` (an HTTP error in the vendor's own words) or a
``Verbatim`` (any bytes at all).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias


class Gate:
    """A point in a script that the provider does not pass before the test says so. Belongs to one event loop."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._opened = asyncio.Event()

    def open(self) -> None:
        """Lets every script that waits here go on, now and later."""
        self._opened.set()

    async def reached(self) -> None:
        """Returns once a script has come to this gate."""
        await self._reached.wait()

    async def pass_through(self) -> None:
        """What the provider does at the gate."""
        self._reached.set()
        await self._opened.wait()


@dataclass(frozen=True, slots=True)
class Say:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Think:
    """A piece of visible reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """A piece of the model's refusal to answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A whole tool call; several in a row are parallel calls.

    ``arguments`` is an object, or text for arguments that are no JSON. They are streamed in pieces of
    ``piece`` characters. ``id`` is made up when not given.
    """

    name: str
    arguments: Mapping[str, object] | str = field(default_factory=dict)
    id: str | None = None
    piece: int = 8


@dataclass(frozen=True, slots=True)
class Ping:
    """The protocol's keep-alive, where it has one."""


@dataclass(frozen=True, slots=True)
class Break:
    """An error inside a stream that had begun with status 200. Nothing follows it.

    ``kind`` is the vendor's error type or code. ``form`` chooses among the shapes of protocols that have
    several: a flat error event, a nested one, or a final event that reports the failure.
    """

    kind: str
    message: str
    form: Literal["flat", "nested", "final"] = "flat"


@dataclass(frozen=True, slots=True)
class Start:
    """Sends the status, the headers and the opening frames now, before any content."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Waits until the gate is opened. Before the first content, the status line waits too."""

    gate: Gate


@dataclass(frozen=True, slots=True)
class Pause:
    """Waits for a time, as a slow model would."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Ends the body here, tidily for HTTP and too early for the protocol."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Drops the connection here, in the middle of the body."""


@dataclass(frozen=True, slots=True)
class Raw:
    """These bytes, as they are, between the frames."""

    data: bytes


Content: TypeAlias = Say | Think | Refuse | Call | Ping
Step: TypeAlias = Content | Break | Start | Wait | Pause | Cut | HangUp | Raw
Ending: TypeAlias = Literal["stop", "length", "content_filter"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the answer says it used. ``input`` and ``output`` are totals; the rest are parts of them.

    Each protocol reports these in its own way (some leave cached tokens out of the input count).
    """

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0


class Script:
    """One answer.

    Args:
        steps: Steps, or groups of steps (as ``words`` makes).
        ending: Why the model stopped. Tool calls speak for themselves.
        tokens: What is reported as used; counted from the texts when ``None``.
        report_tokens: ``False`` leaves the usage out of the answer altogether.
        content_type: Sent in place of the protocol's own.
        headers: Added to the protocol's own.
        model: Reported in place of the protocol's usual name for the requested model.
    """

    def __init__(
        self,
        *steps: Step | Iterable[Step],
        ending: Ending = "stop",
        tokens: Tokens | None = None,
        report_tokens: bool = True,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        model: str | None = None,
    ) -> None:
        self.steps: tuple[Step, ...] = tuple(_flat(steps))
        self.ending = ending
        self.tokens = tokens
        self.report_tokens = report_tokens
        self.content_type = content_type
        self.headers = dict(headers or {})
        self.model = model


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP error, put into the vendor's words. ``kind`` is its error type, ``code`` and ``param`` its details."""

    status: int
    kind: str
    message: str
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Any HTTP answer, byte for byte."""

    status: int
    body: bytes
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)


Reply: TypeAlias = Script | Refusal | Verbatim


def words(text: str) -> tuple[Say, ...]:
    """``text`` as one ``Say`` for each word, as a model's tokens would come."""
    return tuple(Say(word) for word in re.findall(r"\s*\S+\s*$|\s*\S+", text))


def _flat(steps: Iterable[Step | Iterable[Step]]) -> Iterable[Step]:
    for step in steps:
        if isinstance(step, Iterable):
            yield from step
        else:
            yield step
