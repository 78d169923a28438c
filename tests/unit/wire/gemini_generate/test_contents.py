"""The conversation as turns, and thought signatures back in their places."""

from __future__ import annotations

from typing import Any

import pytest

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.errors import InvalidRequest
from keyway.events import TurnFinished
from keyway.wire import gemini_generate as wire

UNKNOWN = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
PNG = {"mimeType": "image/png", "data": "AA=="}
WAV = {"mimeType": "audio/wav; rate=8000", "data": "AQ=="}


def call(call_id: str, name: str = "look", **arguments: object) -> dict[str, Any]:
    return {"id": call_id, "name": name, "arguments": arguments}


def asks(*calls: dict[str, Any], content: str | None = None, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "toolCalls": calls, **more}


def answers(call_id: str, content: str = "{}", **more: Any) -> dict[str, Any]:
    return {"role": "tool", "toolCallId": call_id, "content": content, **more}


def user(content: str, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


def sent(messages: list[dict[str, Any]], name: str = "gemini-2.5-flash", provider: str = "google", **asked: Any) -> Any:
    request = ChatRequest.model_validate({"provider": provider, "model": name, "messages": messages, **asked})
    return wire.encode(request, Model(id=name, provider=provider, sent_as=name), wire.dialect({})).body


def turns(messages: list[dict[str, Any]], name: str = "gemini-2.5-flash", **asked: Any) -> list[tuple[str, list[Any]]]:
    return [(turn["role"], turn["parts"]) for turn in sent(messages, name, **asked)["contents"]]


def test_neighbours_of_one_role_are_one_turn() -> None:
    messages = [user("A"), user("B"), asks(content="C"), asks(content="D"), user("E")]

    assert turns(messages, context="Before.") == [
        ("user", [{"text": "Before."}, {"text": "A"}, {"text": "B"}]),
        ("model", [{"text": "C"}, {"text": "D"}]),
        ("user", [{"text": "E"}]),
    ]


def test_the_results_of_one_round_are_one_turn_of_the_user_with_the_calls_names() -> None:
    messages = [
        user("Go"),
        asks(call("c1", city="Paris"), call("c2", "now")),
        answers("c1", '{"sky": "blue"}'),
        answers("c2", "12:00"),
        user("And?"),
    ]

    assert turns(messages) == [
        ("user", [{"text": "Go"}]),
        (
            "model",
            [
                {"functionCall": {"id": "c1", "name": "look", "args": {"city": "Paris"}}},
                {"functionCall": {"id": "c2", "name": "now", "args": {}}},
            ],
        ),
        (
            "user",
            [
                {"functionResponse": {"id": "c1", "name": "look", "response": {"sky": "blue"}}},
                {"functionResponse": {"id": "c2", "name": "now", "response": {"value": "12:00"}}},
            ],
        ),
        ("user", [{"text": "And?"}]),
    ]


@pytest.mark.parametrize(
    ("content", "response"),
    [
        ('{"a": 1}', {"a": 1}),
        ("[1, 2]", {"value": [1, 2]}),
        ('{"score": NaN}', {"value": '{"score": NaN}'}),
        ('{"score": 1e999}', {"value": '{"score": 1e999}'}),
        ("[" * 101 + "]" * 101, {"value": "[" * 101 + "]" * 101}),
        ("null", {"value": None}),
        ("7", {"value": 7}),
        ('"x"', {"value": "x"}),
        ("plain words", {"value": "plain words"}),
        ("", {}),
    ],
)
def test_a_result_that_is_no_object_is_wrapped_in_one(content: str, response: dict[str, Any]) -> None:
    found = turns([user("Go"), asks(call("c1")), answers("c1", content)])

    assert found[-1][1][0]["functionResponse"]["response"] == response


def test_an_id_used_again_means_the_latest_call() -> None:
    messages = [user("Go"), asks(call("c")), answers("c"), asks(call("c", "now")), answers("c")]

    assert turns(messages)[-1][1][0]["functionResponse"]["name"] == "now"


def test_a_result_without_a_call_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match=r"messages\[1\]\.toolCallId: 'c9'"):
        sent([user("Go"), answers("c9")])


