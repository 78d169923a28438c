from __future__ import annotations

import dataclasses

import pytest

from keyway.wire import openai_chat as wire
from keyway.wire.openai_chat.dialect import Dialect
from tests.conformance.openai_chat.dialects import DIALECTS


def test_no_flags_are_openai_itself():
    assert wire.dialect({}) == Dialect()


@pytest.mark.parametrize("provider", DIALECTS)
def test_every_vendors_flags_are_known_and_each_changes_something(provider: str):
    dialect = dataclasses.asdict(wire.dialect(DIALECTS[provider]))

    for name, value in DIALECTS[provider].items():
        assert dialect[name] == (tuple(value) if isinstance(value, list) else value)
        assert dialect[name] != getattr(Dialect(), name)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"max_token": "max_tokens"}, "no dialect flag 'max_token'"),
        ({"max_tokens": "limit"}, "'max_tokens' must be one of max_completion_tokens, max_tokens"),
        ({"usage_option": "no"}, "'usage_option' must be a bool"),
        ({"path": 1}, "'path' must be a str"),
        ({"replayed": "reasoning_content"}, "'replayed' must be a list of text"),
        ({"replayed": [1]}, "'replayed' must be a list of text"),
        ({"fences": ["kept"]}, "'fences' must be one of"),
    ],
)
def test_a_flag_that_cannot_be_is_refused_by_name(flags: dict[str, object], said: str):
    with pytest.raises(ValueError, match=said):
        wire.dialect(flags)
