"""However often a request is sent, it is settled once; and a bug on the way is told as one, without its words."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence

import pytest

from infra.local.provider import Break, Cut, HangUp, Refusal, Say, Script, ScriptedProvider, Start, Tokens, Verbatim
from keyway.billing.records import Record
from keyway.billing.settlement import Statement
from keyway.catalog import Catalog
from keyway.chat import Caller, ChatRequest
from keyway.doors.native.stream import EventStream
from keyway.errors import InternalError, KeywayError, RateLimited
from keyway.gateway import Gateway
from keyway.http_request import HttpRequest
from keyway.report import Report
from tests.exchange.harness import (
    HOSTED_SECRET,
    MODELS,
    SECRETS,
    WORKSPACE_SECRET,
    Lines,
    call,
    captured,
    gateway,
    gateway_over,
)

VENDORS = sorted(MODELS)
CALLER = Caller.model_validate({"workspaceId": "w", "userId": "u"})
COUNTS = Tokens(input=1_000, output=500)
BUSY = Refusal(503, "server_error", "busy")


def request(provider: str = "openai", *, stream: bool = True, model: str | None = None) -> ChatRequest:
    message = {"role": "user", "content": "Hello"}
    return ChatRequest.model_validate(
        {"provider": provider, "model": model or MODELS[provider], "messages": [message], "stream": stream}
    )


@contextlib.contextmanager
def one_exchange() -> Iterator[Lines]:
    """The lines of what happens inside, of which exactly one is an exchange's, and none holds a secret."""
    with captured() as lines:
        yield lines
    assert len(lines.exchanges) == 1
    assert not [secret for secret in SECRETS if secret in lines.text]
    assert "Traceback" not in lines.text


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("failures", [1, 2])
async def test_an_answer_after_failures_is_used_once_and_charged_once(vendor, stream, failures):
    with one_exchange() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            for _ in range(failures):
                provider.reply(BUSY)
            provider.script(Say("Hello"), tokens=COUNTS)
            answer = await (await keyway.open(request(vendor, stream=stream), CALLER, call())).whole()
            assert answer.content == "Hello"
            assert len(provider.requests) == failures + 1
            assert len({received.key for received in provider.requests}) == 1
    assert [len(lines.named(name)) for name in ("Used", "CostCharged", "Failed")] == [1, 1, 0]


@pytest.mark.parametrize("vendor", VENDORS)
async def test_failures_without_an_answer_are_one_failure(vendor):
    with one_exchange() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            for _ in range(3):
                provider.reply(Refusal(429, "rate_limit_error", "slow down", headers={"retry-after": "2"}))
            with pytest.raises(RateLimited) as limited:
                await keyway.open(request(vendor), CALLER, call())
            assert len(provider.requests) == 3
    assert limited.value.retry_after == 2.0
    assert [line["Reason"] for line in lines.named("Failed")] == ["rate_limited"]
    assert not lines.named("Used")


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("breaks", [HangUp(), Cut(), Break("overloaded_error", "busy")])
async def test_nothing_is_sent_again_once_a_byte_of_the_answer_was_there(vendor, breaks):
    with one_exchange() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.script(Say("Hel"), breaks, tokens=COUNTS)
            with pytest.raises(KeywayError):
                await (await keyway.open(request(vendor), CALLER, call())).whole()
            assert len(provider.requests) == 1
    assert [len(lines.named(name)) for name in ("Used", "CostCharged", "Failed")] == [1, 0, 1]


@pytest.mark.parametrize(
    "reply", [Script(Start(), Break("overloaded_error", "busy")), Verbatim(200, b"<html>gone</html>")]
)
async def test_nor_once_its_status_said_success(reply):
    with one_exchange() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.reply(reply)
            with pytest.raises(KeywayError):
                await (await keyway.open(request("anthropic"), CALLER, call())).whole()
            assert len(provider.requests) == 1
    assert len(lines.named("Failed")) == 1


@pytest.mark.parametrize("secret", [HOSTED_SECRET, HOSTED_SECRET[3:15]])
async def test_a_key_that_the_provider_quotes_is_quoted_by_nobody_else(secret):
    with one_exchange():
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.reply(Refusal(400, "invalid_request_error", f"no such thing as {secret} here"))
            with pytest.raises(KeywayError) as refused:
                await keyway.open(request(), CALLER, call())
    for text in (str(refused.value), repr(refused.value), str(refused.value.args), str(refused.value.to_json("r"))):
        assert secret not in text


class QuotingError(TypeError):
    """A mistake of ours whose text quotes what it must not."""

    def __init__(self) -> None:
        super().__init__(f"cannot add {HOSTED_SECRET} to {WORKSPACE_SECRET}")


