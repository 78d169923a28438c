"""A research task as a body that stands literally in the test."""

from __future__ import annotations

from typing import Any

import pytest

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.errors import InvalidRequest
from keyway.wire import google_interactions as wire
from keyway.wire.contract import Outgoing

AGENT = "deep-research-pro-preview-12-2025"
MODEL = Model(id=AGENT, provider="google", sent_as=AGENT)


def encode(messages: list[dict[str, Any]], **asked: Any) -> Outgoing:
    request = ChatRequest.model_validate({"provider": "google", "model": AGENT, "messages": messages, **asked})
    return wire.encode(request, MODEL, wire.dialect({}))


def user(content: str, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


def test_a_task_works_in_the_background_is_stored_and_always_streamed() -> None:
    outgoing = encode([user("The history of TPUs.")])

    assert outgoing.path == "/interactions"
    assert outgoing.streamed
    assert outgoing.headers == {"api-revision": "2026-05-20"}
    assert outgoing.body == {
        "agent": AGENT,
        "input": "The history of TPUs.",
        "agent_config": {"type": "deep-research", "thinking_summaries": "auto"},
        "background": True,
        "store": True,
        "stream": True,
    }


def test_what_an_agent_does_not_take_is_not_sent() -> None:
    plain = encode([user("Go")])

    asked = encode(
        [user("Go")], tools=[{"id": "look", "usageControl": "force"}], responseFormat={"schema": {"type": "object"}},
        temperature=1.0, maxTokens=5, thinkingLevel="high",
    )  # fmt: skip

    assert asked == plain


def test_system_texts_are_the_system_instruction() -> None:
    outgoing = encode([{"role": "system", "content": "Be fair."}, user("Go")], systemPrompt="Be brief.")

    assert outgoing.body["system_instruction"] == "Be brief.\n\nBe fair."
    assert outgoing.body["input"] == "Go"


def test_what_was_said_before_stands_before_the_task() -> None:
    messages = [user("A?"), {"role": "assistant", "content": "B."}, user("C?")]

    assert encode(messages, context="X").body["input"] == (
        "The conversation so far:\n\nUser: X\n\nUser: A?\n\nAssistant: B.\n\nThe task:\n\nC?"
    )


def test_a_named_interaction_remembers_what_was_said_up_to_its_answer() -> None:
    messages = [user("A?"), {"role": "assistant", "content": "B."}, user("C?")]
    body = encode(messages, previousInteractionId="v1_abc").body

    assert body["previous_interaction_id"] == "v1_abc"
    assert body["input"] == "C?"


def test_files_stand_beside_the_task() -> None:
    files = [
        {"mimeType": "image/png", "data": "AA=="},
        {"mimeType": "application/pdf", "url": "https://example.com/a.pdf"},
    ]

    assert encode([user("Compare.", files=files)]).body["input"] == [
        {"type": "text", "text": "Compare."},
        {"type": "image", "mime_type": "image/png", "data": "AA=="},
        {"type": "document", "mime_type": "application/pdf", "uri": "https://example.com/a.pdf"},
    ]


def test_a_lone_system_prompt_is_the_task_and_nothing_at_all_is_refused() -> None:
    body = encode([], systemPrompt="Research TPUs.").body

    assert (body["input"], "system_instruction" in body) == ("Research TPUs.", False)
    with pytest.raises(InvalidRequest, match="messages"):
        encode([user("")])


@pytest.mark.parametrize("row", [{"paths": "/x"}, {"path": ""}, {"revision": 3}])
def test_an_unknown_or_unusable_flag_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="google_interactions"):
        wire.dialect(row)
