"""Where each provider is reached: the whole URL, by row, operator and request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.catalog import Catalog
from keyway.chat import ChatRequest
from keyway.destination import Destination, destination, join
from keyway.errors import InvalidRequest
from keyway.sanitise import sanitise
from keyway.wire.registry import wire as wire_called

CATALOG = Catalog.load()
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
GEMINI = "/models/gemini-2.5-pro:generateContent"
VERTEX = f"/v1beta1/projects/acme-1/locations/us-central1/publishers/google{GEMINI}"
CONVERSE = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"

ADDRESSES = [
    # provider, model, its own host, the path there, the path at an operator's https://host/v1
    ("openai", "gpt-4.1", "https://api.openai.com", "/v1/responses", "/v1/responses"),
    ("azure-openai", "azure/gpt-5.4", None, "/openai/v1/responses", "/v1/openai/v1/responses"),
    ("anthropic", "claude-sonnet-4-6", "https://api.anthropic.com", MESSAGES, MESSAGES),
    ("azure-anthropic", "azure-anthropic/claude-sonnet-4-5", None, f"/anthropic{MESSAGES}", f"/v1/anthropic{MESSAGES}"),
    ("google", "gemini-2.5-pro", "https://generativelanguage.googleapis.com", f"/v1beta{GEMINI}", f"/v1{GEMINI}"),
    ("vertex", "vertex/gemini-2.5-pro", "https://us-central1-aiplatform.googleapis.com", VERTEX,
     VERTEX.replace("v1beta1", "v1")),
    ("deepseek", "deepseek-chat", "https://api.deepseek.com", CHAT, CHAT),
    ("xai", "grok-4.3", "https://api.x.ai", CHAT, CHAT),
    ("cerebras", "cerebras/gpt-oss-120b", "https://api.cerebras.ai", CHAT, CHAT),
    ("groq", "groq/openai/gpt-oss-120b", "https://api.groq.com", f"/openai{CHAT}", CHAT),
    ("mistral", "mistral-large-latest", "https://api.mistral.ai", CHAT, CHAT),
    ("ollama", "llama3:8b", "http://localhost:11434", CHAT, CHAT),
    ("ollama-cloud", "ollama-cloud/gpt-oss:120b", "https://ollama.com", CHAT, CHAT),
    ("openrouter", "openrouter/openai/gpt-5", "https://openrouter.ai", f"/api{CHAT}", CHAT),
    ("fireworks", "fireworks/accounts/fireworks/models/x", "https://api.fireworks.ai", f"/inference{CHAT}", CHAT),
    ("together", "together/openai/gpt-oss-20b", "https://api.together.ai", CHAT, CHAT),
    ("baseten", "baseten/openai/gpt-oss-120b", "https://inference.baseten.co", CHAT, CHAT),
    ("vllm", "vllm/generic", None, CHAT, CHAT),
    ("litellm", "litellm/any/thing", None, CHAT, CHAT),
    ("bedrock", "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
     "https://bedrock-runtime.us-east-1.amazonaws.com", CONVERSE, f"/v1{CONVERSE}"),
]  # fmt: skip


def went(provider_id: str, model_id: str, base_urls: Mapping[str, str], **said: Any) -> tuple[Destination, str]:
    """The destination of a request and the whole URL it is posted to."""
    if provider_id == "vertex":
        said.setdefault("vertexProject", "acme-1")
    message = {"role": "user", "content": "Hello"}
    request = ChatRequest.model_validate({"provider": provider_id, "model": model_id, "messages": [message], **said})
    provider = CATALOG.provider(provider_id)
    model = CATALOG.model(provider, model_id)
    found = destination(provider, model, CATALOG.spoken(provider, model), request, base_urls)
    wire = wire_called(found.wire)
    outgoing = wire.encode(sanitise(request, model), model, wire.dialect(found.dialect))
    return found, found.url(outgoing.path)


def url(provider: str, model: str, base_url: str | None = None, **said: Any) -> str:
    return went(provider, model, {provider: base_url} if base_url else {}, **said)[1]


def test_the_table_has_every_provider():
    assert [row[0] for row in ADDRESSES] == [provider.id for provider in CATALOG.providers()]


@pytest.mark.parametrize(("provider", "model", "host", "path", "_at_v1"), [row for row in ADDRESSES if row[2]])
def test_the_address_of_its_own(provider, model, host, path, _at_v1):
    found, whole = went(provider, model, {})
    assert whole == host + path
    assert not found.caller_chosen


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("provider", "model", "_host", "path", "at_v1"), ADDRESSES)
def test_an_operators_address(provider, model, _host, path, at_v1, slash):
    assert url(provider, model, f"http://proxy:8080{slash}") == f"http://proxy:8080{path}"
    assert url(provider, model, f"http://proxy:8080/v1{slash}") == f"http://proxy:8080{at_v1}"
    assert url(provider, model, f"http://proxy:8080/to/llm/v1{slash}") == f"http://proxy:8080/to/llm{at_v1}"
    found, _ = went(provider, model, {provider: f"http://proxy:8080/v1{slash}"})
    assert not found.caller_chosen


WHOLE = [row for row in ADDRESSES if row[3].endswith(("/completions", "/messages", "/responses"))]


@pytest.mark.parametrize(("provider", "model", "_host", "path", "_at_v1"), WHOLE)
def test_an_address_may_be_given_with_all_of_its_path(provider, model, _host, path, _at_v1):
    assert url(provider, model, f"https://proxy{path}") == f"https://proxy{path}"


def test_a_host_called_like_a_step_of_the_path_is_still_the_host():
    assert join("http://openai", "/openai/v1/responses") == "http://openai/openai/v1/responses"
    assert join("http://v1/", "/v1/messages") == "http://v1/v1/messages"


@given(st.lists(st.sampled_from(["v1", "a", "openai"]), max_size=4), st.lists(st.sampled_from(["v1", "b"]), min_size=1))
def test_joining_keeps_both_paths_and_repeats_nothing(have, want):
    base = "/".join(["https://h", *have])
    joined = join(base, "/" + "/".join(want))
    assert joined == join(base + "/", "/".join(want))
    assert joined.startswith(base)
    assert joined.endswith("/" + "/".join(want))


@pytest.mark.parametrize("stream", [True, False])
def test_a_stream_may_have_another_path(stream):
    assert url("google", "gemini-2.5-pro", stream=stream).endswith(
        ":streamGenerateContent?alt=sse" if stream else ":generateContent"
    )
    assert url("bedrock", "bedrock/amazon.nova-pro-v1:0", stream=stream).endswith(
        "/model/us.amazon.nova-pro-v1%3A0/converse" + ("-stream" if stream else "")
    )


def test_deep_research_is_asked_for_elsewhere():
    model = "deep-research-pro-preview-12-2025"
    assert url("google", model) == "https://generativelanguage.googleapis.com/v1beta/interactions"


@pytest.mark.parametrize(
    ("provider", "model", "step"),
    [
        ("google", "models/x:y", "models%2Fx%3Ay:generateContent"),
        ("google", "../files", "..%2Ffiles:generateContent"),
        ("google", "x?key=1#{project}", "x%3Fkey%3D1%23%7Bproject%7D:generateContent"),
        ("bedrock", "bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/us.x:0",
         "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x%3A0/converse"),
    ],
)  # fmt: skip
def test_a_models_name_is_one_step_of_the_path(provider, model, step):
    assert url(provider, model).endswith(step)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        (None, "us-central1-aiplatform.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_vertex_has_a_host_for_each_location(location, host):
    said = {"vertexLocation": location} if location else {}
    place = location or "us-central1"
    path = f"/v1beta1/projects/acme-1/locations/{place}/publishers/google{GEMINI}"
    assert url("vertex", "vertex/gemini-2.5-pro", **said) == f"https://{host}{path}"


@pytest.mark.parametrize(
    ("region", "prefix"),
    [("us-east-1", "us."), ("eu-west-3", "eu."), ("ap-northeast-1", "apac."), ("us-gov-west-1", "us-gov.")],
)
def test_bedrock_has_a_host_for_each_region(region, prefix):
    found, whole = went("bedrock", "bedrock/amazon.nova-pro-v1:0", {}, bedrockRegion=region)
    assert whole == f"https://bedrock-runtime.{region}.amazonaws.com/model/{prefix}amazon.nova-pro-v1%3A0/converse"
    assert found.region == region


BAD_PLACES = [
    "a/b",
    "..",
    "a@b",
    "a.b",
    "a b",
    "a\n",
    "a\r\nx: y",
    "a#",
    "a?b",
    "a:1",
    "{region}",
    "\N{FULLWIDTH LATIN SMALL LETTER A}",
    "A",
]


@pytest.mark.parametrize("place", BAD_PLACES)
@pytest.mark.parametrize(
    ("provider", "field"),
    [("vertex", "vertexProject"), ("vertex", "vertexLocation"), ("bedrock", "bedrockRegion")],
)
def test_a_place_is_nothing_but_a_name(provider, field, place):
    with pytest.raises(InvalidRequest, match=f"^{field}: "):
        went(provider, CATALOG.provider(provider).default_model, {}, **{field: place})


@pytest.mark.parametrize("version", ["a/b", "2024&x=1", "2024 1", "2024\r\nx: y", "2024\N{SNOWMAN}", "\t"])
@pytest.mark.parametrize("provider", ["azure-openai", "azure-anthropic"])
def test_an_api_version_is_nothing_but_a_version(provider, version):
    with pytest.raises(InvalidRequest, match=r"^azureApiVersion: "):
        url(provider, CATALOG.provider(provider).default_model, "https://x", azureApiVersion=version)


def test_what_is_missing_is_named():
    with pytest.raises(InvalidRequest, match=r"^vertexProject: is required"):
        url("vertex", "vertex/gemini-2.5-pro", vertexProject=None)
    for provider in ("azure-openai", "azure-anthropic", "vllm"):
        with pytest.raises(InvalidRequest, match=r"^azureEndpoint: is required for"):
            url(provider, CATALOG.provider(provider).default_model)
    with pytest.raises(InvalidRequest, match=r"^provider: litellm has no address here.*PROVIDER_BASE_URLS"):
        url("litellm", "litellm/x", azureEndpoint="https://example.com")
