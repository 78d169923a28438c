"""The names of the pool's keys, and whose turn it is."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.keys.pool import KeyPool, key_names

P = "OPENAI_API_KEY"


NAMES = {
    "nothing": ({}, []),
    "the bare name is never in the pool": ({P: "bare"}, []),
    "probing": ({f"{P}_1": "a", f"{P}_2": "b"}, [1, 2]),
    "probing ends at a gap": ({f"{P}_2": "b", f"{P}_10": "j", f"{P}_1": "a"}, [1, 2]),
    "probing begins at one": ({f"{P}_2": "b"}, []),
    "an empty value does not end it": ({f"{P}_1": "a", f"{P}_2": "", f"{P}_3": "c"}, [1, 3]),
    "a blank value is empty": ({f"{P}_1": "a", f"{P}_2": " \n"}, [1]),
    "only plain numbers from one": ({f"{P}_0": "z", f"{P}_01": "z", f"{P}_1": "a"}, [1]),
    "a count spans gaps": ({f"{P}_COUNT": "3", f"{P}_1": "a", f"{P}_3": "c"}, [1, 3]),
    "a count is a limit": ({f"{P}_COUNT": "1", f"{P}_1": "a", f"{P}_2": "b"}, [1]),
    "a count may be followed by words": ({f"{P}_COUNT": " 1 key", f"{P}_1": "a", f"{P}_2": "b"}, [1]),
    "a count that is no number means probing": ({f"{P}_COUNT": "many", f"{P}_1": "a"}, [1]),
    "so does zero": ({f"{P}_COUNT": "0", f"{P}_1": "a"}, [1]),
    "so does less": ({f"{P}_COUNT": "-4", f"{P}_1": "a"}, [1]),
    "a vast count costs nothing": ({f"{P}_COUNT": "999999999", f"{P}_1": "a", f"{P}_900": "z"}, [1, 900]),
    "by number, not by letter": ({f"{P}_{number}": "k" for number in range(11, 0, -1)}, list(range(1, 12))),
    "no other prefix": ({"OPENAI_API_KEYS_1": "x", "MY_OPENAI_API_KEY_1": "y"}, []),
}


@pytest.mark.parametrize(("document", "numbers"), NAMES.values(), ids=list(NAMES))
def test_names(document, numbers):
    assert key_names(P, document) == tuple(f"{P}_{number}" for number in numbers)


@given(count=st.integers(1, 7), start=st.integers(0, 10_000), rounds=st.integers(1, 5))
def test_every_key_has_its_turn_equally_often_wherever_the_row_begins(count, start, rounds):
    document = {f"{P}_{number}": f"secret-{number}" for number in range(1, count + 1)}
    pool = KeyPool(start)
    taken = [pool.take("openai", P, document) for _ in range(rounds * count)]
    assert Counter(taken) == dict.fromkeys(document.items(), rounds)
    assert taken[0] == (f"{P}_{start % count + 1}", f"secret-{start % count + 1}")


def test_each_provider_has_a_turn_of_its_own():
    document = {f"{P}_1": "a", f"{P}_2": "b", "GEMINI_API_KEY_1": "c", "GEMINI_API_KEY_2": "d"}
    pool = KeyPool(0)
    taken = [pool.take(*of, document) for of in [("openai", P), ("google", "GEMINI_API_KEY"), ("openai", P)]]
    assert [secret for _, secret in filter(None, taken)] == ["a", "c", "b"]


def test_fresh_environments_begin_at_different_keys():
    document = {f"{P}_{number}": str(number) for number in range(1, 5)}
    firsts = {KeyPool(random.Random(seed)).take("openai", P, document) for seed in range(50)}
    assert firsts == set(document.items())


def test_an_empty_pool_gives_nothing():
    assert KeyPool(0).take("openai", P, {P: "bare", f"{P}_1": ""}) is None


def test_a_pool_that_shrinks_goes_on():
    pool = KeyPool(5)
    assert pool.take("openai", P, {f"{P}_{n}": str(n) for n in range(1, 7)}) == (f"{P}_6", "6")
    assert pool.take("openai", P, {f"{P}_1": "1"}) == (f"{P}_1", "1")
