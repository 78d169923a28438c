"""How a conversation becomes turns that the Converse API accepts."""

from __future__ import annotations

from typing import Any

import pytest

from keyway.errors import InvalidRequest
from tests.unit.wire.bedrock_converse.asking import LOOK, USER, body, turns

PNG = {"name": "dot.png", "mimeType": "image/png", "data": "AQI="}
PDF = {"name": "Report (2) für März.pdf", "mimeType": "application/pdf", "data": "AQI="}


def calls(*ids: str, name: str = "look") -> dict[str, Any]:
    return {"role": "assistant", "content": "", "toolCalls": [{"id": i, "name": name} for i in ids]}


def result(call: str, content: str = "Sun.", **more: Any) -> dict[str, Any]:
    return {"role": "tool", "toolCallId": call, "content": content, **more}


def test_neighbours_of_one_role_are_one_turn() -> None:
    assert turns(USER, {"role": "user", "content": "There"}) == [
        {"role": "user", "content": [{"text": "Hi"}, {"text": "There"}]}
    ]


def test_a_conversation_begins_with_the_user() -> None:
    found = turns({"role": "assistant", "content": "Hi."}, USER)
    assert [turn["role"] for turn in found] == ["user", "assistant", "user"]


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_blank_text_is_never_sent(blank: str) -> None:
    said = {"role": "assistant", "content": blank, "toolCalls": [{"id": "1", "name": "look"}]}
    assert turns({**USER, "files": [PNG]}, said, result("1"), {"role": "user", "content": blank}, tools=[LOOK]) == [
        {"role": "user", "content": [{"text": "Hi"}, {"image": {"format": "png", "source": {"bytes": "AQI="}}}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "1", "name": "look", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "content": [{"text": "Sun."}]}}]},
    ]


def test_a_conversation_of_blank_texts_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="nothing but white space"):
        turns({"role": "user", "content": " "})


def test_only_a_system_prompt_is_said_by_the_user() -> None:
    assert body(messages=[], systemPrompt="Greet.") == {"messages": [{"role": "user", "content": [{"text": "Greet."}]}]}


def test_a_system_message_further_on_stays_in_its_place() -> None:
    assert turns(USER, {"role": "system", "content": "Be brief."})[0]["content"][1] == {
        "text": "<system>\nBe brief.\n</system>"
    }


def test_all_results_of_a_turn_stand_first_in_one_turn() -> None:
    found = turns(USER, calls("a", "b"), result("a"), {"role": "user", "content": "And?"}, result("b"), tools=[LOOK])
    assert [turn["role"] for turn in found] == ["user", "assistant", "user"]
    kinds = [next(iter(block)) for block in found[2]["content"]]
    assert kinds == ["toolResult", "toolResult", "text"]


def test_a_result_without_words_says_so() -> None:
    [*_, last] = turns(USER, calls("a"), result("a", ""), tools=[LOOK])
    assert last["content"][0]["toolResult"]["content"] == [{"text": "(no output)"}]


def test_a_file_of_a_tool_stands_in_its_result() -> None:
    [*_, last] = turns(USER, calls("a"), result("a", "", files=[PNG]), tools=[LOOK])
    assert last["content"] == [
        {"toolResult": {"toolUseId": "a", "content": [{"image": {"format": "png", "source": {"bytes": "AQI="}}}]}}
    ]


def ids(*messages: dict[str, Any]) -> list[str]:
    found = turns(USER, *messages, tools=[LOOK])
    blocks = [block for turn in found for block in turn["content"]]
    uses = [block["toolUse"]["toolUseId"] for block in blocks if "toolUse" in block]
    answers = [block["toolResult"]["toolUseId"] for block in blocks if "toolResult" in block]
    assert uses == answers
    return uses


def test_an_acceptable_id_stays_as_it_is() -> None:
    assert ids(calls("tooluse_1.a:b-c"), result("tooluse_1.a:b-c")) == ["tooluse_1.a:b-c"]


def test_other_ids_are_mapped_and_mapped_alike_every_time() -> None:
    strange = ["a/b", "a|b", "ü", "x" * 65]
    found = ids(*(m for i in strange for m in (calls(i), result(i))))
    assert found == ids(*(m for i in strange for m in (calls(i), result(i))))
    assert len(set(found)) == 4
    for sent in found:
        assert len(sent) <= 64
        assert set(sent) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-")


def test_an_id_that_comes_again_is_told_apart() -> None:
    first, second = ids(calls("call_0"), result("call_0"), calls("call_0"), result("call_0"))
    assert first == "call_0"
    assert second != first


def test_a_name_from_elsewhere_is_made_acceptable() -> None:
    [_, turn, _] = turns(USER, calls("1", name="functions.look"), result("1"), tools=[LOOK])
    assert turn["content"][0]["toolUse"]["name"].startswith("functions_look_")


