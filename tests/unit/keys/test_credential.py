"""A credential never shows its secret, nor lets a text show it."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from keyway.capabilities import Model
from keyway.chat import Caller, ChatRequest
from keyway.errors import KeywayError
from keyway.keys.credential import Credential
from keyway.keys.pool import KeyPool
from keyway.keys.resolve import Resolver
from tests.unit.keys.stores import DOWN, PROVIDERS, Listed, Stores

SECRETS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-_.", min_size=12, max_size=60)
TEXT = st.text(" abcdefghijklmnopqrstuvwxyz,:'\n", max_size=40)


@given(SECRETS, st.sampled_from(["byok", "caller", "hosted", "legacy"]))
def test_it_does_not_print_its_secret(secret, origin):
    credential = Credential(secret, origin, "OPENAI_API_KEY_1" if origin == "hosted" else None)
    for shown in (repr(credential), str(credential), f"{credential}", f"{[credential]!r}"):
        assert secret not in shown
        assert origin in shown


@given(SECRETS, st.lists(TEXT.filter(bool), min_size=1, max_size=4))
def test_redaction_removes_every_occurrence_and_nothing_else(secret, texts):
    shown = Credential(secret, "byok").redact(secret.join(texts))
    assert secret not in shown
    assert shown == "[redacted]".join(texts)


@given(SECRETS, TEXT, TEXT, st.data())
def test_redaction_removes_long_pieces(secret, before, after, data):
    start = data.draw(st.integers(0, len(secret) - 8))
    piece = secret[start : data.draw(st.integers(start + 8, len(secret)))]
    assert Credential(secret, "caller").redact(before + piece + after) == f"{before}[redacted]{after}"


@given(st.text(min_size=1, max_size=20), st.text(max_size=60))
def test_no_part_of_eight_characters_survives_in_any_text(secret, text):
    shown = Credential(secret, "caller").redact(text + secret + text)
    size = min(8, len(secret))
    pieces = {secret[at : at + size] for at in range(len(secret) - size + 1)}
    for part in shown.split("[redacted]"):
        assert not [piece for piece in pieces if piece in part]


def test_occurrences_side_by_side_are_one_mark():
    assert Credential("sk-12345678", "byok").redact("sk-12345678sk-12345678!") == "[redacted]!"


def test_a_short_secret_is_removed_whole():
    assert Credential("abc", "byok").redact("key abc, not ab") == "key [redacted], not ab"


@pytest.mark.parametrize(
    "credential", [Credential("empty", "none"), Credential(None, "none"), Credential(None, "ambient")]
)
def test_where_there_is_no_secret_nothing_is_removed(credential):
    assert credential.redact("the body was empty") == "the body was empty"


@pytest.mark.parametrize(
    ("origin", "platform"),
    [
        ("byok", False),
        ("caller", False),
        ("hosted", True),
        ("legacy", True),
        ("ambient", True),
        ("none", False),
    ],
)
def test_whose_it_is(origin, platform):
    assert Credential(None, origin).is_platform is platform


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the log is cleared by hand
@given(
    secret=SECRETS,
    provider=st.sampled_from(sorted(PROVIDERS)),
    platform=st.sampled_from(["all", "none", "down"]),
    pair=st.sampled_from(["none", "id", "secret", "both"]),
    yes=st.fixed_dictionaries(dict.fromkeys(["stored", "brought", "flag", "hosted", "chosen"], st.booleans())),
)
async def test_no_error_or_log_of_a_search_holds_a_secret(caplog, *, secret, provider, platform, pair, yes):
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    row = PROVIDERS[provider]
    names = [row.platform_key or "X_1", f"{row.hosting.key_prefix}_1" if row.hosting else "Y_1"]
    document = {"all": dict.fromkeys(names, secret), "none": {}, "down": DOWN}[platform]
    stores = Stores(stored=secret if yes["stored"] else None, document=document, flag=yes["flag"])
    fields = {"provider": provider, "model": "listed", "systemPrompt": "hello"}
    if pair in ("id", "both"):
        fields["bedrockAccessKeyId"] = "AKIA"
    if pair in ("secret", "both"):
        fields["bedrockSecretKey"] = SecretStr(secret)
    caller = Caller.model_validate({"apiKey": SecretStr(secret) if yes["brought"] else None, "workspaceId": "ws-1"})
    resolver = Resolver(
        catalog=Listed(),
        hosted=yes["hosted"],
        workspace_keys=stores,
        platform_keys=stores,
        flags=stores,
        pool=KeyPool(0),
    )
    try:
        shown = repr(
            await resolver.resolve(
                ChatRequest.model_validate(fields),
                caller,
                row,
                Model("listed", provider, "listed"),
                minute=0,
                caller_chose_address=yes["chosen"],
            )
        )
    except KeywayError as error:
        shown = f"{error!r} {error} {error.to_json('r-1')}"
    assert secret not in shown + repr(caller) + caplog.text