def test_files_of_any_type_travel_inline_or_by_url() -> None:
    video = {"mimeType": "video/mp4", "url": "https://example.com/a.mp4"}

    assert turns([user("See", files=[PNG, WAV, video])]) == [
        (
            "user",
            [
                {"text": "See"},
                {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
                {"inlineData": {"mimeType": "audio/wav", "data": "AQ=="}},
                {"fileData": {"mimeType": "video/mp4", "fileUri": "https://example.com/a.mp4"}},
            ],
        )
    ]


def test_files_of_a_result_go_inside_it_or_after_the_last_result() -> None:
    messages = [user("Go"), asks(call("c1"), call("c2")), answers("c1", files=[PNG, WAV]), answers("c2")]
    image, sound = ({"inlineData": {"mimeType": kind, "data": data}} for kind, data in
                    (("image/png", "AA=="), ("audio/wav", "AQ==")))  # fmt: skip

    older, newer = turns(messages), turns(messages, "gemini-3-flash-preview")

    assert older[-1] == ("user", [image, sound])
    assert newer[-1] == ("user", [sound])
    assert newer[-2][1][0]["functionResponse"]["parts"] == [image]
    assert [part["functionResponse"]["id"] for part in older[-2][1]] == ["c1", "c2"]


def test_files_of_a_result_come_before_what_the_user_says_next() -> None:
    messages = [user("Go"), asks(call("c1")), answers("c1", files=[WAV]), user("And?")]

    assert turns(messages)[-1] == (
        "user",
        [{"inlineData": {"mimeType": "audio/wav", "data": "AQ=="}}, {"text": "And?"}],
    )


def test_system_messages_at_the_start_join_the_prompt_and_later_ones_stay_in_place() -> None:
    system = {"role": "system", "content": "Rules."}
    body = sent([system, user("A"), {"role": "system", "content": "More."}], systemPrompt="Prompt.")

    assert body["systemInstruction"] == {"parts": [{"text": "Prompt.\n\nRules."}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "A"}, {"text": "<system>\nMore.\n</system>"}]}]


def test_a_system_message_with_a_file_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match=r"messages\[0\]\.files"):
        sent([{"role": "system", "content": "See", "files": [PNG]}])


def test_a_conversation_always_has_a_first_turn_of_the_user() -> None:
    assert turns([asks(content="Yes?")])[0] == ("user", [{"text": "Hello"}])
    assert sent([], systemPrompt="Tell me a joke.") == {
        "contents": [{"role": "user", "parts": [{"text": "Tell me a joke."}]}]
    }
    with pytest.raises(InvalidRequest, match="messages"):
        sent([user("")])


def extras(*parts: dict[str, Any], model: str = "gemini-3-flash-preview", provider: str = "google") -> dict[str, Any]:
    return {"gemini_generate": {"provider": provider, "model": model, "parts": list(parts)}}


SIGNED = asks(
    call("c1"),
    call("c2"),
    content="Let me look. Well.",
    providerExtras=extras(
        {"type": "thought", "text": "Hm.", "thoughtSignature": "s0"},
        {"type": "text", "length": 4},
        {"type": "text", "length": 8, "thoughtSignature": "s1"},
        {"type": "functionCall", "id": "c1", "thoughtSignature": "s2"},
        {"type": "text", "length": 0, "thoughtSignature": "s3"},
    ),
)


def test_signatures_return_on_the_parts_they_came_on() -> None:
    assert turns([user("Go"), SIGNED], "gemini-3-flash-preview")[1][1] == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "s0"},
        {"text": "Let "},
        {"text": "me look.", "thoughtSignature": "s1"},
        {"functionCall": {"id": "c1", "name": "look", "args": {}}, "thoughtSignature": "s2"},
        {"text": "", "thoughtSignature": "s3"},
        {"text": " Well."},
        {"functionCall": {"id": "c2", "name": "look", "args": {}}},
    ]


