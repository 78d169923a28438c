"""Signatures, byte for byte, and whose keys make them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from infra.local.provider import Say, ScriptedProvider
from keyway.answer import Origin
from keyway.errors import AuthFailed, KeywayError, ProviderUnavailable
from keyway.events import TextDelta
from keyway.http_request import HttpRequest
from keyway.keys.credential import Credential
from keyway.outside.signing import AwsSigner
from keyway.outside.upstream import HttpUpstream
from keyway.wire import bedrock_converse as wire

KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REQUEST = HttpRequest(
    recipient="bedrock",
    url="https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
    headers={"content-type": "application/json", "accept": "application/json", "user-agent": "keyway"},
    content=b'{"messages":[{"role":"user","content":[{"text":"hi"}]}]}',
)
SCOPE = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20260102/us-east-1/bedrock/aws4_request"
CALLERS = Credential(SECRET, "caller")
ROLE = Credential(None, "ambient")


def signer(bearer_token: str | None = None) -> AwsSigner:
    return AwsSigner(bearer_token=bearer_token, now=lambda: AT)


async def signed(by: AwsSigner, credential: Credential, access_key_id: str | None = None) -> dict[str, str]:
    """The headers that were added. Nothing else may have changed."""
    request = await by.sign(REQUEST, credential, region="us-east-1", access_key_id=access_key_id)
    assert (request.url, request.content, request.recipient) == (REQUEST.url, REQUEST.content, REQUEST.recipient)
    assert REQUEST.headers.items() <= request.headers.items()
    return {name: value for name, value in request.headers.items() if name not in REQUEST.headers}


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


async def test_the_callers_keys() -> None:
    assert await signed(signer(), CALLERS, KEY_ID) == {
        "x-amz-date": "20260102T030405Z",
        "authorization": f"{SCOPE}, SignedHeaders=content-type;host;x-amz-date, "
        "Signature=6b18186d5132c71249f705372d764ddfd8a9890b662230fb355af564c05e1c35",
    }


async def test_the_functions_role_has_a_session_token_that_is_signed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "SESSIONTOKEN")

    assert await signed(signer(), ROLE) == {
        "x-amz-date": "20260102T030405Z",
        "x-amz-security-token": "SESSIONTOKEN",
        "authorization": f"{SCOPE}, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
        "Signature=5bf7a2fca3561c0001ea71e3ba7dafd204e9a272c22ec52fb40d5adab5f47f22",
    }


async def test_the_operators_bearer_token_stands_in_for_the_role() -> None:
    assert await signed(signer("bedrock-api-key"), ROLE) == {"authorization": "Bearer bedrock-api-key"}


async def test_the_operators_bearer_token_does_not_stand_in_for_the_callers_keys() -> None:
    assert (await signed(signer("bedrock-api-key"), CALLERS, KEY_ID))["authorization"].startswith(SCOPE)


@pytest.mark.parametrize("origin", ["caller", "byok", "legacy"])
async def test_a_key_without_an_access_key_id_is_a_bearer_token(origin: Origin) -> None:
    assert await signed(signer(), Credential("abc", origin)) == {"authorization": "Bearer abc"}


async def test_an_access_key_id_says_nothing_about_somebody_elses_secret() -> None:
    assert await signed(signer(), Credential("abc", "byok"), KEY_ID) == {"authorization": "Bearer abc"}


@pytest.mark.parametrize("bad", ["two\nlines", "schlüssel", " blank "])
async def test_a_key_that_no_header_may_carry_is_refused_and_not_repeated(bad: str) -> None:
    for credential, access_key_id in ((Credential(bad, "caller"), None), (CALLERS, bad)):
        with pytest.raises(AuthFailed) as raised:
            await signed(signer(), credential, access_key_id)
        assert bad.strip() not in str(raised.value)


@pytest.mark.usefixtures("no_keys")
async def test_a_function_without_keys_is_the_operators_concern() -> None:
    with pytest.raises(AuthFailed, match="no AWS keys of its own") as raised:
        await signed(signer(), ROLE)
    assert raised.value.status == 502


class Container:
    """Hands out a role's temporary keys over HTTP, as the agent beside a restored function does."""

    def __init__(self) -> None:
        self.asked = 0
        self.lifetime = timedelta(hours=1)
        outer = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                expires = datetime.now(UTC) + outer.lifetime
                body = {
                    "AccessKeyId": f"ASIA{outer.asked}",
                    "SecretAccessKey": "s",
                    "Token": "t",
                    "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Answers)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def container(no_keys: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:  # noqa: ARG001
    running = Container()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", running.url)
    yield running
    running.close()


async def key_id(by: AwsSigner) -> str:
    return (await signed(by, ROLE))["authorization"].partition("Credential=")[2].partition("/")[0]


@pytest.mark.usefixtures("container")
async def test_the_roles_keys_are_read_once_and_kept() -> None:
    by = signer()
    assert [await key_id(by), await key_id(by)] == ["ASIA1", "ASIA1"]


async def test_the_roles_keys_are_renewed_before_they_run_out(container: Container) -> None:
    container.lifetime = timedelta(minutes=1)
    by = signer()
    first = await key_id(by)
    container.lifetime = timedelta(hours=1)
    assert await key_id(by) != first


@pytest.mark.usefixtures("container")
async def test_a_restored_snapshot_forgets_the_roles_keys() -> None:
    by = signer()
    assert await key_id(by) == "ASIA1"
    by.restored()
    assert await key_id(by) == "ASIA2"


@pytest.mark.usefixtures("no_keys")
async def test_keys_that_cannot_be_read_are_a_passing_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ProviderUnavailable, match="cannot be read at the moment"):
        await signed(signer(), ROLE)


