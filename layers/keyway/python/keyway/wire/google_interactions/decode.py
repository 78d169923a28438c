"""A stream of the Interactions API as events.

An interaction is created, takes steps, and completes. Steps that hold the model's output are text, steps that hold
its thoughts are thinking; searches and other work in between are passed over. Events were named differently before
the revision of May 2026; both names are understood.

    interaction.completed (interaction.complete)  →  TurnFinished, or raises when the interaction failed
    error                                         →  raises
    end of the bytes without either               →  raises ProviderProtocolError
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ClassVar

from keyway.chat import Json
from keyway.errors import KeywayError, ProviderProtocolError
from keyway.events import Event, FinishReason, TextDelta, ThinkingDelta, TurnFinished, Usage
from keyway.wire.body import BodyDecoder
from keyway.wire.fields import member, members, text
from keyway.wire.google_errors import failure_in_band
from keyway.wire.google_interactions.dialect import Dialect
from keyway.wire.google_interactions.usage import usage_of

_FINISH: dict[str, FinishReason] = {
    "completed": "stop",
    "incomplete": "length",
    "budget_exceeded": "length",
    "requires_continuation": "length",
}
"""Any other end, known or new, is not what was asked for."""
_FAILED = ("failed", "cancelled")
_UNFINISHED = ("", "in_progress", "queued")


def decoder(dialect: Dialect, *, provider: str, structured: bool = False) -> BodyDecoder:  # noqa: ARG001 - of no use here
    """See ``Wire.decoder``."""
    return BodyDecoder(InteractionTurn(provider), provider=provider)


class InteractionTurn:
    """What the events of one interaction mean. See ``body.Turn``."""

    def __init__(self, provider: str) -> None:
        self.usage: Usage | None = None
        self._provider = provider
        self._id = ""
        self._spoken = False
        self._thought = False
        self._status = ""
        self._finished = False

    def frame(self, name: str, data: Json) -> Iterator[Event]:
        """See ``body.Turn.frame``."""
        if self._finished:
            return iter(())
        kind = text(data, "event_type") or name
        on = self._EVENTS.get(kind)
        if on is not None:
            return iter(on(self, data))
        if data.get("error"):
            raise failure_in_band(data, provider=self._provider)
        return iter(())

    def document(self, data: Json) -> Iterator[Event]:
        """See ``body.Turn.document``."""
        if data.get("error") and not text(data, "status"):
            raise failure_in_band(data, provider=self._provider)
        return iter(self._completed({"interaction": data}))

    def done(self) -> Iterator[Event]:
        """See ``body.Turn.done``. It follows the last event and says no more than that."""
        return iter(())

    def end(self) -> Iterator[Event]:
        """See ``body.Turn.end``."""
        if self._status in _FAILED:
            raise self._failure({}, self._status)
        if not self._finished:
            where = f" It may still be at work, as interaction {self._id}." if self._id else ""
            raise ProviderProtocolError(
                f"{self._provider} ended its stream before the interaction was completed.{where}",
                provider=self._provider,
            )
        return iter(())

    def _created(self, data: Json) -> Iterable[Event]:
        self._id = text(member(data, "interaction"), "id") or self._id
        return ()

    def _updated(self, data: Json) -> Iterable[Event]:
        self._status = text(data, "status")
        return ()

    def _start(self, data: Json) -> Iterable[Event]:
        return self._step(member(data, "step") or member(data, "content"))

    def _delta(self, data: Json) -> Iterable[Event]:
        delta = member(data, "delta")
        match delta.get("type"):
            case "text":
                return self._text(delta)
            case "thought_summary":
                return self._thinking(member(delta, "content"))
            case _:
                return ()

    def _completed(self, data: Json) -> Iterable[Event]:
        interaction = member(data, "interaction")
        self._created(data)
        self.usage = usage_of(interaction)
        status = text(interaction, "status")
        if status in _FAILED:
            raise self._failure(interaction, status)
        if status in _UNFINISHED:
            raise ProviderProtocolError(
                f"{self._provider} ended its answer with an interaction that is not completed.",
                provider=self._provider,
            )
        steps = members(interaction, "steps") or members(interaction, "outputs")
        # Usually told before; what was not, is told here for the only time.
        told = (*([TextDelta] if self._spoken else []), *([ThinkingDelta] if self._thought else []))
        events = [event for step in steps for event in self._step(step) if not isinstance(event, told)]
        self._status, self._finished = status, True
        return [*events, TurnFinished(_FINISH.get(status, "error"), self.usage, self._id or None)]

    def _error(self, data: Json) -> Iterable[Event]:
        raise failure_in_band(data, provider=self._provider)

    def _step(self, step: Json) -> Iterable[Event]:
        """A whole step, or what of it came with its start."""
        match step.get("type"):
            case "model_output":
                return [event for part in members(step, "content") for event in self._text(part)]
            case "text":
                return self._text(step)
            case "thought":
                return [event for part in members(step, "summary") for event in self._thinking(part)]
            case _:
                return ()

    def _text(self, part: Json) -> Iterable[Event]:
        said = text(part, "text")
        self._spoken = self._spoken or bool(said)
        return (TextDelta(said),) if said else ()

    def _thinking(self, part: Json) -> Iterable[Event]:
        said = text(part, "text")
        self._thought = self._thought or bool(said)
        return (ThinkingDelta(said),) if said else ()

    def _failure(self, interaction: Json, status: str) -> KeywayError:
        error = member(interaction, "error") or {"message": f"the interaction is {status}", "status": "INTERNAL"}
        return failure_in_band({"error": error}, provider=self._provider)

    _EVENTS: ClassVar[Mapping[str, Callable[[InteractionTurn, Json], Iterable[Event]]]] = {
        "interaction.created": _created,
        "interaction.start": _created,
        "interaction.status_update": _updated,
        "step.start": _start,
        "content.start": _start,
        "step.delta": _delta,
        "content.delta": _delta,
        "interaction.completed": _completed,
        "interaction.complete": _completed,
        "error": _error,
    }
