"""What follows a turn of the model: a round of tools, a closing request, or the end. Pure: the caller performs it.

    the model calls tools that are run here      →  RunCalls; its results become the next request
    it calls only tools that are handed back     →  Done
    it calls some after the last round           →  GiveUp
    it stops, and a schema is still to be asked  →  Close: the same conversation once more, without tools
    anything else                                →  Done

Every call of a round is answered: one for a tool nobody offered, or with arguments that are no object, is answered with
what is wrong about it, for providers refuse a history with an unanswered call. Where a round has calls of both kinds,
those of ours are run and the others handed back beside their results.

A forced tool is asked for until it has been called, one after the other, in the order of the request; when all have
been, the choice is the model's. There are at most ``MAX_ROUNDS`` rounds, and ``MAX_CALLS`` calls are run in each, until
the results together are longer than ``MAX_RESULTS``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from keyway.answer import TranscriptMessage
from keyway.chat import ChatRequest, Message, MessageToolCall
from keyway.errors import KeywayError, TooManyToolRounds
from keyway.events import FinishReason, ToolCall

if TYPE_CHECKING:
    # Every exchange has a loop; what runs tools is loaded only where an operator has some.
    from keyway.tools.outcome import Outcome
    from keyway.tools.toolbox import RunnableTool

MAX_ROUNDS = 20
"""Rounds of tools in one exchange."""

MAX_CALLS = 32
"""Calls of one round that are run."""

MAX_RESULTS = 16 * 1024 * 1024
"""Characters of results in one conversation, after which no call is run any more. All of them are in memory, and sent
with every turn; no model reads so much."""

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")
"""What no provider takes in a tool's name, though a model may make one up with it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One call of a round: run with ``tool``, or refused with the words of ``refusal``."""

    call: ToolCall
    tool: RunnableTool | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class RunCalls:
    """Run these calls, side by side. ``handed_back`` are the round's other calls; with any, the exchange ends then."""

    planned: tuple[Planned, ...]
    handed_back: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The model calls tools after the last round that is allowed: ``planned``, which are not run."""

    planned: tuple[Planned, ...]
    error: KeywayError


@dataclass(frozen=True, slots=True)
class Close:
    """Ask for the schema, without tools."""


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is there."""


Step: TypeAlias = RunCalls | GiveUp | Close | Done


class ToolLoop:
    """The conversation of one exchange. ``request`` is what is sent next."""

    def __init__(self, request: ChatRequest, tools: Mapping[str, RunnableTool]) -> None:
        self.request = request
        self.rounds = 0
        self._kept = 0
        self._said: list[TranscriptMessage] = []
        self._tools = tools
        self.closing = False

    def may_go_on(self, *, schema_waits: bool) -> bool:
        """Whether a turn for ``request`` may be followed by another."""
        return not self.closing and (schema_waits or bool(self._tools))

    def after(self, calls: Sequence[ToolCall], finish_reason: FinishReason, *, schema_waits: bool) -> Step:
        """What follows a turn.

        Args:
            calls: The turn's, in their order.
            finish_reason: Only ``tool_calls`` says that they are whole; a turn cut short is never acted upon.
            schema_waits: The request that was answered did not ask for its schema yet.
        """
        if self.closing:
            return Done()
        if finish_reason == "tool_calls" and self._tools:
            step = self._plan(calls)
            if step.planned:
                if self.rounds == MAX_ROUNDS:
                    said = f"The model was still calling tools after {MAX_ROUNDS} rounds of them."
                    return GiveUp(step.planned, TooManyToolRounds(said))
                return step
        return Close() if finish_reason == "stop" and schema_waits else Done()

    def answered(
        self, text: str, extras: Mapping[str, object], calls: Sequence[ToolCall], outcomes: Iterable[Outcome]
    ) -> None:
        """A round is over: the turn and its results join the conversation, and ``request`` is the next one."""
        self.rounds += 1
        results = [TranscriptMessage("tool", outcome.content, tool_call_id=outcome.run.call.id) for outcome in outcomes]
        self._kept += sum(len(result.content) for result in results)
        added = [_turn(text, extras, calls), *results]
        self._said += added
        called = {call.name for call in calls}
        tools = tuple(
            tool.model_copy(update={"usage_control": "auto"})
            if tool.usage_control == "force" and tool.id in called
            else tool
            for tool in self.request.tools
        )
        messages = (*self.request.messages, *map(_message, added))
        self.request = self.request.model_copy(update={"messages": messages, "tools": tools})

    def ended(self, text: str, extras: Mapping[str, object], calls: Sequence[ToolCall]) -> None:
        """The exchange ends with this turn, of which ``answered`` has not been told."""
        if self._said or calls:
            self._said.append(_turn(text, extras, calls))

    @property
    def transcript(self) -> tuple[TranscriptMessage, ...]:
        """What the exchange has added to the conversation; empty when it was one turn without a call."""
        return tuple(self._said)

    def close(self) -> None:
        """``request`` becomes the closing one."""
        self.closing = True
        self.request = closing(self.request)

    def _plan(self, calls: Sequence[ToolCall]) -> RunCalls:
        planned: list[Planned] = []
        handed_back: list[ToolCall] = []
        running = 0
        offered = {tool.id for tool in self.request.offered_tools}
        for call in calls:
            tool = self._tools.get(call.name)
            if call.name not in offered:
                planned.append(Planned(call, refusal=_unknown(call.name, offered)))
            elif tool is None:
                handed_back.append(call)
            elif call.malformed is not None:
                planned.append(Planned(call, refusal="The arguments are not a JSON object. Write them again."))
            elif self._kept > MAX_RESULTS:
                planned.append(Planned(call, refusal="Nothing is run any more: the results are too long together."))
            elif running == MAX_CALLS:
                planned.append(Planned(call, refusal=f"Only {MAX_CALLS} calls are run at once. Call it again."))
            else:
                planned.append(Planned(call, tool))
                running += 1
        return RunCalls(tuple(planned), tuple(handed_back))


def closing(request: ChatRequest) -> ChatRequest:
    """The same conversation, and no tool to call."""
    tools = tuple(tool.model_copy(update={"usage_control": "none"}) for tool in request.tools)
    return request.model_copy(update={"tools": tools})


def _unknown(name: str, offered: set[str]) -> str:
    return f"There is no tool {name[:64]!r}. The tools are: {', '.join(sorted(offered))}."


def _turn(text: str, extras: Mapping[str, object], calls: Sequence[ToolCall]) -> TranscriptMessage:
    """A turn of the model as it can be sent again, by us or by the caller."""
    sendable = tuple(replace(call, name=_sendable(call.name)) for call in calls)
    return TranscriptMessage("assistant", text, tool_calls=sendable, extras=extras)


def _message(said: TranscriptMessage) -> Message:
    # Not validated: a model may write what no caller could send us, and its turn has to be replayed all the same.
    calls = tuple(
        MessageToolCall.model_construct(id=call.id, name=call.name, arguments=dict(call.arguments))
        for call in said.tool_calls
    )
    return Message.model_construct(
        role=said.role,
        content=said.content or (None if calls else ""),
        tool_calls=calls,
        tool_call_id=said.tool_call_id,
        provider_extras=dict(said.extras),
    )


def _sendable(name: str) -> str:
    return _NO_NAME.sub("_", name)[:64] or "unknown"
