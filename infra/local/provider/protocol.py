"""What a protocol has to offer to be spoken by the scripted provider.

One folder per protocol: ``request.py`` is strict about what comes in, ``tools.py`` reads the tools in it, ``answer.py``
renders what goes out, and the folder's ``PROTOCOL`` ties them together. A protocol knows no socket; ``server.py`` knows
no protocol.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from urllib.parse import unquote

from infra.local.provider.script import Break, Content, Refusal, Script, Tokens

Json: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Question:
    """A request as the vendor understood it. ``serial`` numbers the requests of one server, for ids.

    ``path`` stands after the provider's id, and ``query`` after its question mark.
    """

    serial: int
    path: str
    headers: Mapping[str, str]
    body: Json
    query: str = ""

    @property
    def model(self) -> str:
        """The model that was asked for: in the body, or else in the path as ``/models/…:`` or ``/model/…/``."""
        for name in ("model", "agent"):
            if isinstance(named := self.body.get(name), str):
                return named
        found = re.search(r"/(?:models?|deployments)/([^/:]+)", self.path)
        return unquote(found[1]) if found else ""


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool that a request offers to the model; ``parameters`` is a JSON Schema."""

    name: str
    parameters: Json


class Answer(Protocol):
    """One answer in the making. Every call returns the frames that a stream has to carry for it.

    ``document`` is the same answer for a request that did not ask to stream, good after ``finish`` or
    ``interrupt``.
    """

    def begin(self) -> Iterator[bytes]:
        """The frames before any content."""
        ...

    def add(self, step: Content) -> Iterator[bytes]:
        """The frames of one content step."""
        ...

    def finish(self) -> Iterator[bytes]:
        """The frames that end the answer."""
        ...

    def interrupt(self, problem: Break) -> Iterator[bytes]:
        """The frames of an error in the middle."""
        ...

    def document(self) -> Json:
        """The whole answer as one JSON object."""
        ...


@dataclass(frozen=True, slots=True)
class WireProtocol:
    """A protocol as the server uses it.

    Attributes:
        path: The path after a provider's base URL, as a regular expression for the whole of it.
        key: The key a request's headers carry, if any.
        wrong_key: What the vendor says to a key it does not know (or to none).
        check: What the vendor says to a request it does not accept, or ``None``.
        wants_stream: Whether the request asks to stream.
        asked: The text of the last user turn that holds any; results of tools are user turns too, in some protocols.
        answer: Starts an answer to a checked request; without tokens it reports no usage.
        refusal_body: The body of an HTTP error. The integer is the request's serial number.
        headers: The headers on every answer, error or not.
        stream_type: The content type of a stream.
        before_document: What stands before the JSON of an answer that is not streamed.
        offered: The tools that a checked request lets the model call.
        results: What the tools said, when that is what the conversation ends with.
    """

    path: str
    key: Callable[[Mapping[str, str]], str | None]
    wrong_key: Callable[[str | None], Refusal]
    check: Callable[[Question], Refusal | None]
    wants_stream: Callable[[Question], bool]
    asked: Callable[[Question], str]
    answer: Callable[[Question, Script, Tokens | None], Answer]
    refusal_body: Callable[[Refusal, int], bytes]
    headers: Callable[[int], Mapping[str, str]]
    stream_type: str = "text/event-stream; charset=utf-8"
    before_document: bytes = b""
    offered: Callable[[Question], list[Offered]] = lambda _question: []
    results: Callable[[Question], list[str] | None] = lambda _question: None


def text_of(content: object) -> str:
    """The text in a message's content: a string, or a list of parts of which some have a ``text``."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return " ".join(text for text in texts if isinstance(text, str))
    return ""


def last_user_text(messages: object) -> str:
    """The text of the last message whose role is ``user`` and that has one."""
    for message in reversed(messages if isinstance(messages, list) else []):
        speaks = isinstance(message, Mapping) and message.get("role") == "user"
        if speaks and (text := text_of(message.get("content"))):
            return text
    return ""


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of an ``Authorization: Bearer`` header."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def starred(key: str) -> str:
    """A key as a vendor repeats it in its refusal: with most of it starred out."""
    return f"{key[:4]}{'*' * max(len(key) - 8, 3)}{key[-4:]}" if len(key) > 8 else "***"


def sse(data: Json, *, event: str = "") -> bytes:
    """One event of an SSE stream, in compact JSON."""
    named = f"event: {event}\n" if event else ""
    return f"{named}data: {compact(data)}\n\n".encode()


def compact(value: object) -> str:
    """``value`` as JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def in_pieces(text: str, size: int) -> Iterator[str]:
    """``text`` cut into pieces of ``size`` characters."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
