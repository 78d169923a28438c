"""Tags and fences come off the start of a text however it is split, and nothing else is ever lost or changed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.wire.openai_chat.prose import Fence, ThinkTags

PIECES = st.sampled_from(
    ["<think>", "</think>", "<", "think", ">", "```", "`", "json", "{", "}", '"a": 1', "\n", " ", "text", "[1]", "\r\n"]
)
TEXTS = st.lists(PIECES, max_size=10).map("".join)


def split(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:stop] for start, stop in pairwise(edges)]


def without_fence(pieces: list[str]) -> str:
    fence = Fence()
    return "".join([*(fence.feed(piece) for piece in pieces), fence.end()])


def without_tags(pieces: list[str]) -> tuple[str, str]:
    tags = ThinkTags()
    told = [*(tags.feed(piece) for piece in pieces), tags.end()]
    return "".join(thought for thought, _ in told), "".join(said for _, said in told)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('\n ```JSON\r\n{"a": 1}\r\n```\n\n', '{"a": 1}'),
        ("```\n[1, 2]\n```", "[1, 2]"),
        ('```json{"a": 1}```', '{"a": 1}'),
        ('```json\n{"a": 1}\n', '{"a": 1}\n'),
        ('```json\n{"a": 1}\n```\nThat is all.', '{"a": 1}\nThat is all.'),
        ('```json\n{"a": "```py\\n```"}\n```', '{"a": "```py\\n```"}'),
        ('{"a": 1}', '{"a": 1}'),
        ("```python\nprint()\n```", "```python\nprint()\n```"),
        ("See:\n```json\n{}\n```", "See:\n```json\n{}\n```"),
        ("```json\n", "```json\n"),
        ("``", "``"),
        ("  ", "  "),
        ("", ""),
    ],
)
def test_a_fence_around_json(text: str, left: str):
    assert without_fence([text]) == left
    assert without_fence(list(text)) == left


@pytest.mark.parametrize(
    ("text", "thought", "said"),
    [
        ("<think>\nHm.\n</think>\n\nFour.", "Hm.\n", "Four."),
        ("\n<think>Hm.</think>Four.", "Hm.", "Four."),
        ("<think>\n\n</think>\n\nFour.", "", "Four."),
        ("<think>Hm.</thin", "Hm.</thin", ""),
        ("<think>a<b</think>c</think>", "a<b", "c</think>"),
        ("Four. <think>no</think>", "", "Four. <think>no</think>"),
        ("<thin", "", "<thin"),
        (" Four.", "", " Four."),
        ("", "", ""),
    ],
)
def test_reasoning_in_tags(text: str, thought: str, said: str):
    assert without_tags([text]) == (thought, said)
    assert without_tags(list(text)) == (thought, said)


@given(TEXTS, st.lists(st.integers(0, 100), max_size=6))
def test_the_split_does_not_matter(text: str, cuts: list[int]):
    pieces = split(text, cuts)

    assert without_tags(pieces) == without_tags([text])
    assert without_fence(pieces) == without_fence([text])


@given(TEXTS)
def test_a_text_that_begins_with_neither_is_left_alone(text: str):
    text = f"x{text}"

    assert without_tags(list(text)) == ("", text)
    assert without_fence(list(text)) == text


@given(TEXTS)
def test_nothing_but_the_marks_and_blank_space_is_taken(text: str):
    told, kept = "".join(without_tags([text])), without_fence([text])

    for piece in ('"a"', "text", "[1]", "{", "}"):
        assert told.count(piece) == kept.count(piece) == text.count(piece)
