"""What is known of one exchange so far: who asked what of whom, whose key pays, what came back, and when.

``exchange.py`` fills it as the story unfolds; the answer and every line of the log and the ledger are read from it.
It decides nothing and holds no secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from keyway.answer import Answer, Origin, Segment, Timing, ToolRun, TranscriptMessage
from keyway.billing.cost import MeteringError, model_cost
from keyway.billing.records import Subject
from keyway.billing.settlement import Statement, Terms, unbilled
from keyway.capabilities import Model
from keyway.chat import Caller, ChatRequest
from keyway.events import Event, TextDelta, ThinkingDelta, ToolCall, TurnFinished, Usage
from keyway.keys.credential import Credential
from keyway.money import Cost

CLOSING = "Final structured response"
"""The name of the segment in which a schema is asked for that had to wait for the tools."""


@dataclass(slots=True)
class TurnReport:
    """One turn of the model. Times are epoch seconds; ``first_byte`` is seconds from ``started``."""

    started: float
    ended: float
    closing: bool = False
    first_byte: float | None = None
    finished: TurnFinished | None = None
    calls: list[ToolCall] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)
    _thinking: list[str] = field(default_factory=list)

    def heard(self, now: float) -> None:
        """Something of the answer is there. Only the first time counts."""
        if self.first_byte is None:
            self.first_byte = now - self.started

    def add(self, event: Event) -> None:
        """Keeps what the answer will need of ``event``."""
        if isinstance(event, TextDelta):
            self._text.append(event.text)
        elif isinstance(event, ThinkingDelta):
            self._thinking.append(event.text)
        elif isinstance(event, ToolCall):
            self.calls.append(event)
        elif isinstance(event, TurnFinished):
            self.finished = event

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def thinking(self) -> str:
        return "".join(self._thinking)


class Report:
    """The record of one exchange. Times are epoch seconds."""

    def __init__(self, request: ChatRequest, caller: Caller, request_id: str, *, started: float) -> None:
        self.request_id = request_id
        self.provider = request.provider
        self.traced_as = request.provider
        self.model = request.model
        self.streamed = request.stream
        self.caller_ids = caller.ids
        self.started = started
        self.ended = started
        self.origin: Origin | None = None
        self.key: str | None = None
        self.terms: Terms | None = None
        self.turns: list[TurnReport] = []
        self.runs: list[ToolRun] = []
        """Tool calls that were answered here, in the order of the calls."""
        self.tools_time = 0.0
        """Seconds in which tools were running."""
        self.warnings: dict[str, None] = {}
        """What could not be asked for, each once, in order."""
        self.response_id: str | None = None
        """What the provider calls its last answer, and asks for when something is wrong with it."""
        self.left = False
        """Whether the caller went away before the end."""

    def resolved(self, model: Model, credential: Credential, terms: Terms, *, traced_as: str | None = None) -> None:
        """The model, the key and the price are known; the request is about to be sent.

        Args:
            traced_as: What segments call the provider, when that is not its id.
        """
        self.traced_as = traced_as or self.provider
        self.model = model.id
        self.origin = credential.origin
        self.key = credential.key
        self.terms = terms

    def begin(self, now: float, *, closing: bool = False) -> TurnReport:
        """A turn of the model begins. The first is counted from the exchange's own beginning."""
        turn = TurnReport(now if self.turns else self.started, now, closing)
        self.turns.append(turn)
        return turn

    def ran(self, runs: list[ToolRun]) -> None:
        """A round of tools is over, or cut off."""
        self.runs += runs
        if runs:
            self.tools_time += max(run.ended for run in runs) - min(run.started for run in runs)

    @property
    def subject(self) -> Subject:
        """The model, as records name it."""
        return Subject(self.provider, self.model, self.key)

    @property
    def first_byte(self) -> float | None:
        """Seconds until the first event of the first turn."""
        return self.turns[0].first_byte if self.turns else None

    @property
    def finished(self) -> TurnFinished | None:
        """How the last turn ended."""
        return self.turns[-1].finished if self.turns else None

    @property
    def usage(self) -> Usage | None:
        """Of all turns together; ``None`` when one of them is not known."""
        reported = [turn.finished.usage for turn in self.turns if turn.finished is not None]
        known = [usage for usage in reported if usage is not None]
        if len(known) < len(self.turns) or not known:
            return None
        return known[0] if len(known) == 1 else _together(known)

    def answer(self, statement: Statement, said: tuple[TranscriptMessage, ...] = ()) -> Answer:
        """The whole answer of an exchange that finished and was settled.

        Args:
            said: What the exchange has added to the conversation, if it was more than one turn.
        """
        last = self.turns[-1]
        assert last.finished is not None
        assert self.origin is not None
        return Answer(
            content=last.text,
            thinking="".join(turn.thinking for turn in self.turns),
            model=self.model,
            finish_reason=last.finished.finish_reason,
            usage=self.usage,
            cost=statement.cost,
            timing=Timing(self.started, self.ended, self._segments(), self.tools_time),
            origin=self.origin,
            key=self.key,
            request_id=self.request_id,
            tool_calls=self._calls(),
            extras=last.finished.extras,
            messages=said,
        )

    def _calls(self) -> tuple[ToolCall | ToolRun, ...]:
        """Every call there was, in its order, as it was answered if it was."""
        answered = {id(run.call): run for run in self.runs}
        return tuple(answered.get(id(call), call) for turn in self.turns for call in turn.calls)

    def _segments(self) -> tuple[Segment, ...]:
        assert self.terms is not None
        several = len(self.turns) > 1 or bool(self.runs)
        segments = [self._model_segment(turn, self.terms, told=several) for turn in self.turns]
        segments += map(_tool_segment, self.runs)
        return tuple(sorted(segments, key=lambda segment: segment.started))

    def _model_segment(self, turn: TurnReport, terms: Terms, *, told: bool) -> Segment:
        assert turn.finished is not None
        return Segment(
            type="model",
            name=CLOSING if turn.closing else self.model,
            provider=self.traced_as,
            started=turn.started,
            ended=turn.ended,
            first_byte=turn.first_byte,
            finish_reason=turn.finished.finish_reason,
            usage=turn.finished.usage,
            cost=_list_cost(turn.finished.usage, terms),
            content=turn.text if told else "",
            thinking=turn.thinking if told else "",
            tool_calls=tuple(turn.calls) if told else (),
        )

    def ledger(self) -> Mapping[str, object]:
        """What the ledger needs beside an amount: who, by whose key, how much of what, at which price."""
        usage = self.usage
        terms = self.terms
        entries: dict[str, object | None] = {
            "requestId": self.request_id,
            **self.caller_ids,
            "provider": self.provider,
            "model": self.model,
            "credentialOrigin": self.origin,
            "key": self.key,
            "finishReason": self.finished.finish_reason if self.finished else None,
            "multiplier": str(terms.multiplier) if terms else None,
            "priceVersion": terms.price.version if terms and terms.price else None,
        }
        if usage:
            entries["tokens"] = tokens(usage)
        return {name: value for name, value in entries.items() if value is not None}

    def tools(self) -> list[dict[str, object]]:
        """The tools that ran, one entry each, for the log."""
        return [
            {
                "tool": run.call.name[:64],  # the model may have made it up, at any length
                "status": run.status,
                "durationMs": round((run.ended - run.started) * 1000),
                **({"cost": str(run.cost)} if run.cost is not None else {}),
            }
            for run in self.runs
        ]


