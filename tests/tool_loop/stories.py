"""What happens around a paid tool, and what has to be written down then: the columns of the table of settlement.

A story knows no provider. Each is played on every provider that has tools, streamed and not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from infra.local.provider import Call, Cut, Refusal, Reply, Say, Script, Tokens, words
from keyway.chat import Json
from keyway.events import FinishReason
from tests.matrix.features import MISHAPS, SCHEMA
from tests.matrix.not_offered import Mode, source
from tests.matrix.ways import Way

TURN = Tokens(input=1_000, output=100)
"""What each turn of a model reports."""

Turns: TypeAlias = Callable[[Way], list[Reply]]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What has to stand in the ledger about the tools, in US dollars by tool."""

    charged: Mapping[str, Decimal] = field(default_factory=dict)
    absorbed: Mapping[str, Decimal] = field(default_factory=dict)
    turns: int = 1
    """Turns of the model that were reported in full."""


@dataclass(frozen=True, slots=True)
class Story:
    """One column.

    Attributes:
        turns: What the provider answers, request by request.
        ledger: What is written down about the tools.
        error: The error that it ends with, or ``None``.
        content: The answer's text.
        asks: What the request holds beside its question and the tool ``search``.
        schema: The last turn fills a schema.
    """

    name: str
    turns: Turns
    ledger: Ledger
    error: str | None = None
    content: str = "It rains."
    finish_reason: FinishReason = "stop"
    asks: Json = field(default_factory=dict)
    schema: bool = False


def _search(*cities: str) -> Script:
    return Script(Say("I look."), *(Call("search", {"city": city}) for city in cities), tokens=TURN)


_SAYS = Script(*words("It rains."), tokens=TURN)
_JSON = Script(Say('{"city": '), Say('"Paris"}'), tokens=TURN)
_ONE, _THREE = {"search": Decimal("0.005")}, {"search": Decimal("0.015")}


def _refused(way: Way) -> Refusal:
    return MISHAPS[way.wire].limit


STORIES: tuple[Story, ...] = (
    Story("answered", lambda _: [_search("Paris"), _SAYS], Ledger(charged=_ONE, turns=2)),
    Story("two rounds", lambda _: [_search("Paris", "Rome"), _search("Oslo"), _SAYS], Ledger(charged=_THREE, turns=3)),
    Story(
        "broken off",
        lambda _: [_search("Paris", "Rome", "Oslo"), Script(Say("It"), Cut(), tokens=TURN)],
        Ledger(absorbed=_THREE),
        error="ProviderProtocolError",
    ),
    Story(
        "in-band error",
        lambda way: [_search("Paris", "Rome", "Oslo"), Script(Say("It"), MISHAPS[way.wire].failure, tokens=TURN)],
        Ledger(absorbed=_THREE),
        error="ProviderUnavailable",
    ),
    Story(
        "refused later",
        lambda way: [_search("Paris"), _refused(way), _refused(way), _refused(way)],
        Ledger(absorbed=_ONE),
        error="RateLimited",
    ),
    Story(
        "handed back",
        lambda _: [_search("Paris"), Script(Say("You."), Call("ask_user", {"what": "Why?"}), tokens=TURN)],
        Ledger(charged=_ONE, turns=2),
        content="You.",
        finish_reason="tool_calls",
        asks={"tools": [{"id": "search"}, {"id": "ask_user"}]},
    ),
    Story(
        "structured",
        lambda _: [_search("Paris"), _JSON],
        Ledger(charged=_ONE, turns=2),
        content='{"city": "Paris"}',
        asks={"responseFormat": SCHEMA},
        schema=True,
    ),
)


def not_offered(way: str, story: str, mode: Mode) -> str | None:
    """Where it is written that a cell is not offered; ``None`` for one that is to be run."""
    return source(way, "tool call", mode) or source(way, story, mode)
