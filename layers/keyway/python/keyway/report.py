"""What is known of one exchange so far: who asked what of whom, whose key pays, what came back, and when.

``exchange.py`` fills it as the story unfolds; the answer and every line of the log and the ledger are read from it.
It decides nothing and holds no secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from keyway.answer import Answer, Origin, Segment, Timing
from keyway.billing.cost import MeteringError, model_cost
from keyway.billing.settlement import Statement, Terms, unbilled
from keyway.capabilities import Model
from keyway.chat import Caller, ChatRequest
from keyway.events import Event, TextDelta, ThinkingDelta, ToolCall, TurnFinished, Usage
from keyway.keys.credential import Credential
from keyway.money import Cost


class Report:
    """The record of one exchange. Times are epoch seconds."""

    def __init__(self, request: ChatRequest, caller: Caller, request_id: str, *, started: float) -> None:
        self.request_id = request_id
        self.provider = request.provider
        self.model = request.model
        self.streamed = request.stream
        self.workspace_id = caller.workspace_id
        self.user_id = caller.user_id
        self.org_id = caller.org_id
        self.workflow_id = caller.workflow_id
        self.chat_id = caller.chat_id
        self.started = started
        self.ended = started
        self.first_byte: float | None = None
        self.origin: Origin | None = None
        self.key: str | None = None
        self.terms: Terms | None = None
        self.finished: TurnFinished | None = None
        self.left = False
        """Whether the caller went away before the end."""
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._calls: list[ToolCall] = []

    def resolved(self, model: Model, credential: Credential, terms: Terms) -> None:
        """The model, the key and the price are known; the request is about to be sent."""
        self.model = model.id
        self.origin = credential.origin
        self.key = credential.key
        self.terms = terms

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
            self._calls.append(event)
        elif isinstance(event, TurnFinished):
            self.finished = event

    @property
    def usage(self) -> Usage | None:
        return self.finished.usage if self.finished else None

    def answer(self, statement: Statement) -> Answer:
        """The whole answer of an exchange that finished and was settled."""
        assert self.finished is not None
        assert self.terms is not None
        assert self.origin is not None
        return Answer(
            content="".join(self._text),
            thinking="".join(self._thinking),
            model=self.model,
            finish_reason=self.finished.finish_reason,
            usage=self.finished.usage,
            cost=statement.cost,
            timing=Timing(self.started, self.ended, (self._segment(self.finished, self.terms),)),
            origin=self.origin,
            key=self.key,
            request_id=self.request_id,
            tool_calls=tuple(self._calls),
            extras=self.finished.extras,
        )

    def _segment(self, finished: TurnFinished, terms: Terms) -> Segment:
        return Segment(
            type="model",
            name=self.model,
            provider=self.provider,
            started=self.started,
            ended=self.ended,
            first_byte=self.first_byte,
            finish_reason=finished.finish_reason,
            usage=finished.usage,
            cost=_list_cost(finished.usage, terms),
        )

    def ledger(self) -> Mapping[str, object]:
        """What the ledger needs beside an amount: who, by whose key, how much of what, at which price."""
        usage = self.usage
        terms = self.terms
        entries: dict[str, object | None] = {
            "requestId": self.request_id,
            "workspaceId": self.workspace_id,
            "userId": self.user_id,
            "orgId": self.org_id,
            "workflowId": self.workflow_id,
            "chatId": self.chat_id,
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