def _together(turns: list[Usage]) -> Usage:
    return Usage(
        input=sum(usage.input for usage in turns),
        output=sum(usage.output for usage in turns),
        cache_read=sum(usage.cache_read for usage in turns),
        cache_write=sum(usage.cache_write for usage in turns),
        cache_write_1h=sum(usage.cache_write_1h for usage in turns),
        reasoning=sum(usage.reasoning for usage in turns),
    )


def _tool_segment(run: ToolRun) -> Segment:
    failed = run.result if run.status != "success" and isinstance(run.result, Mapping) else {}
    message = failed.get("message")
    return Segment(
        type="tool",
        name=run.call.name,
        provider=None,
        started=run.started,
        ended=run.ended,
        tool_call_id=run.call.id,
        tool_cost=run.cost,
        error=message if isinstance(message, str) else None,
    )


def tokens(usage: Usage) -> dict[str, int]:
    """Token counts under the names of the public answer."""
    return {
        "input": usage.input,
        "output": usage.output,
        "total": usage.total,
        "cacheRead": usage.cache_read,
        "cacheWrite": usage.cache_write,
        "reasoning": usage.reasoning,
    }


def _list_cost(usage: Usage | None, terms: Terms) -> Cost:
    """A segment's cost: the provider's own price, without the platform's multiplier; zero if another's key paid."""
    if usage is None or terms.price is None or not terms.billed:
        return unbilled(terms.price)
    try:
        return model_cost(usage, terms.price, multiplier=Decimal(1))
    except MeteringError:
        return unbilled(terms.price)  # the settlement has said so already, where operators hear it
