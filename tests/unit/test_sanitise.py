"""Settings a model does not take never reach a wire, the others arrive untouched; a file is taken or refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from keyway.capabilities import Model
from keyway.catalog import Catalog
from keyway.chat import ChatRequest
from keyway.errors import InvalidRequest
from keyway.sanitise import INLINE_BYTES, check_files, sanitise

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
        assert target.temperature is not None
        low, high = target.temperature
        assert not low <= settings["temperature"] <= high
        return
    assert left.temperature is None or target.temperature is not None
    assert left.reasoning_effort in (None, *target.reasoning_efforts)
    assert left.verbosity in (None, *target.verbosities)
    assert left.thinking_level in (None, *target.thinking_levels)
    limit = target.max_output_tokens
    assert left.max_tokens is None or limit is None or left.max_tokens <= limit
    untouched = ChatRequest.model_fields.keys() - SETTINGS.keys()
    assert all(getattr(left, field) == getattr(asked, field) for field in untouched)
    assert sanitise(left, target) == left


MEGABYTE = 1024 * 1024


def with_files(*files):
    """A request whose second message has ``files``."""
    messages = [{"role": "user", "content": "Hello"}, {"role": "user", "files": files}]
    return ChatRequest.model_validate({"provider": "p", "model": "m", "messages": messages})


def inline(size, media_type="image/png"):
    encoded = "A" * (-(-size // 3) * 4)
    return {"mimeType": media_type, "data": encoded[: len(encoded) - (-size % 3)] + "=" * (-size % 3)}


def linked(media_type="image/png"):
    return {"mimeType": media_type, "url": "https://files.example/a"}


def check(provider, *files):
    check_files(with_files(*files), CATALOG.provider(provider))


@pytest.mark.parametrize("provider", ["deepseek", "cerebras"])
@pytest.mark.parametrize("file", [inline(1), linked()], ids=["inline", "linked"])
def test_some_providers_take_no_files(provider, file):
    with pytest.raises(InvalidRequest, match=r"messages\[1\]\.files\[0\]: (DeepSeek|Cerebras) takes no files"):
        check(provider, file)


@pytest.mark.parametrize(
    ("provider", "taken", "refused"),
    [
        ("xai", ["image/png"], ["application/pdf", "text/plain", "audio/wav"]),
        ("groq", ["image/webp"], ["application/pdf"]),
        ("mistral", ["image/gif"], ["application/pdf"]),
        ("ollama", ["image/png"], ["application/pdf"]),
        ("fireworks", ["image/png"], ["application/pdf"]),
        ("together", ["image/png"], ["application/pdf"]),
        ("baseten", ["image/png"], ["text/plain"]),
        ("vllm", ["image/png"], ["text/plain"]),
        ("litellm", ["image/png"], ["text/plain"]),
        ("openrouter", ["image/png", "application/pdf"], ["text/plain"]),
        ("anthropic", ["image/png", "application/pdf", "text/markdown"], ["video/mp4", "audio/wav"]),
        ("bedrock", ["image/png", "application/pdf", "text/csv", "video/mp4"], ["audio/wav"]),
        ("google", ["image/png", "audio/wav", "video/mp4", "application/x-anything"], []),
        ("vertex", ["image/png", "audio/wav"], []),
    ],
)
def test_types_are_the_providers(provider, taken, refused):
    for media_type in taken:
        check(provider, inline(1, media_type), inline(1, f"{media_type.upper()}; charset=utf-8"), linked(media_type))
    for media_type in refused:
        with pytest.raises(
            InvalidRequest, match=rf"files\[1\]: .* takes no file of type '{media_type}'; it takes image/"
        ):
            check(provider, inline(1), inline(1, media_type))


@pytest.mark.parametrize(("provider", "most"), [("groq", 5), ("mistral", 8)])
def test_the_number_of_files_is_the_providers(provider, most):
    check(provider, *[inline(1)] * most)
    with pytest.raises(InvalidRequest, match=rf"messages\[1\]\.files\[{most}\]: .* at most {most} files in a request"):
        check(provider, *[inline(1)] * (most + 1))


@pytest.mark.parametrize("size", [INLINE_BYTES - 1, INLINE_BYTES])
@pytest.mark.parametrize("provider", ["anthropic", "openai", "mistral"])
def test_ten_megabytes_travel_inside_the_request(provider, size):
    check(provider, inline(size))


@pytest.mark.parametrize(
    ("provider", "size", "advice"),
    [
        ("anthropic", INLINE_BYTES + 1, r"Send url instead, for Anthropic to fetch up to 50 MB"),
        ("groq", 12 * MEGABYTE, r"12 MB are too much; .* 10 MB\. Send url instead, for Groq to fetch up to 20 MB"),
        ("groq", 21 * MEGABYTE, r"21 MB are too much; .* and Groq takes none above 20 MB"),
        ("openai", INLINE_BYTES + 1, r"OpenAI takes larger ones by upload only, which is not offered here yet"),
        ("google", 51 * MEGABYTE, r"and Google takes none above 50 MB"),
        ("mistral", INLINE_BYTES + 1, r"and Mistral takes none above 10 MB"),
    ],
)
def test_a_larger_file_is_refused_with_what_to_do(provider, size, advice):
    with pytest.raises(InvalidRequest, match=r"messages\[1\]\.files\[0\]: .*" + advice):
        check(provider, inline(size))


@given(st.binary(max_size=200), st.booleans())
def test_a_files_size_is_that_of_what_it_encodes(content, wrapped):
    encoded = base64.encodebytes(content).decode() if wrapped else base64.b64encode(content).decode()
    file = {"mimeType": "image/png", "data": encoded}
    limits = {"strategy": "inline", "maxBytes": max(1, len(content))}
    row = {"name": "Acme", "wire": "w", "legacyKeys": "caller"}

    def provider(**attachments):
        return Catalog.load(providers={"acme": {**row, "attachments": attachments}}).provider("acme")

    check_files(with_files(file), provider(**limits))
    if len(content) > 1:
        with pytest.raises(InvalidRequest):
            check_files(with_files(file), provider(**{**limits, "maxBytes": len(content) - 1}))
