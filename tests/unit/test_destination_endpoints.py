"""Endpoints that callers choose: Azure's three shapes, and what is no endpoint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.catalog import Catalog
from keyway.errors import InvalidRequest
from tests.unit.test_destination import url, went

RESOURCE = "https://acme.openai.azure.com"
CHAT = f"{RESOURCE}/openai/deployments/{{}}/chat/completions?api-version={{}}"
SENT = "gpt-5.4"

AZURE = [
    # endpoint, azureApiVersion, the wire, the whole URL
    (RESOURCE, None, "openai_responses", f"{RESOURCE}/openai/v1/responses"),
    (f"{RESOURCE}/", "preview", "openai_responses", f"{RESOURCE}/openai/v1/responses?api-version=preview"),
    (f"{RESOURCE}/openai/v1", None, "openai_responses", f"{RESOURCE}/openai/v1/responses"),
    (f"{RESOURCE}/openai/v1/", None, "openai_responses", f"{RESOURCE}/openai/v1/responses"),
    (f"{RESOURCE}?api-version=a", "b", "openai_responses", f"{RESOURCE}/openai/v1/responses?api-version=a"),
    (f"{RESOURCE}/openai/responses?api-version=2025-04-01-preview", "b", "openai_responses",
     f"{RESOURCE}/openai/responses?api-version=2025-04-01-preview"),
    (f"{RESOURCE}/my/responses", "b", "openai_responses", f"{RESOURCE}/my/responses?api-version=b"),
    (f"{RESOURCE}/my/responses", None, "openai_responses", f"{RESOURCE}/my/responses"),
    (f"{RESOURCE}/openai/deployments/mine/chat/completions?api-version=2025-01-01", "b", "openai_chat",
     CHAT.format("mine", "2025-01-01")),
    (f"{RESOURCE}/openai/deployments/mine/chat/completions", "2025-02-02", "openai_chat",
     CHAT.format("mine", "2025-02-02")),
    (f"{RESOURCE}/openai/deployments/mine/chat/completions", None, "openai_chat",
     CHAT.format("mine", "2024-07-01-preview")),
    (f"{RESOURCE}/in/front/openai/deployments/mine/chat/completions", "2025-02-02", "openai_chat",
     CHAT.format("mine", "2025-02-02").replace(".com", ".com/in/front")),
    (f"{RESOURCE}/deployments/mine/chat/completions", "2025-02-02", "openai_chat",
     CHAT.format("mine", "2025-02-02")),
    (f"{RESOURCE}/chat/completions", None, "openai_chat", CHAT.format(SENT, "2024-07-01-preview")),
    (f"{RESOURCE}:8443/chat/completions", None, "openai_chat",
     CHAT.format(SENT, "2024-07-01-preview").replace(".com", ".com:8443")),
]  # fmt: skip


@pytest.mark.parametrize(("endpoint", "version", "wire", "expected"), AZURE)
@pytest.mark.parametrize("by", ["caller", "operator"])
def test_azures_endpoint_says_which_of_its_ways_is_meant(endpoint, version, wire, expected, by):
    said = {"azureApiVersion": version} if version else {}
    if by == "caller":
        found, whole = went("azure-openai", "azure/gpt-5.4", {}, azureEndpoint=endpoint, **said)
    else:
        found, whole = went("azure-openai", "azure/gpt-5.4", {"azure-openai": endpoint}, **said)
    assert (whole, found.wire, found.caller_chosen) == (expected, wire, by == "caller")


@pytest.mark.parametrize("tail", ["", "/", "/anthropic", "/anthropic/", "/anthropic/v1", "/anthropic/v1/messages"])
def test_claude_on_azure(tail):
    endpoint = f"https://acme.services.ai.azure.com{tail}"
    found, whole = went("azure-anthropic", "azure-anthropic/claude-sonnet-4-5", {}, azureEndpoint=endpoint)
    assert whole == "https://acme.services.ai.azure.com/anthropic/v1/messages"
    assert found.caller_chosen
    assert found.headers is None, "the version of the row holds"
    found, _ = went(
        "azure-anthropic", "azure-anthropic/claude-sonnet-4-5", {}, azureEndpoint=endpoint, azureApiVersion="2025-01-01"
    )
    assert found.headers == {"anthropic-version": "2025-01-01"}


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_a_vllm_of_the_callers(tail):
    found, whole = went("vllm", "vllm/llama", {}, azureEndpoint=f"https://gpu.example:8000{tail}")
    assert whole == "https://gpu.example:8000/v1/chat/completions"
    assert found.caller_chosen


@pytest.mark.parametrize("provider", [row.id for row in Catalog.load().providers()])
def test_an_operators_address_wins_over_the_callers(provider):
    model = {"litellm": "litellm/x"}.get(provider) or Catalog.load().provider(provider).default_model or f"{provider}/x"
    found, whole = went(provider, model, {provider: "https://mine.example"}, azureEndpoint="https://theirs.example")
    assert whole.startswith("https://mine.example/")
    assert not found.caller_chosen


@pytest.mark.parametrize("provider", [row.id for row in Catalog.load().providers() if not row.caller_endpoint])
def test_a_provider_with_an_address_of_its_own_is_not_sent_elsewhere(provider):
    model = {"litellm": "litellm/x"}.get(provider) or Catalog.load().provider(provider).default_model or f"{provider}/x"
    try:
        found, whole = went(provider, model, {}, azureEndpoint="https://theirs.example")
    except InvalidRequest as error:
        assert provider == "litellm", error  # noqa: PT017 - one provider has no address at all
    else:
        assert "theirs.example" not in whole
        assert not found.caller_chosen


BAD = [
    "http://acme.openai.azure.com",
    "ftp://acme",
    "acme.openai.azure.com",
    "//acme",
    "https://",
    "https:///path",
    "https://user@acme.com",
    "https://user:pw@acme.com",
    "https://@acme.com",
    "https://acme.com/#part",
    "https://acme.com:port",
    "https://acme.com:99999",
    "https://acme.com:0",
    "https://[::1",
    "https://ac me.com",
    "https://acme.com/\r\nx: y",
    "https://acme.com/\tx",
    "https://acme.com\\@evil.com",
    "https://acme.com/a/../b",
    "https://acme.com/..",
    "https://acme.com/%2e%2E/b",
    "https://acme.com/./b",
    "https://\N{SNOWMAN}.com",
]


@pytest.mark.parametrize("endpoint", BAD)
@pytest.mark.parametrize("provider", ["azure-openai", "azure-anthropic", "vllm"])
def test_what_is_no_endpoint_is_refused_by_name(provider, endpoint):
    with pytest.raises(InvalidRequest, match=r"^azureEndpoint: ") as refused:
        url(provider, Catalog.load().provider(provider).default_model, azureEndpoint=endpoint)
    assert "acme" not in str(refused.value), "it may hold a password"


@pytest.mark.parametrize("provider", ["azure-anthropic", "vllm"])
def test_a_query_that_nobody_would_read_is_refused(provider):
    with pytest.raises(InvalidRequest, match=r"^azureEndpoint: must not hold a query"):
        url(provider, Catalog.load().provider(provider).default_model, azureEndpoint="https://acme.com/v1?x=1")


@pytest.mark.parametrize("name", ["..", ".", "%2e%2e"])
def test_a_deployments_name_does_not_climb(name):
    model = f"azure/{name}"
    endpoint = f"{RESOURCE}/chat/completions"
    if name == "%2e%2e":
        assert "/deployments/%252e%252e/chat" in url("azure-openai", model, azureEndpoint=endpoint)
    else:
        with pytest.raises(InvalidRequest, match=r"^model: "):
            url("azure-openai", model, azureEndpoint=endpoint)


@given(st.text(max_size=60))
def test_whatever_is_said_the_address_is_https_at_one_host_or_refused(text):
    for endpoint in (text, f"https://{text}", f"https://acme.com/{text}"):
        if not endpoint or "\0" in endpoint:
            continue
        try:
            found, whole = went("azure-openai", "azure/gpt-5.4", {}, azureEndpoint=endpoint)
        except InvalidRequest as error:
            assert error.message.startswith("azureEndpoint: ")  # noqa: PT017 - either outcome is right
        else:
            assert found.caller_chosen
            assert whole.startswith("https://")
            assert whole.isascii()
            assert whole.isprintable()
