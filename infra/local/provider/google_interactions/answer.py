"""Renders interactions: the events of a stream, and the interaction they add up to.

An interaction is created, takes steps that are started, grown and stopped, and completes with its usage. Source:
Google's guide "Interactions API", "Streaming", and the types of its Gen AI SDK.
"""

from __future__ import annotations

from collections.abc import Iterator

from infra.local.provider.google_errors import error_inside
from infra.local.provider.protocol import Json, Question, sse
from infra.local.provider.script import Break, Call, Content, Ping, Refuse, Say, Script, Think, Tokens

_STATUS = {"stop": "completed", "length": "incomplete", "content_filter": "failed"}
_TIME = "2026-01-01T00:00:00Z"


class InteractionAnswer:
    """One interaction. See ``protocol.Answer``."""

    def __init__(self, question: Question, script: Script, tokens: Tokens | None) -> None:
        self._ending = script.ending
        self._tokens = tokens
        self._events = 0
        self._steps: list[dict[str, object]] = []
        self._open = False
        who = "agent" if "agent" in question.body else "model"
        self._interaction: dict[str, object] = {
            "id": f"v1_{question.serial:024x}",
            "object": "interaction",
            who: script.model or question.model,
            "created": _TIME,
            "updated": _TIME,
            "status": "in_progress",
        }

    def begin(self) -> Iterator[bytes]:
        """``interaction.created`` and its first status."""
        yield self._event("interaction.created", interaction=self._interaction)
        yield self._event("interaction.status_update", interaction_id=self._interaction["id"], status="in_progress")

    def add(self, step: Content) -> Iterator[bytes]:
        """The frames of one step; a change of kind stops one step of the interaction and starts another."""
        match step:
            case Say(text) | Refuse(text):
                yield from self._grow("model_output", "content", text, {"type": "text", "text": text})
            case Think(text):
                piece = {"type": "text", "text": text}
                yield from self._grow("thought", "summary", text, {"type": "thought_summary", "content": piece})
            case Call():
                yield from self._call(step)
            case Ping():
                return  # this protocol has none

    def finish(self) -> Iterator[bytes]:
        """The open step's end, and ``interaction.completed``."""
        yield from self._stop()
        self._interaction["status"] = "requires_action" if self._called() else _STATUS[self._ending]
        if self._tokens is not None:
            self._interaction["usage"] = _usage(self._tokens)
        yield self._event("interaction.completed", interaction=self._interaction)
        yield b"event: done\ndata: [DONE]\n\n"

    def interrupt(self, problem: Break) -> Iterator[bytes]:
        """An ``error`` event, or with the form ``final`` an interaction that failed."""
        if problem.form == "final":
            self._interaction["status"] = "failed"
            if self._tokens is not None:
                self._interaction["usage"] = _usage(self._tokens)
            yield self._event("interaction.completed", interaction=self._interaction)
            return
        self._interaction = dict(error_inside(problem))
        yield self._event("error", error={"code": problem.kind.lower(), "message": problem.message})

    def document(self) -> Json:
        """The interaction."""
        if "error" in self._interaction:
            return self._interaction
        return {**self._interaction, "steps": self._steps}

    def _called(self) -> bool:
        return any(step["type"] == "function_call" for step in self._steps)

    def _grow(self, kind: str, field: str, text: str, delta: Json) -> Iterator[bytes]:
        if not self._open or self._steps[-1]["type"] != kind:
            yield from self._stop()
            self._open = True
            self._steps.append({"type": kind, field: [{"type": "text", "text": ""}]})
            yield self._event("step.start", index=len(self._steps) - 1, step={"type": kind})
        step = self._steps[-1]
        said = step[field]
        assert isinstance(said, list)
        step[field] = [{"type": "text", "text": f"{said[0]['text']}{text}"}]
        yield self._event("step.delta", index=len(self._steps) - 1, delta=delta)

    def _call(self, call: Call) -> Iterator[bytes]:
        yield from self._stop()
        identifier = call.id or f"call_{len(self._steps):08x}"
        step: dict[str, object] = {
            "type": "function_call",
            "id": identifier,
            "name": call.name,
            "arguments": call.arguments,
        }
        self._steps.append(step)
        yield self._event("step.start", index=len(self._steps) - 1, step=step)
        yield self._event("step.stop", index=len(self._steps) - 1)

    def _stop(self) -> Iterator[bytes]:
        if self._open:
            self._open = False
            yield self._event("step.stop", index=len(self._steps) - 1)

    def _event(self, name: str, /, **fields: object) -> bytes:
        self._events += 1
        return sse({"event_type": name, **fields, "event_id": f"evt_{self._events}"}, event=name)


def _usage(tokens: Tokens) -> Json:
    """Thoughts are counted beside the output."""
    return {
        "total_input_tokens": tokens.input,
        "total_cached_tokens": tokens.cache_read,
        "total_output_tokens": tokens.output - tokens.reasoning,
        "total_thought_tokens": tokens.reasoning,
        "total_tool_use_tokens": 0,
        "total_tokens": tokens.input + tokens.output,
    }