@pytest.mark.parametrize(
    ("name", "provider", "signature"),
    [
        ("gemini-3.1-pro-preview", "google", UNKNOWN),
        ("gemini-3-flash-preview", "vertex", UNKNOWN),
        ("gemini-flash-latest", "google", "s2"),
        ("gemini-2.5-flash", "google", None),
    ],
)
def test_signatures_of_another_model_or_host_are_not_sent(name: str, provider: str, signature: str | None) -> None:
    parts = sent([user("Go"), SIGNED], name, provider)["contents"][1]["parts"]

    calls = [part for part in parts if "functionCall" in part]
    assert [part.get("thoughtSignature") for part in calls] == [signature, None]
    assert "".join(part.get("text", "") for part in parts if not part.get("thought")) == "Let me look. Well."


def test_a_foreign_tool_turn_gets_a_signature_that_gemini_3_lets_pass() -> None:
    messages = [user("Go"), asks(call("toolu_1"), call("toolu_2"), content="So."), answers("toolu_1")]

    assert turns(messages, "gemini-3-flash-preview")[1][1] == [
        {"text": "So."},
        {"functionCall": {"id": "toolu_1", "name": "look", "args": {}}, "thoughtSignature": UNKNOWN},
        {"functionCall": {"id": "toolu_2", "name": "look", "args": {}}},
    ]
    assert all("thoughtSignature" not in part for _, parts in turns(messages) for part in parts)


def test_notes_that_name_a_dropped_call_or_longer_text_run_out() -> None:
    shortened = {**SIGNED, "content": "Let", "toolCalls": [call("c2")]}

    assert turns([user("Go"), shortened], "gemini-3-flash-preview")[1][1] == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "s0"},
        {"text": "Let"},
        {"text": "", "thoughtSignature": "s1"},
        {"text": "", "thoughtSignature": "s3"},
        {"functionCall": {"id": "c2", "name": "look", "args": {}}, "thoughtSignature": UNKNOWN},
    ]


@pytest.mark.parametrize(
    "kept",
    [
        [],
        {"parts": []},
        {"provider": "google", "model": "gemini-3-flash-preview", "parts": ["x"]},
        {"provider": "google", "model": "gemini-3-flash-preview", "parts": [{"type": "text", "length": -1}]},
        {"provider": "google", "model": "gemini-3-flash-preview", "parts": [{"type": "thought", "text": "unsigned"}]},
        {"provider": "google", "model": "gemini-3-flash-preview", "parts": [{"type": "inlineData"}]},
    ],
)
def test_notes_that_are_not_ours_are_refused_by_name(kept: object) -> None:
    message = asks(content="So.", providerExtras={"gemini_generate": kept})

    with pytest.raises(InvalidRequest, match=r"messages\[1\]\.providerExtras\.gemini_generate"):
        sent([user("Go"), message], "gemini-3-flash-preview")


def test_another_wires_notes_are_left_alone() -> None:
    message = asks(content="So.", providerExtras={"anthropic_messages": [{"type": "thinking"}]})

    assert turns([user("Go"), message], "gemini-3-flash-preview")[1] == ("model", [{"text": "So."}])


def test_what_an_answer_carried_goes_back_as_it_came() -> None:
    model_turn = (
        b'{"candidates": [{"content": {"parts": ['
        b'{"text": "Let me look.", "thoughtSignature": "c2lnMQ=="},'
        b' {"functionCall": {"name": "look", "args": {"n": 1}}, "thoughtSignature": "c2lnMg=="},'
        b' {"functionCall": {"name": "look", "args": {"n": 2}}}]},'
        b' "finishReason": "STOP"}], "modelVersion": "gemini-3-flash-preview", "responseId": "r"}'
    )
    decoder = wire.decoder(wire.dialect({}), provider="google")
    events = [*decoder.feed(model_turn), *decoder.end()]
    finished = events[-1]
    assert isinstance(finished, TurnFinished)
    calls = [call("call_r_0", n=1), call("call_r_1", n=2)]
    message = asks(*calls, content="Let me look.", providerExtras=dict(finished.extras))

    assert turns([user("Go"), message], "gemini-3-flash-preview")[1][1] == [
        {"text": "Let me look.", "thoughtSignature": "c2lnMQ=="},
        {"functionCall": {"id": "call_r_0", "name": "look", "args": {"n": 1}}, "thoughtSignature": "c2lnMg=="},
        {"functionCall": {"id": "call_r_1", "name": "look", "args": {"n": 2}}},
    ]
