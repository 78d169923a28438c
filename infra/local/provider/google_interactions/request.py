"""What the Interactions API accepts of a request to an agent, and in which words it refuses the rest.

Source: Google's guides "Interactions API" and "Deep Research": agents work in the background and their work is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from infra.local.provider.google_errors import invalid
from infra.local.provider.protocol import Json, Question
from infra.local.provider.script import Refusal
from infra.local.provider.shape import Mistake, Shape, read

REVISIONS = ("2026-05-20",)
"""Known values of the ``Api-Revision`` header."""


class AgentConfig(Shape):
    type: Literal["deep-research"]
    thinking_summaries: Literal["auto", "none"] | None = None
    visualization: str | None = None
    collaborative_planning: bool | None = None


class Create(Shape):
    """The request body."""

    agent: str | None = None
    model: str | None = None
    input: str | list[Json]
    agent_config: AgentConfig | None = None
    background: bool | None = None
    generation_config: Json | None = None
    previous_interaction_id: str | None = None
    response_format: Json | None = None
    store: bool | None = None
    stream: bool | None = None
    system_instruction: str | None = None
    tools: list[Json] | None = None


def check(question: Question) -> Refusal | None:
    """The refusal of a request the API would not accept."""
    revision = question.headers.get("api-revision")
    if revision is not None and revision not in REVISIONS:
        return invalid(f"Unsupported Api-Revision: {revision}")
    try:
        request = read(Create, question.body)
    except Mistake as mistake:
        place = ".".join(map(str, mistake.path))
        return invalid(f"Invalid value at '{place}': {mistake.details['msg']}")
    return next(map(invalid, _rules(request)), None)


def _rules(request: Create) -> Iterator[str]:
    if (request.agent is None) == (request.model is None):
        yield "Exactly one of model and agent must be set."
    if not request.input:
        yield "input: must not be empty."
    if request.agent is None:
        return
    if request.background is not True:
        yield "background=true is required for agent interactions."
    if request.store is False:
        yield "store=false is not supported with background=true."
    if request.generation_config is not None:
        yield "generation_config is not supported for agent interactions; use agent_config."
    if request.tools and any(tool.get("type") == "function" for tool in request.tools):
        yield "Custom function tools are not supported by this agent."
