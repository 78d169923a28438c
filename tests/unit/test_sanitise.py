"""Settings a model does not take never reach a wire; the others arrive untouched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from keyway.capabilities import Model
from keyway.catalog import Catalog
from keyway.chat import ChatRequest
from keyway.errors import InvalidRequest
from keyway.sanitise import sanitise

CATALOG = Catalog.load()


def model(model_id, provider="openai"):
    return CATALOG.model(CATALOG.provider(provider), model_id)


def request(**settings):
    asked = {to_camel(name): value for name, value in settings.items()}
    hello = {"role": "user", "content": "Hello"}
    return ChatRequest.model_validate({"provider": "p", "model": "m", "messages": [hello], **asked})


@pytest.mark.parametrize("temperature", [0, 0.7, 1, 2])
def test_a_temperature_in_range_is_kept(temperature):
    assert sanitise(request(temperature=float(temperature)), model("gpt-4.1")).temperature == temperature


@pytest.mark.parametrize(
    ("provider", "model_id"),
    [("openai", "gpt-5.5"), ("openai", "o3"), ("anthropic", "claude-opus-4-8"), ("openai", "unlisted")],
)
@pytest.mark.parametrize("temperature", [0.0, 1.0, 2.0])
def test_a_temperature_is_dropped_for_a_model_that_refuses_the_setting(provider, model_id, temperature):
    assert sanitise(request(temperature=temperature), model(model_id, provider)).temperature is None


def test_a_temperature_out_of_the_models_range_is_refused_with_the_range():
    with pytest.raises(InvalidRequest, match=r"temperature: must be between 0 and 1 for claude-sonnet-4-6, not 1\.5"):
        sanitise(request(temperature=1.5), model("claude-sonnet-4-6", "anthropic"))


@pytest.mark.parametrize(
    ("model_id", "asked", "kept"),
    [
        ("gpt-5.5", "xhigh", "xhigh"),
        ("gpt-5.5", "none", "none"),
        ("gpt-5.5", "minimal", None),
        ("gpt-5", "minimal", "minimal"),
        ("gpt-5", "none", None),
        ("gpt-5-pro", "high", "high"),
        ("gpt-5-pro", "low", None),
        ("o3-pro", "high", None),
        ("gpt-4.1", "low", None),
        ("gpt-5.5", "auto", None),
        ("unlisted", "low", None),
        ("gpt-5-2025-08-07", "low", "low"),
    ],
)
def test_an_effort_is_kept_only_if_the_model_has_it(model_id, asked, kept):
    assert sanitise(request(reasoning_effort=asked), model(model_id)).reasoning_effort == kept


@pytest.mark.parametrize(
    ("model_id", "kept"), [("gpt-5.4", "low"), ("gpt-5.4-pro", None), ("gpt-5-chat-latest", None), ("o3", None)]
)
def test_verbosity_is_kept_only_if_the_model_has_it(model_id, kept):
    assert sanitise(request(verbosity="low"), model(model_id)).verbosity == kept


@pytest.mark.parametrize(
    ("model_id", "asked", "kept"),
    [
        ("claude-opus-4-8", "xhigh", "xhigh"),
        ("claude-opus-4-6", "xhigh", None),
        ("claude-opus-4-6", "max", "max"),
        ("claude-sonnet-4-5-20250929", "high", "high"),
        ("claude-sonnet-4-5", "max", None),
        ("claude-sonnet-4-5", "none", None),
        ("claude-3-haiku-20240307", "low", None),
    ],
)
def test_a_thinking_level_is_kept_only_if_the_model_has_it(model_id, asked, kept):
    assert sanitise(request(thinking_level=asked), model(model_id, "anthropic")).thinking_level == kept


@pytest.mark.parametrize(
    ("model_id", "asked", "kept"),
    [
        ("gpt-4o", 100, 100),
        ("gpt-4o", 16384, 16384),
        ("gpt-4o", 16385, 16384),
        ("gpt-4o", None, None),
        ("unlisted", 10**6, 10**6),
    ],
)
def test_max_tokens_is_the_lower_of_the_callers_and_the_models_limit(model_id, asked, kept):
    assert sanitise(request(max_tokens=asked), model(model_id)).max_tokens == kept


def test_a_request_that_fits_is_left_alone():
    fitting = request(temperature=1.0, max_tokens=5)
    assert sanitise(fitting, model("gpt-4o")) is fitting


SETTINGS = {
    "temperature": st.none() | st.floats(min_value=0, max_value=2),
    "reasoning_effort": st.none() | st.sampled_from(["none", "minimal", "low", "high", "xhigh", "max", "auto"]),
    "verbosity": st.none() | st.sampled_from(["low", "high", "auto"]),
    "thinking_level": st.none() | st.sampled_from(["none", "minimal", "low", "high", "xhigh", "max"]),
    "max_tokens": st.none() | st.integers(min_value=1, max_value=10**7),
}


@given(st.fixed_dictionaries(SETTINGS), st.sampled_from(CATALOG.models()))
def test_what_is_left_is_what_the_model_takes_and_nothing_else_changes(settings, target: Model):
    asked = request(**settings)
    try:
        left = sanitise(asked, target)
    except InvalidRequest:
        low, high = target.temperature
        assert not low <= settings["temperature"] <= high
        return
    assert left.temperature is None or target.temperature is not None
    assert left.reasoning_effort in (None, *target.reasoning_efforts)
    assert left.verbosity in (None, *target.verbosities)
    assert left.thinking_level in (None, *target.thinking_levels)
    assert left.max_tokens is None or left.max_tokens <= target.max_output_tokens
    untouched = ChatRequest.model_fields.keys() - SETTINGS.keys()
    assert all(getattr(left, field) == getattr(asked, field) for field in untouched)
    assert sanitise(left, target) == left
