"""What is put on the wire beside the body: address, headers, the key, and nothing more."""

from __future__ import annotations

import json

import pytest

from keyway import __version__
from keyway.catalog import Catalog
from keyway.destination import Destination
from keyway.errors import AuthFailed
from keyway.http_request import HttpRequest, http_request
from keyway.keys.credential import Credential
from keyway.wire.contract import Outgoing

CATALOG = Catalog.load()
SECRET = "sk-callers-aaaabbbbccccdddd"


def request(
    provider: str,
    secret: str | None = SECRET,
    *,
    streamed: bool = False,
    headers: dict[str, str] | None = None,
    destination: Destination | None = None,
) -> HttpRequest:
    return http_request(
        CATALOG.provider(provider),
        Credential(secret, "caller"),
        Outgoing(path="/v1/x", body={"text": "\N{SNOWMAN} a"}, streamed=streamed, headers=headers or {}),
        destination or Destination("w", {}, "https://host.example/v1"),
    )


PLAIN = {
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "identity",
    "user-agent": f"keyway/{__version__}",
}
BEARER = {"authorization": f"Bearer {SECRET}"}
ANTHROPIC = {"anthropic-version": "2023-06-01"}

KEYS = {
    "openai": BEARER,
    "azure-openai": {"api-key": SECRET},
    "anthropic": {"x-api-key": SECRET, **ANTHROPIC},
    "azure-anthropic": {"x-api-key": SECRET, "api-key": SECRET, **ANTHROPIC},
    "google": {"x-goog-api-key": SECRET},
    "bedrock": {},  # signed later
}


@pytest.mark.parametrize("provider", [row.id for row in CATALOG.providers()])
def test_the_key_goes_where_the_provider_looks_for_it_and_nowhere_else(provider):
    sent = request(provider)
    assert sent.headers == PLAIN | KEYS.get(provider, BEARER)
    assert SECRET not in sent.url
    assert SECRET.encode() not in sent.content


def test_a_request_in_full():
    sent = request("openai")
    assert (sent.recipient, sent.url, sent.caller_chosen) == ("openai", "https://host.example/v1/x", False)
    assert sent.content == b'{"text":"\\u2603 a"}'
    assert json.loads(sent.content) == {"text": "\N{SNOWMAN} a"}


def test_a_stream_is_asked_for_as_such_and_uncompressed():
    sent = request("openai", streamed=True)
    assert sent.headers["accept"] == "text/event-stream"
    assert sent.headers["accept-encoding"] == "identity"


def test_the_row_is_overruled_by_the_wire_and_both_by_the_destination_but_none_touches_the_key():
    wire = {"anthropic-version": "wire", "anthropic-beta": "b", "x-api-key": "wire"}
    assert request("anthropic", headers=wire).headers["anthropic-version"] == "wire"
    to = Destination("w", {}, "https://h", headers={"anthropic-version": "there", "x-api-key": "there"})
    sent = request("anthropic", headers=wire, destination=to)
    assert sent.headers["anthropic-version"] == "there"
    assert sent.headers["anthropic-beta"] == "b"
    assert sent.headers["x-api-key"] == SECRET


def test_the_callers_choice_of_an_address_is_passed_on():
    chosen = request("vllm", destination=Destination("w", {}, "https://h", caller_chosen=True))
    assert (chosen.caller_chosen, chosen.chosen_in, chosen.method) == (True, "azureEndpoint", "POST")


@pytest.mark.parametrize("provider", [row.id for row in CATALOG.providers()])
def test_without_a_key_no_header_speaks_of_one(provider):
    sent = request(provider, None)
    assert not {"authorization", "x-api-key", "api-key", "x-goog-api-key"} & set(sent.headers)


@pytest.mark.parametrize(
    "secret", ["sk-a\n", "sk\r\nx-evil: 1", " sk", "sk ", "sk-\N{SNOWMAN}", "sk\0", "sk\t1", "\x7f"]
)
def test_a_key_that_no_header_may_carry_is_refused_without_being_shown(secret):
    with pytest.raises(AuthFailed) as refused:
        request("openai", secret)
    assert refused.value.provider == "openai"
    assert secret not in str(refused.value)
    assert "characters that no HTTP header may carry" in str(refused.value)


def test_nothing_that_holds_a_key_can_be_printed():
    assert SECRET not in repr(request("openai"))
    assert SECRET not in repr(Credential(SECRET, "caller"))


def test_a_query_is_appended_once():
    to = Destination("w", {}, "https://h", query="api-version=1")
    assert to.url("/x") == "https://h/x?api-version=1"
    assert to.url("/x?alt=sse") == "https://h/x?alt=sse&api-version=1"
    assert Destination("w", {}, "https://h/as/it/is", query="a=1", whole=True).url("/x") == "https://h/as/it/is?a=1"
