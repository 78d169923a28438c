"""What the benchmark's provider says: one row per wire, rendered by the scripted provider before anything is measured.

Another wire is measured by adding a row to ``ASKED``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.provider.protocol import Question, WireProtocol
from infra.local.provider.script import Call, Say, Script, Tokens
from infra.local.provider.vendors import VENDORS


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a provider: a model, and the path to its wire, which the bare relay has to be told.

    ``whole`` is the path to an answer that is not streamed, where it is another one.
    ``key`` is the name of the platform key that pays; ``""`` when the request brings its own, in ``more``.
    """

    model: str
    path: str
    key: str
    whole: str = ""
    more: Mapping[str, str] = field(default_factory=dict)


ASKED = {
    "openai": Asked("gpt-4.1", "/v1/responses", "OPENAI_API_KEY_1"),
    "anthropic": Asked("claude-sonnet-4-6", "/v1/messages", "ANTHROPIC_API_KEY_1"),
    "mistral": Asked("mistral-large-latest", "/v1/chat/completions", "MISTRAL_API_KEY_1"),
    "google": Asked(
        "gemini-2.5-flash",
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
        "GEMINI_API_KEY_1",
        "/v1beta/models/gemini-2.5-flash:generateContent",
    ),
    "bedrock": Asked(
        "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
        "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
        "",
        "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
        {"bedrockAccessKeyId": "AKIDEXAMPLE", "bedrockSecretKey": "bench"},
    ),
}

WORD = b"gateway"
"""Every event of text holds it once, in any protocol."""

TOOL, TOOL_PATH = "look", "/tool"
"""The operator's tool, and where the provider answers for it."""

_WORD = f" {WORD.decode()}"
_TOKENS = Tokens(input=17, output=500)


@dataclass(frozen=True, slots=True)
class Rendered:
    """One answer as bytes.

    ``steps`` are written one after the other, each when the client has all of the one before. The first holds the
    opening events and one of text, and the last the closing events.
    ``events`` counts the events of text, and ``event_size`` is the bytes of one.
    """

    document: bytes
    steps: tuple[bytes, ...]
    events: int
    event_size: int


def rendered(provider: str, *, events: int, at_once: int) -> Rendered:
    """An answer of ``events`` events of text to each request, of which ``at_once`` arrive together.

    Each event is an HTTP chunk of its own, as vendors send them.
    """
    answer = protocol(provider).answer(_question(provider), Script(Say(_WORD * events)), _TOKENS)
    opening = [*answer.begin(), *answer.add(Say(_WORD))]
    texts = [frame for _ in range(events - 1) for frame in answer.add(Say(_WORD))]
    closing = list(answer.finish())
    groups = [texts[start : start + at_once] for start in range(0, len(texts), at_once)]
    steps = [b"".join(map(_chunk, group)) for group in [opening, *groups, closing]]
    steps[-1] += b"0\r\n\r\n"
    return Rendered(json.dumps(answer.document()).encode(), tuple(steps), events, len(texts[-1]))


def calling(provider: str) -> bytes:
    """A document in which the model calls the tool, once."""
    answer = protocol(provider).answer(_question(provider), Script(), _TOKENS)
    for _ in (*answer.begin(), *answer.add(Call(TOOL, {"at": "the gate"})), *answer.finish()):
        pass  # a document is whole when its frames have been made
    return json.dumps(answer.document()).encode()


def request(provider: str, *, stream: bool, tools: bool = False) -> dict[str, object]:
    """The request that is measured, in the words of the native door. A key of the pool pays for it."""
    return {
        "provider": provider,
        "model": ASKED[provider].model,
        "messages": [{"role": "user", "content": "In one sentence: what is a gateway?"}],
        "maxTokens": 200,
        "workspaceId": "ws-bench",
        "userId": "user-bench",
        "stream": stream,
        **({"tools": [{"id": TOOL}]} if tools else {}),
        **ASKED[provider].more,
    }


def protocol(provider: str) -> WireProtocol:
    """The protocol that is measured at ``provider``."""
    spoken = VENDORS[provider].spoken_at(ASKED[provider].path)
    assert spoken is not None
    return spoken


def _question(provider: str) -> Question:
    body = {"model": ASKED[provider].model, "stream": True, "stream_options": {"include_obfuscation": False}}
    return Question(1, ASKED[provider].path, {}, body)


def _chunk(frame: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(frame), frame)
