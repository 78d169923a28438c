from __future__ import annotations

import base64
from typing import Any

import pytest

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.errors import InvalidRequest
from keyway.wire import anthropic_messages as wire

THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "sig"}
HIDDEN = {"type": "redacted_thinking", "data": "x"}
CALLS = [{"id": "a", "name": "look"}, {"id": "b", "name": "look"}]
MODEL = Model(id="m", provider="anthropic", sent_as="m")


def body(*messages: dict[str, Any], **asked: Any) -> Any:
    request = {"provider": "anthropic", "model": "m", "messages": messages, **asked}
    return wire.encode(ChatRequest.model_validate(request), MODEL, wire.dialect({})).body


def user(text: str = "Hi.", **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": text, **more}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_system_messages_at_the_start_join_the_system_prompt() -> None:
    sent = body({"role": "system", "content": "B."}, {"role": "system", "content": "C."}, user(), systemPrompt="A.")

    assert sent["system"] == "A.\n\nB.\n\nC."
    assert sent["messages"] == [{"role": "user", "content": [text("Hi.")]}]


def test_a_later_system_message_is_marked_text_of_the_users_turn() -> None:
    sent = body(
        user(), {"role": "assistant", "content": "Yes?"}, {"role": "system", "content": "Be brief."}, user("Go.")
    )

    assert sent["messages"][-1] == {
        "role": "user",
        "content": [text("<system>\nBe brief.\n</system>"), text("Go.")],
    }


def test_neighbours_of_one_role_are_one_turn() -> None:
    sent = body(user("A."), user("B."), {"role": "assistant", "content": "C."}, {"role": "assistant", "content": "D."})

    assert sent["messages"] == [
        {"role": "user", "content": [text("A."), text("B.")]},
        {"role": "assistant", "content": [text("C."), text("D.")]},
    ]


def test_the_user_begins() -> None:
    sent = body({"role": "assistant", "content": "Welcome."}, user())

    assert [turn["role"] for turn in sent["messages"]] == ["user", "assistant", "user"]


def test_a_conversation_of_nothing_but_white_space_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^messages: "):
        body(user(" \n"), {"role": "assistant", "content": ""})


@pytest.mark.parametrize("mime_type", ["image/png", "IMAGE/PNG", "image/png; q=1"])
def test_an_image_travels_as_it_is_or_by_url(mime_type: str) -> None:
    sent = body(user(files=[{"mimeType": mime_type, "data": "AAAA"}, {"mimeType": mime_type, "url": "https://x/y"}]))

    assert sent["messages"][0]["content"] == [
        text("Hi."),
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "image", "source": {"type": "url", "url": "https://x/y"}},
    ]


def test_a_pdf_is_a_document_with_its_name() -> None:
    sent = body(user(files=[{"name": "a.pdf", "mimeType": "application/pdf", "data": "AAAA"}]))

    assert sent["messages"][0]["content"][1] == {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"},
        "title": "a.pdf",
    }


@pytest.mark.parametrize("mime_type", ["text/plain", "text/csv", "application/json"])
def test_any_text_is_a_plain_text_document(mime_type: str) -> None:
    sent = body(user(files=[{"mimeType": mime_type, "data": encoded("é,1".encode())}]))

    assert sent["messages"][0]["content"][1] == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "é,1"},
    }


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ({"mimeType": "video/mp4", "data": "AAAA"}, "'video/mp4'"),
        ({"mimeType": "text/plain", "url": "https://x/y"}, "by URL"),
        ({"mimeType": "text/plain", "data": "no base64!"}, "base64"),
        ({"mimeType": "text/plain", "data": encoded(b"\xff\xfe")}, "UTF-8"),
        ({"mimeType": "text/plain", "data": encoded(b" ")}, "empty"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_by_its_place(file: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says) as raised:
        body(user(), user(files=[{"mimeType": "image/png", "data": "AAAA"}, file]), context="A context shifts nothing.")

    assert raised.value.message.startswith("messages[1].files[1]: ")


@pytest.mark.parametrize("role", ["assistant", "system"])
def test_files_are_for_users_and_tools(role: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^messages\[1\]\.files: "):
        body(user(), {"role": role, "content": "See.", "files": [{"mimeType": "image/png", "data": "AAAA"}]})


def test_a_tools_file_is_part_of_its_result() -> None:
    call = {"role": "assistant", "toolCalls": [{"id": "a", "name": "look"}]}
    sent = body(
        user(), call, {"role": "tool", "toolCallId": "a", "files": [{"mimeType": "image/png", "url": "https://x"}]}
    )

    assert sent["messages"][-1]["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": "a",
            "content": [{"type": "image", "source": {"type": "url", "url": "https://x"}}],
        }
    ]


def test_ids_that_differ_only_in_foreign_characters_stay_apart() -> None:
    calls = [{"id": "a.1", "name": "look"}, {"id": "a:1", "name": "look"}]
    results = [
        {"role": "tool", "toolCallId": "a:1", "content": "2"},
        {"role": "tool", "toolCallId": "a.1", "content": "1"},
    ]
    sent = body(user(), {"role": "assistant", "toolCalls": calls}, *results)["messages"]

    first, second = (block["id"] for block in sent[1]["content"])
    assert first != second
    assert [block["tool_use_id"] for block in sent[2]["content"]] == [second, first]


class TestReplay:
    def blocks(self, extras: list[Any], content: str = "First.Second.") -> Any:
        message = {"role": "assistant", "content": content, "toolCalls": CALLS}
        sent = body(
            user(), {**message, "providerExtras": {"anthropic_messages": extras, "gemini_generate": {}}}, user()
        )
        return [block.get("text") or block.get("id") or block["type"] for block in sent["messages"][1]["content"]]

    def test_reasoning_comes_before_text_and_calls(self) -> None:
        assert self.blocks([THOUGHT, HIDDEN]) == ["thinking", "redacted_thinking", "First.Second.", "a", "b"]

    def test_reasoning_returns_to_its_place(self) -> None:
        extras = [{"type": "text", "length": 6}, THOUGHT, {"type": "tool_use"}, HIDDEN]

        assert self.blocks(extras) == ["First.", "thinking", "a", "redacted_thinking", "Second.", "b"]

    def test_notes_of_text_that_is_gone_run_out(self) -> None:
        assert self.blocks([{"type": "text", "length": 99}, THOUGHT], "") == ["thinking", "a", "b"]

    @pytest.mark.parametrize("extras", ["x", ["x"], [{"type": "text", "length": -1}], [{"type": "thinking"}]])
    def test_what_no_answer_carried_is_refused(self, extras: Any) -> None:
        with pytest.raises(InvalidRequest, match=r"^messages\[1\]\.providerExtras\.anthropic_messages: "):
            self.blocks(extras)