async def test_a_signed_request_is_answered() -> None:
    async with ScriptedProvider(keys={"bedrock": [KEY_ID]}) as provider:
        provider.script(Say("Hel"), Say("lo"))
        upstream = HttpUpstream()
        url = f"{provider.base_urls['bedrock']}/model/us.amazon.nova-lite-v1%3A0/converse-stream"
        request = HttpRequest("bedrock", url, REQUEST.headers, REQUEST.content)
        answer = await upstream.send(await AwsSigner().sign(request, CALLERS, region="us-east-1", access_key_id=KEY_ID))
        decoder = wire.decoder(wire.dialect({}), provider="bedrock")
        said = []
        while data := await answer.read():
            said += [event.text for event in decoder.feed(data) if isinstance(event, TextDelta)]
        await answer.aclose()
        await upstream.aclose()
    assert said == ["Hel", "lo"]


async def test_a_request_that_is_not_signed_is_refused() -> None:
    async with ScriptedProvider() as provider:
        upstream = HttpUpstream()
        url = f"{provider.base_urls['bedrock']}/model/us.amazon.nova-lite-v1%3A0/converse"
        answer = await upstream.send(HttpRequest("bedrock", url, REQUEST.headers, REQUEST.content))
        error: KeywayError = wire.failure(answer.status, answer.headers, await answer.read(), provider="b", now=0.0)
        await answer.aclose()
        await upstream.aclose()
    assert isinstance(error, AuthFailed)


def test_importing_the_signer_and_using_a_bearer_token_imports_no_botocore() -> None:
    program = (
        "import asyncio, sys\n"
        "from keyway.http_request import HttpRequest\n"
        "from keyway.keys.credential import Credential\n"
        "from keyway.outside.signing import AwsSigner\n"
        "request = HttpRequest('bedrock', 'https://example.com', {}, b'')\n"
        "asyncio.run(AwsSigner().sign(request, Credential('k', 'byok'), region='us-east-1', access_key_id=None))\n"
        "sys.exit(any(name.startswith('boto') for name in sys.modules))\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(root / "layers" / "keyway" / "python")},
        check=False,
    )
    assert done.returncode == 0
