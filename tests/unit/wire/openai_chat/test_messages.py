from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.errors import InvalidRequest
from tests.conformance.openai_chat.dialects import DIALECTS
from tests.unit.wire.openai_chat.requests import ASK, body, calling, result

PICTURE = {"name": "a.png", "mimeType": "image/png", "data": "aGk="}
PDF = {"name": "a.pdf", "mimeType": "application/pdf", "data": "aGk="}
SENT_CALL = {"type": "function", "function": {"name": "look", "arguments": '{"city":"Paris"}'}}


def messages(provider: str, *said: dict[str, Any], **settings: Any) -> list[dict[str, Any]]:
    sent = body(provider, *said, **settings)["messages"]
    assert isinstance(sent, list)
    return sent


def test_the_system_prompt_comes_first_and_the_context_is_a_users_turn():
    sent = messages("openai", ASK, {"role": "system", "content": "Be brief."}, systemPrompt="Be kind.", context="Hi.")

    assert sent == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi."},
        {"role": "user", "content": "Where?"},
        {"role": "system", "content": "Be brief."},
    ]


def test_calls_and_their_results():
    assert messages("openai", ASK, calling("call_a"), result("call_a"))[1:] == [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_a", **SENT_CALL}]},
        {"role": "tool", "tool_call_id": "call_a", "content": "Sunny."},
    ]


@pytest.mark.parametrize("provider", DIALECTS)
def test_an_assistants_text_is_a_string_or_null(provider: str):
    history = [ASK, {"role": "assistant", "content": "Hm."}, calling("call_a"), result("call_a")]
    sent = [message["content"] for message in messages(provider, *history) if message["role"] == "assistant"]

    assert sent == ["Hm.", None]


def test_groq_is_told_the_name_of_the_tool_that_answers():
    assert messages("groq", calling("call_a"), result("call_a"))[1]["name"] == "look"
    assert messages("groq", calling("call_a"), {**result("call_a"), "name": "peek"})[1]["name"] == "peek"


def test_a_result_of_no_call_is_refused_by_its_place():
    with pytest.raises(InvalidRequest, match=re.escape("messages[1].toolCallId: 'call_a' answers no call")):
        body("openai", ASK, result("call_a"))


def test_pictures_go_inline_or_by_url():
    by_url = {"mimeType": "image/jpg", "url": "https://example.com/a.jpg"}

    assert messages("xai", {**ASK, "files": [PICTURE, by_url]})[0]["content"] == [
        {"type": "text", "text": "Where?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}},
    ]


@pytest.mark.parametrize("provider", ["openai", "openrouter"])
def test_pdf_goes_to_those_who_read_it(provider: str):
    assert messages(provider, {"role": "user", "files": [PDF]})[0]["content"] == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="}}
    ]


@pytest.mark.parametrize(
    ("provider", "message", "said"),
    [
        ("deepseek", {**ASK, "files": [PICTURE]}, "messages[0].files[0]: this model takes no files"),
        ("cerebras", {**ASK, "files": [PICTURE]}, "messages[0].files[0]: this model takes no files"),
        ("groq", {**ASK, "files": [PDF]}, "messages[0].files[0]: application/pdf cannot be sent"),
        ("openai", {**ASK, "files": [PICTURE, {**PDF, "mimeType": "audio/wav"}]}, "messages[0].files[1]: audio/wav"),
        (
            "ollama",
            {**ASK, "files": [{"mimeType": "image/png", "url": "https://example.com"}]},
            "messages[0].files[0].url: this model does not fetch files",
        ),
        ("openai", {**calling("call_a"), "files": [PICTURE]}, "messages[0].files[0]: only a user message"),
    ],
)
def test_a_file_the_model_does_not_take_is_refused_by_its_place(provider: str, message: dict[str, Any], said: str):
    with pytest.raises(InvalidRequest, match=re.escape(said)):
        body(provider, message)


