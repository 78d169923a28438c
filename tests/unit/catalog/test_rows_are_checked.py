"""A wrong row says in which file, row and key it is wrong; nothing about it is guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyway import catalog
from keyway.catalog import Catalog
from keyway.catalog.lazy import Lazy

GOOD = {"name": "Acme", "wire": "w", "legacyKeys": "caller"}
FILES = sorted(Path(catalog.__file__).parent.glob("*.json"))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({**GOOD, "nmae": "x"}, "providers: acme: unknown nmae"),
        ({"wire": "w", "legacyKeys": "caller"}, "providers: acme: name is missing"),
        ({**GOOD, "wire": 3}, "providers: acme: wire must be a string, not 3"),
        ({**GOOD, "legacyKeys": "anyone"}, "providers: acme: legacyKeys must be one of rotation, singular"),
        ({**GOOD, "legacyKeys": "rotation"}, "providers: acme: legacyKeys 'rotation' needs hosting"),
        ({**GOOD, "legacyKeys": "caller-or-own"}, "providers: acme: platformKey belongs to"),
        ({**GOOD, "platformKey": "ACME_API_KEY"}, "providers: acme: platformKey belongs to"),
        ({**GOOD, "auth": [{"prefix": "Bearer "}]}, r"providers: acme: auth\[0\]: header is missing"),
        ({**GOOD, "auth": {"header": "x"}}, "providers: acme: auth must be an array"),
        ({**GOOD, "strip": {"prefix": "acme/"}}, "providers: acme: strip: anchored is missing"),
        ({**GOOD, "addressing": "acme"}, "providers: acme: addressing must be one of azure-openai,"),
        (
            {**GOOD, "baseUrl": "https://{location}.acme.example"},
            "providers: acme: baseUrl holds {location}, which only the addressing vertex fills",
        ),
        ({**GOOD, "strip": {"prefix": "Acme/", "anchored": True}}, "providers: acme: strip: prefix must be lower"),
        ({**GOOD, "hosting": {"keyPrefix": "K"}}, "providers: acme: hosting: byokProvider is missing"),
        ({**GOOD, "headers": ["x"]}, "providers: acme: headers must be an object"),
        ({**GOOD, "fallback": {"temprature": [0, 1]}}, "providers: acme: fallback: unknown temprature"),
        ({**GOOD, "attachments": {"strategy": "post", "maxBytes": 1}}, "acme: attachments: strategy must be one of"),
        ({**GOOD, "attachments": {"strategy": "inline"}}, "acme: attachments: maxBytes is missing"),
        ({**GOOD, "otherWires": {"morse": 1}}, "providers: acme: otherWires: morse must be an object"),
        ({**GOOD, "claimsTheRest": "yes"}, "providers: acme: claimsTheRest must be true or false"),
        (
            {**GOOD, "attachments": {"strategy": "inline", "maxBytes": 1, "maxFiles": 0}},
            "acme: attachments: maxFiles must be a whole number above 0",
        ),
        ("acme", "providers: acme: must be an object, not 'acme'"),
    ],
)
def test_a_wrong_provider_row_is_refused(row, complaint):
    with pytest.raises(ValueError, match=complaint):
        Catalog.load(providers={"acme": row})


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"temperature": 1}, r"models: openai: gpt-9: temperature must be \[lowest, highest\], not 1"),
        ({"temperature": [2, 0]}, r"temperature must be \[lowest, highest\]"),
        ({"efforts": "low"}, "models: openai: gpt-9: efforts must be an array of strings, not 'low'"),
        ({"efforts": [1]}, "efforts must be an array of strings"),
        ({"maxOutputTokens": 0}, "maxOutputTokens must be a whole number above 0, not 0"),
        ({"maxOutputTokens": True}, "maxOutputTokens must be a whole number above 0"),
        ({"adaptiveThinking": "yes"}, "adaptiveThinking must be true or false, not 'yes'"),
        ({"price": 3}, "models: openai: gpt-9: unknown price"),
    ],
)
def test_a_wrong_model_row_is_refused(row, complaint):
    with pytest.raises(ValueError, match=complaint):
        Catalog.load(models={"openai": {"gpt-9": row}})


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"input": "1"}, "prices: openai: gpt-9: input and output are needed"),
        ({"input": 1.1, "output": "2"}, 'input must be an amount in a string, such as "0.25", not 1.1'),
        ({"input": "-1", "output": "2"}, "input must be an amount"),
        ({"input": "NaN", "output": "2"}, "input must be an amount"),
        ({"input": "one", "output": "2"}, "input must be an amount"),
        ({"input": "1", "output": "2", "tiers": [{"input": "1", "output": "2"}]}, r"tiers\[0\]: above is missing"),
        (
            {
                "input": "1",
                "output": "2",
                "tiers": [{"above": 9, "input": "1", "output": "2"}, {"above": 9, "input": "1", "output": "2"}],
            },
            "tiers must be in rising order of above",
        ),
    ],
)
def test_a_wrong_price_row_is_refused(row, complaint):
    with pytest.raises(ValueError, match=complaint):
        Catalog.load(prices={"openai": {"gpt-9": row}})


def test_models_of_a_provider_that_has_no_row_are_refused():
    with pytest.raises(ValueError, match="models: acme is not a provider"):
        Catalog.load(models={"acme": {}})


def test_a_value_is_made_once_and_only_when_looked_at():
    made = []

    def make(name, row):
        made.append(name)
        return (name, row)

    rows = Lazy({"a": 1, "b": 2}, make).also({"b": ("b", 9), "c": ("c", 3)})
    assert (list(rows), len(rows), "c" in rows, "d" in rows, rows.get("d")) == (["a", "b", "c"], 3, True, False, None)
    assert made == []
    assert (rows["a"], rows["a"], rows["b"], rows["c"]) == (("a", 1), ("a", 1), ("b", 9), ("c", 3))
    assert made == ["a"]


def test_one_name_for_two_models_is_refused():
    with pytest.raises(ValueError, match="models of openai: gpt-4o names two models"):
        Catalog.load(models={"openai": {"gpt-9": {"aliases": ["gpt-4o"]}}})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_key_is_written_twice_in_a_file(file):
    def once(pairs):
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), f"{file.name} has a key twice among {names}"
        return dict(pairs)

    json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=once)
