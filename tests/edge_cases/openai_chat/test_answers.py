"""The nasty answers of Chat Completions' many vendors: one named fixture each, and what it comes to however split.

The number in a fixture's name groups what belongs together (02: how a stream ends, 09: errors in a stream, …).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from keyway.events import FinishReason, ToolCall, Usage
from keyway.wire import openai_chat as wire
from tests.conformance.feeding import Outcome, outcome_however_split
from tests.conformance.openai_chat.dialects import DIALECTS

FOLDER = Path(__file__).parent / "answers"
PLAIN = Usage(input=10, output=7)


def read(name: str, provider: str = "openai") -> Outcome:
    body = (FOLDER / name).read_bytes()
    dialect = wire.dialect(DIALECTS[provider])
    return outcome_however_split(lambda: wire.decoder(dialect, provider=provider, structured=True), body)


def say(text: str, reason: FinishReason = "stop", usage: Usage | None = PLAIN, thinking: str = ""):
    return (text, thinking, (), reason, usage)


def do(*calls: ToolCall, reason: FinishReason = "tool_calls"):
    return ("", "", calls, reason, PLAIN)


PARIS = ToolCall("call_a", "look", {"city": "Paris"})
NOW = ToolCall("call_b", "now", {})
WHOLE_ANSWERS = {
    "01_usage_chunk_without_choices.sse": ("azure", say("Hi.")),
    "02_done_is_missing.sse": ("litellm", say("Hi.")),
    "03_crlf_and_no_last_blank_line.sse": ("openai", say("Grüße")),
    "04_comments_between_the_text.sse": ("openrouter", say("Hi.")),
    "05_blank_lines_before_a_document.json": ("deepseek", say("Hi.")),
    "06_whole_answer_as_one_chunk.sse": ("litellm", say("Hi.")),
    "06_document_for_a_stream.json": ("litellm", say("Hi.")),
    "14_content_null_absent_and_a_list.sse": ("vllm", say("Hi.")),
    "15_the_same_reasoning_in_two_fields.sse": ("litellm", say("Four.", thinking="Hm.")),
    "15_reasoning_details_alone.sse": ("openrouter", say("Four.", thinking="Hm.")),
    "15_think_tags.sse": ("vllm", say("Four. <think> is a tag.", thinking="Hm.")),
    "15_think_tag_never_closed.json": ("vllm", say("", "length", thinking="Let me see, and see")),
    "19_refusal.sse": ("openai", say("I cannot help.", "content_filter")),
    "19_refusal.json": ("openai", say("I cannot help.", "content_filter")),
    "19_filtered_completion.sse": ("azure", say("Well", "content_filter")),
    "20_length_inside_arguments.sse": (
        "openai",
        do(
            ToolCall("call_a", "look", {"city": "Rome"}),
            ToolCall("call_b", "look", {}, '{"city":"Par'),
            reason="length",
        ),
    ),
    "20_length_before_arguments.sse": ("openai", do(ToolCall("call_a", "look", {}, ""), reason="length")),
    "20_reasoning_used_every_token.sse": (
        "groq",
        say("", "length", Usage(10, 4096, reasoning=4096), thinking="Let me see"),
    ),
    "20_model_length.sse": ("mistral", say("So", "length")),
    "20_insufficient_system_resource.sse": ("deepseek", say("So", "error")),
    "21_arguments_split_anywhere.sse": (
        "openai",
        do(ToolCall("call_a", "write", {"text": 'a"bé 👋', "n": [1, 2]})),
    ),
    "21_arguments_as_an_object.json": ("mistral", do(PARIS)),
    "21_arguments_encoded_twice.json": ("vllm", do(PARIS)),
    "21_arguments_after_an_empty_object.sse": ("vllm", do(PARIS)),
    "21_arguments_empty_null_or_absent.json": (
        "vllm",
        do(*(ToolCall(call_id, "now", {}) for call_id in ("call_a", "call_b", "call_c"))),
    ),
    "21_arguments_that_are_no_object.json": (
        "vllm",
        do(
            ToolCall("call_a", "look", {}, "[1]"),
            ToolCall("call_b", "look", {}, '{"a":1}{"a":2}'),
            ToolCall("call_c", "look", {}, '{"n":NaN}'),
        ),
    ),
    "22_index_missing_id_on_every_fragment.sse": ("litellm", do(PARIS, NOW)),
    "22_index_missing_id_on_the_first.sse": ("litellm", do(PARIS, NOW)),
    "22_name_and_id_repeated_on_every_fragment.sse": ("litellm", do(PARIS)),
    "22_name_in_two_fragments.sse": ("litellm", do(PARIS)),
    "23_stop_although_tools_are_called.sse": ("ollama", do(ToolCall("call_a", "now", {}))),
    "23_blank_reason_although_tools_are_called.sse": ("ollama", do(ToolCall("call_a", "now", {}))),
    "23_no_reason_although_tools_are_called.sse": ("ollama", do(ToolCall("call_a", "now", {}))),
    "23_tool_calls_with_an_empty_list.sse": ("vllm", say("Hi.")),
    "23_blank_reason_of_old_ollama.sse": ("ollama", say("Hi.")),
    "23_reason_nobody_knows.sse": ("openrouter", say("Hi.")),
    "26_usage_null.sse": ("fireworks", say("Hi.", usage=None)),
    "26_usage_absent.json": ("baseten", say("Hi.", usage=None)),
    "26_usage_of_zeros.sse": ("litellm", say("Hi.", usage=None)),
    "26_usage_on_every_chunk.sse": ("vllm", say("Hi.", usage=Usage(10, 3))),
    "26_reasoning_beside_output_at_an_unknown_host.json": ("vllm", say("Hi.", usage=Usage(10, 27, reasoning=20))),
    "26_reasoning_inside_output_at_xai.json": ("xai", say("Hi.", usage=Usage(10, 27, reasoning=20))),
    "30_fenced_json.sse": ("deepseek", say('{"a": "`b`"}')),
    "31_obfuscation_and_unknown_fields.sse": ("openai", say("Hi.")),
}
"""Who sends it; text, thinking, calls, finish reason and usage of each answer that ends well."""

NO_IDS = {
    "22_index_and_id_missing.sse": [("look", {"city": "Paris"}), ("now", {}), ("now", {})],
    "22_every_index_0_and_no_id.sse": [("look", {"city": "Paris"}), ("now", {})],
    "22_function_call_of_old.sse": [("look", {"city": "Paris"})],
    "22_same_id_twice.sse": [("look", {"city": "Paris"}), ("now", {})],
}
"""Answers whose calls need ids of our making."""

FAILURES = {
    "02_done_with_nothing_before_it.sse": ("ProviderProtocolError", None, "", "without saying why it stopped"),
    "02_done_after_text_without_a_reason.sse": ("ProviderProtocolError", None, "Once upon a", "cut short"),
    "02_cut_off_in_the_text.sse": ("ProviderProtocolError", None, "Once upon a", "before the answer was finished"),
    "07_html_page.json": ("ProviderProtocolError", None, "", "502 Bad Gateway"),
    "07_empty_body.json": ("ProviderProtocolError", None, "", "an empty body"),
    "08_error_document_numeric_code.json": ("RateLimited", 429, "", "slow down please"),
    "08_error_document_string.json": ("ProviderUnavailable", 500, "", "model runner has stopped"),
    "08_error_document_flat.json": ("ProviderRejected", 400, "", "too long"),
    "08_error_document_detail.json": ("ProviderUnavailable", 500, "", "body.messages: field required"),
    "08_error_document_in_a_choice.json": ("ProviderUnavailable", 502, "", "upstream died"),
    "09_error_then_done.sse": ("ProviderUnavailable", 500, "Once", "worker died"),
    "09_error_event.sse": ("ProviderRejected", 400, "Once", "bad call"),
    "09_error_event_flat.sse": ("ProviderUnavailable", 503, "Once", "overloaded"),
    "09_error_beside_choices.sse": ("ProviderUnavailable", 502, "Once", "Provider disconnected"),
    "09_error_in_a_choice.sse": ("RateLimited", 429, "Once", "rate limit"),
    "09_error_in_x_groq.sse": ("ProviderUnavailable", 500, "Once", "internal failure"),
    "09_error_with_status_code.sse": ("RateLimited", 429, "Once", "too many"),
    "09_error_as_text.sse": ("ProviderUnavailable", 500, "Once", "an error was encountered"),
    "09_finish_reason_error.sse": ("ProviderUnavailable", 500, "Once", "broken off"),
    "22_call_without_a_name.sse": ("ProviderProtocolError", None, "", "without naming it"),
    "23_no_reason_and_half_a_call.sse": ("ProviderProtocolError", None, "", "without saying why it stopped"),
}
"""Error, the status it stands for, the text that came before it, and the words that explain it."""


def test_every_fixture_is_used():
    assert {path.name for path in FOLDER.iterdir()} == {*WHOLE_ANSWERS, *NO_IDS, *FAILURES}


@pytest.mark.parametrize("name", WHOLE_ANSWERS)
def test_a_whole_answer(name: str):
    provider, expected = WHOLE_ANSWERS[name]
    outcome = read(name, provider)

    finished = outcome.finished
    assert expected == (outcome.text, outcome.thinking, outcome.calls, finished.finish_reason, finished.usage)
    assert sorted((c.id, c.name) for c in outcome.calls) == sorted((s.id, s.name) for s in outcome.started)
    assert finished.response_id == "chat_1"


@pytest.mark.parametrize("name", NO_IDS)
def test_calls_without_ids_of_their_own_get_ids_that_differ_and_stay(name: str):
    outcome = read(name, "ollama")

    assert [(call.name, call.arguments) for call in outcome.calls] == NO_IDS[name]
    assert [(call.id, call.name) for call in outcome.calls] == [(start.id, start.name) for start in outcome.started]
    ids = [call.id for call in outcome.calls]
    assert len(set(ids)) == len(ids)
    assert all(call_id.startswith("call_") for call_id in ids)
    assert outcome.finished.finish_reason == "tool_calls"
    assert ids == [call.id for call in read(name, "ollama").calls]


def test_a_made_up_id_does_not_return_in_the_next_round():
    first = (FOLDER / "22_every_index_0_and_no_id.sse").read_bytes()
    rounds = [
        outcome_however_split(lambda: wire.decoder(wire.dialect({}), provider="ollama"), body)
        for body in (first, first.replace(b"chat_1", b"chat_2"))
    ]

    assert not {call.id for call in rounds[0].calls} & {call.id for call in rounds[1].calls}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_in_the_answer(name: str):
    outcome = read(name)

    error, status, text, said = FAILURES[name]
    assert outcome.error is not None
    assert (outcome.error[0], outcome.error[2]) == (error, status)
    assert said in outcome.error[1]
    assert outcome.text == text
    assert not outcome.calls


def test_what_a_broken_stream_had_cost_stays_readable():
    assert read("09_error_beside_choices.sse", "openrouter").usage == PLAIN
    assert read("08_error_document_in_a_choice.json", "openrouter").usage == PLAIN


@pytest.mark.parametrize("provider", sorted(set(DIALECTS) - {"deepseek", "ollama", "ollama-cloud", "vllm", "litellm"}))
def test_a_fence_stays_where_the_dialect_does_not_say_otherwise(provider: str):
    assert read("30_fenced_json.sse", provider).text == '```json\n{"a": "`b`"}\n```\n'


@pytest.mark.parametrize("provider", ["openai", "azure", "xai", "mistral", "openrouter", "deepseek"])
def test_think_tags_are_text_where_the_dialect_does_not_say_otherwise(provider: str):
    outcome = read("15_think_tags.sse", provider)

    assert outcome.text == "<think>\nHm.</think>\n\nFour. <think> is a tag."
    assert outcome.thinking == ""
