"""A tool call while it is being written: its arguments come as pieces of JSON, or as an object in a whole answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from keyway import strict_json
from keyway.chat import Json
from keyway.events import ToolCall


@dataclass(slots=True)
class OpenCall:
    """A call that is not whole yet. ``given`` are arguments that came as an object; ``pieces`` come in a stream."""

    id: str
    name: str
    given: Json = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)

    def finished(self, *, cut: bool) -> ToolCall:
        """The call. ``cut`` says that generation was stopped in it, so that no more than whole JSON can be trusted."""
        text = "".join(self.pieces)
        if not text.strip() and not cut and not strict_json.problem(self.given):
            return ToolCall(self.id, self.name, self.given)
        try:
            arguments = strict_json.loads(text, levels=strict_json.LEVELS)
        except ValueError:
            arguments = None
        if isinstance(arguments, dict):
            return ToolCall(self.id, self.name, arguments)
        return ToolCall(self.id, self.name, {}, malformed=text or (strict_json.shown(self.given) if self.given else ""))