class Buggy:
    """An upstream, and its answer, with a bug at one place."""

    status = 200
    headers: Mapping[str, str] = {"content-type": "text/event-stream"}

    def __init__(self, *reads: object, in_send: bool = False) -> None:
        self._reads = list(reads)
        self._in_send = in_send
        self.closed = 0

    async def send(self, _request: HttpRequest) -> Buggy:
        if self._in_send:
            raise QuotingError
        return self

    async def read(self) -> bytes:
        if not self._reads:
            raise QuotingError
        return self._reads.pop(0)  # type: ignore[return-value]  # the bug may be just that

    async def aclose(self) -> None:
        self.closed += 1


BEGUN = b'event: message_start\ndata: {"type": "message_start", "message": {"usage": {"input_tokens": 10}}}\n\n'
NOT_BYTES = "text, where the wire expects bytes"


async def shown(keyway: Gateway, *, stream: bool = True, model: str | None = None, provider: str = "anthropic") -> str:
    """All that a caller and a runtime may see of a request."""
    try:
        exchange = await keyway.open(request(provider, stream=stream, model=model), CALLER, call())
    except InternalError as error:
        return f"{error} {error!r} {error.to_json('r')}"
    body = EventStream(exchange, "r")
    sent = b"".join([piece async for piece in body]).decode()
    await body.aclose()
    assert sent.count("event: error") == 1
    return sent


PLACES: Mapping[str, tuple[object, ...]] = {
    "in the first read": (),
    "in a later read": (BEGUN,),
    "in decoding": (NOT_BYTES,),
    "in decoding later": (BEGUN, NOT_BYTES),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("place", ["in sending", *PLACES])
async def test_a_bug_on_the_way_is_told_as_one(place, stream):
    upstream = Buggy(*PLACES.get(place, ()), in_send=place == "in sending")
    with one_exchange() as lines:
        text = await shown(gateway_over(upstream), stream=stream)
    assert "InternalError" in text
    assert "finds this request's id in the log" in text
    for word in (*SECRETS, "cannot add", "TypeError", "QuotingError", "Traceback", ".py"):
        assert word not in text
    (ended,) = lines.exchanges
    assert ended["ending"] == "failed"
    assert ".py:" in str(ended["at"]), "the log says where"
    assert "cannot add" not in lines.text
    assert [line["Reason"] for line in lines.named("Failed")] == ["other"]


async def test_a_row_that_names_no_protocol_is_a_bug_before_anything_is_sent():
    row = {"name": "Made up", "wire": "made_up", "baseUrl": "https://made.up", "auth": [], "legacyKeys": "empty"}
    with one_exchange() as lines:
        catalog = Catalog.load(providers={"made-up": row})
        text = await shown(gateway_over(Buggy(in_send=True), catalog=catalog), provider="made-up", model="x")
    assert "InternalError" in text
    assert [line["ending"] for line in lines.exchanges] == ["refused"]
    assert not lines.metrics


class FailingJournal:
    """A journal that breaks its promise never to raise, when an exchange ends."""

    def __init__(self) -> None:
        self.settled_times = 0

    def refused(self, _report: Report, _error: BaseException) -> None:
        raise AssertionError

    def record(self, _report: Report, _records: Sequence[Record]) -> None:
        """Takes anything."""

    def settled(self, _report: Report, _statement: Statement, _error: BaseException | None) -> None:
        self.settled_times += 1
        raise QuotingError


async def test_a_bug_while_it_is_settled_settles_it_no_second_time():
    journal = FailingJournal()
    upstream = Buggy(
        b'{"type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn",'
        b' "usage": {"input_tokens": 1, "output_tokens": 1}}',
        b"",
    )
    text = await shown(gateway_over(upstream, journal=journal), stream=False)
    assert "InternalError" in text
    assert "cannot add" not in text
    assert (journal.settled_times, upstream.closed) == (1, 1)


@pytest.mark.parametrize(
    ("said", "logged"),
    [("msg_1", "msg_1"), (f"msg_{HOSTED_SECRET}", "msg_[redacted]"), ("m" * 1_000, "m" * 128)],
)
async def test_an_answer_can_be_named_to_its_provider(said, logged):
    body = {
        "id": said,
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Hello."}],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    with one_exchange() as lines:
        async with ScriptedProvider() as provider, gateway(provider) as keyway:
            provider.reply(Verbatim(200, json.dumps(body).encode(), "application/json"))
            await (await keyway.open(request("anthropic", stream=False), CALLER, call())).whole()
    assert lines.exchanges[0]["responseId"] == logged