def test_mistral_gets_an_assistants_turn_between_a_tools_and_a_users():
    history = [ASK, calling("call_a", "call_b"), result("call_a"), result("call_b"), ASK]

    roles = [message["role"] for message in messages("mistral", *history)]
    assert roles == ["user", "assistant", "tool", "tool", "assistant", "user"]
    assert [message["role"] for message in messages("openai", *history)][-2:] == ["tool", "user"]


def test_mistral_is_told_that_the_answer_has_begun():
    begun = {"role": "assistant", "content": "In Par"}

    assert messages("mistral", ASK, begun)[1] == {**begun, "prefix": True}
    assert "prefix" not in messages("mistral", ASK, begun, ASK)[1]
    assert "prefix" not in messages("mistral", ASK, calling("call_a"))[1]
    assert "prefix" not in messages("openai", ASK, begun)[1]


@given(
    st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=5, unique=True).filter(
        lambda ids: not any("\0" in i for i in ids)
    )
)
def test_mistral_gets_nine_letters_or_digits_and_call_and_result_agree(call_ids: list[str]):
    history = [calling(*call_ids), *(result(call_id) for call_id in call_ids)]
    sent = messages("mistral", *history)

    ids = [call["id"] for call in sent[0]["tool_calls"]]
    assert all(re.fullmatch("[A-Za-z0-9]{9}", call_id) for call_id in ids)
    assert len(set(ids)) == len(ids)
    assert [message["tool_call_id"] for message in sent[1:]] == ids
    assert messages("mistral", *history) == sent


def test_an_id_that_mistral_accepts_stays():
    assert messages("mistral", calling("KikbB849t"))[0]["tool_calls"][0]["id"] == "KikbB849t"


def test_openai_gets_no_id_longer_than_40():
    long = "call_" + "x" * 60

    sent = messages("openai", calling(long, "call_a"), result(long))
    assert [call["id"] for call in sent[0]["tool_calls"]][1] == "call_a"
    assert len(sent[0]["tool_calls"][0]["id"]) <= 40
    assert sent[1]["tool_call_id"] == sent[0]["tool_calls"][0]["id"]


def test_deepseek_gets_its_reasoning_back_and_calls_never_without():
    kept = {"openai_chat": {"reasoning_content": "Paris."}}
    sent = messages(
        "deepseek",
        calling("call_a", providerExtras=kept),
        result("call_a"),
        calling("call_b"),
        result("call_b"),
        {"role": "assistant", "content": "Sunny."},
    )

    assert [message.get("reasoning_content") for message in sent] == ["Paris.", None, "", None, None]


@pytest.mark.parametrize("provider", sorted(set(DIALECTS) - {"deepseek"}))
def test_nobody_else_gets_a_field_of_deepseeks(provider: str):
    kept = {"openai_chat": {"reasoning_content": "Paris."}}

    assert "reasoning_content" not in messages(provider, calling("call_a", providerExtras=kept))[0]


def test_openrouter_gets_its_blocks_back_unchanged():
    blocks = [{"type": "reasoning.text", "text": "Two twos.", "signature": "sig-1", "index": 0}]
    kept = {"openai_chat": {"reasoning_details": blocks, "reasoning_content": "Two twos."}}

    sent = messages("openrouter", ASK, {"role": "assistant", "content": "Four.", "providerExtras": kept})
    assert sent[1] == {"role": "assistant", "content": "Four.", "reasoning_details": blocks}


@pytest.mark.parametrize("kept", ["text", {"reasoning_content": 7}, {"reasoning_content": ["text"]}])
def test_extras_that_no_answer_carried_are_refused_by_their_place(kept: object):
    with pytest.raises(InvalidRequest, match=re.escape("messages[1].providerExtras.openai_chat")):
        body("deepseek", ASK, calling("call_a", providerExtras={"openai_chat": kept}))


def test_extras_of_other_wires_are_none_of_our_business():
    kept = {"anthropic_messages": [{"type": "thinking"}]}

    assert messages("deepseek", calling("call_a", providerExtras=kept))[0]["reasoning_content"] == ""