@pytest.mark.parametrize("tools", [[], [{**LOOK, "usageControl": "none"}]])
def test_without_tools_the_calls_of_the_past_are_told_in_words(tools: list[Any]) -> None:
    said = {
        "role": "assistant",
        "content": "Wait.",
        "toolCalls": [{"id": "1", "name": "look", "arguments": {"n": "é"}}],
    }
    asked = body(messages=[USER, said, result("1"), result("2", "")], tools=tools)
    assert "toolConfig" not in asked
    assert asked["messages"][1:] == [
        {"role": "assistant", "content": [{"text": "Wait."}, {"text": '[called look with {"n": "é"}]'}]},
        {
            "role": "user",
            "content": [
                {"text": "[result of look:]"},
                {"text": "Sun."},
                {"text": "[result of the tool:]"},
                {"text": "(no output)"},
            ],
        },
    ]


REASONING = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}}
HIDDEN = {"reasoningContent": {"redactedContent": "AQI="}}


def test_reasoning_comes_back_unchanged_in_its_place() -> None:
    said = {
        **calls("1", "2"),
        "content": "First.Then.",
        "providerExtras": {"bedrock_converse": [REASONING, {"text": 6}, HIDDEN, {"toolUse": 1}, REASONING]},
    }
    [_, turn, _] = turns(USER, said, result("1"), result("2"), tools=[LOOK])
    one, two = ({"toolUse": {"toolUseId": i, "name": "look", "input": {}}} for i in "12")
    assert turn["content"] == [REASONING, {"text": "First."}, HIDDEN, one, REASONING, {"text": "Then."}, two]


def test_the_extras_of_other_wires_are_left_alone() -> None:
    said = {"role": "assistant", "content": "Ok.", "providerExtras": {"anthropic_messages": [1]}}
    assert turns(USER, said, USER)[1]["content"] == [{"text": "Ok."}]


@pytest.mark.parametrize("extras", [{}, "x", [1], [{"text": -1}], [{"reasoningContent": {"reasoningText": {}}}]])
def test_extras_that_were_changed_are_refused(extras: Any) -> None:
    said = {"role": "assistant", "content": "Ok.", "providerExtras": {"bedrock_converse": extras}}
    with pytest.raises(InvalidRequest, match=r"^messages\[1\]\.providerExtras\.bedrock_converse"):
        turns(USER, said)


def test_an_answer_begun_by_the_caller_does_not_end_in_white_space() -> None:
    assert turns(USER, {"role": "assistant", "content": "{ \n"})[1]["content"] == [{"text": "{"}]


def test_a_document_has_a_plain_name_and_text_beside_it() -> None:
    [turn] = turns({"role": "user", "files": [PDF, PDF, {**PDF, "name": "…"}]})
    assert [block["document"]["name"] for block in turn["content"][:3]] == [
        "Report (2) f r M rz pdf",
        "Report (2) f r M rz pdf (2)",
        "document",
    ]
    assert turn["content"][3:] == [{"text": "See the attached document."}]


def test_a_document_with_text_needs_no_more() -> None:
    [turn] = turns({**USER, "files": [PDF]})
    assert [next(iter(block)) for block in turn["content"]] == ["text", "document"]


@pytest.mark.parametrize(
    ("mime_type", "kind", "sent"),
    [
        ("image/jpg", "image", "jpeg"),
        ("IMAGE/WEBP", "image", "webp"),
        ("text/csv; charset=utf-8", "document", "csv"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", "docx"),
        ("application/vnd.ms-excel", "document", "xls"),
        ("text/markdown", "document", "md"),
        ("video/quicktime", "video", "mov"),
        ("video/3gpp", "video", "three_gp"),
    ],
)
def test_the_format_follows_from_the_media_type(mime_type: str, kind: str, sent: str) -> None:
    [turn] = turns({**USER, "files": [{**PNG, "mimeType": mime_type}]})
    assert turn["content"][1][kind]["format"] == sent


def test_a_file_in_s3_is_named() -> None:
    [turn] = turns({**USER, "files": [{"mimeType": "video/mp4", "url": "s3://bucket/film.mp4"}]})
    assert turn["content"][1]["video"]["source"] == {"s3Location": {"uri": "s3://bucket/film.mp4"}}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"mimeType": "audio/wav", "data": "AQI="}, "a file of type 'audio/wav' cannot be sent"),
        ({"mimeType": "image/png", "url": "https://example.com/a.png"}, "cannot fetch a file from the web"),
        ({"mimeType": "image/png", "data": ""}, "data is empty"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_by_its_place(file: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"^messages\[1\]\.files\[1\]: .*{said}"):
        turns(USER, {**USER, "files": [PNG, file]})


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_files_come_from_the_user_and_from_tools_only(role: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^messages\[1\]\.files: "):
        turns(USER, {"role": role, "content": "x", "files": [PNG]})
