"""Providers that fail: before the first byte that is an HTTP status, after it an ``error`` event; never a charge."""

from __future__ import annotations

import pytest

from infra.local.caller import Caller
from infra.local.provider import (
    Break,
    Cut,
    HangUp,
    Raw,
    Refusal,
    Reply,
    Say,
    Script,
    ScriptedProvider,
    Start,
    Step,
    Tokens,
    Verbatim,
)
from infra.local.system import LocalSystem
from keyway.retry import RETRIES
from tests.local.asking import assert_charged_once, assert_failed_once, both_vendors, for_good, question, streamed

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSALS = [
    (Refusal(400, "invalid_request_error", "too long"), 400, "ProviderRejected", "other"),
    (Refusal(401, "authentication_error", "bad key", code="invalid_api_key"), 502, "AuthFailed", "auth"),
    (Refusal(403, "permission_error", "Your quota is used up"), 429, "RateLimited", "rate_limited"),
    (Refusal(404, "not_found_error", "no such model", code="model_not_found"), 404, "ModelUnavailable", "other"),
    (Refusal(429, "rate_limit_error", "slow down", headers={"retry-after": "7"}), 429, "RateLimited", "rate_limited"),
    (Refusal(500, "api_error", "oh no"), 503, "ProviderUnavailable", "other"),
    (Refusal(529, "overloaded_error", "Overloaded"), 503, "ProviderUnavailable", "other"),
    (Verbatim(502, b"<html><h1>Bad gateway</h1></html>"), 503, "ProviderUnavailable", "other"),
    (Verbatim(503, b""), 503, "ProviderUnavailable", "rate_limited"),
]


@both_vendors
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("reply", "status", "error", "reason"), REFUSALS)
async def test_a_refusal_is_an_http_error_and_one_failed_metric(
    system: LocalSystem,
    provider: ScriptedProvider,
    caller: Caller,
    *,
    vendor: str,
    stream: bool,
    reply: Reply,
    status: int,
    error: str,
    reason: str,
) -> None:
    provider.reply(for_good(reply))
    answer = await caller.post(question(vendor, stream=stream))
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json is not None
    told = answer.json["error"]
    assert isinstance(told, dict)
    assert (told["type"], told["status"], told["provider"]) == (error, status, vendor)
    assert b"<html" not in answer.body
    if isinstance(reply, Refusal) and "retry-after" in reply.headers:
        assert (told["retryAfter"], answer.headers["retry-after"]) == (7, "7")
    assert_failed_once(await system.lines.about(str(told["requestId"])), reason)


@both_vendors
async def test_the_name_of_the_failed_key_is_in_the_metric_and_its_secret_nowhere(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    """The vendor repeats the very key that it was sent."""
    provider.reply(lambda key: Refusal(400, "invalid_request_error", f"what is {key}?"))
    provider.reply(lambda key: Refusal(401, "authentication_error", f"Incorrect API key provided: {key}"))
    for _ in range(2):
        answer = await caller.post(question(vendor, stream=True))
        assert answer.json is not None
        used = provider.requests[-1].key
        assert used is not None
        assert used.encode() not in answer.body
        written = await system.lines.about(str(answer.json["error"]["requestId"]))  # type: ignore[index]
        assert written.named("Failed")[0].dimensions["Key"].endswith(("_1", "_2"))


BROKEN: list[tuple[str, tuple[Step, ...]]] = [
    ("an error event", (Say("Hel"), Break("server_error", "boom"))),
    ("an error event in another shape", (Say("Hel"), Break("server_error", "boom", "nested"))),
    ("a final event that reports the failure", (Say("Hel"), Break("server_error", "boom", "final"))),
    ("an end without a terminal event", (Say("Hel"), Cut())),
    ("a dropped connection", (Say("Hel"), HangUp())),
    ("a frame that is not JSON", (Say("Hel"), Raw(b"data: {oops\n\n"), Say("lo"))),
]


@both_vendors
@pytest.mark.parametrize(("about", "steps"), BROKEN)
async def test_a_stream_that_breaks_after_its_first_byte_ends_with_an_error_event_and_charges_nothing(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, *, vendor: str, about: str, steps: tuple[Step, ...]
) -> None:
    provider.script(*steps)
    stream = await streamed(caller, question(vendor))
    assert stream.texts == ["Hel"], about
    assert stream.names == ["text_delta", "error"]
    assert stream.last["status"] in (502, 503)
    assert stream.last["retryable"] is True
    # The provider had accepted the request, so the key was used; what it was used for is not charged.
    written = await system.lines.about(stream.last["requestId"])
    assert_failed_once(written, "other", used=True)


@both_vendors
@pytest.mark.parametrize(
    ("about", "steps"), [(about, steps[1:]) for about, steps in BROKEN if about != "a frame that is not JSON"]
)
async def test_the_same_before_any_content_is_an_http_error(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, *, vendor: str, about: str, steps: tuple[Step, ...]
) -> None:
    for _ in range(1 + RETRIES):  # a dropped connection is tried again; no other of these is
        provider.script(*steps)
    answer = await caller.post(question(vendor, stream=False))
    provider.forget()
    assert answer.status in (502, 503), about
    assert answer.json is not None
    written = await system.lines.about(str(answer.json["error"]["requestId"]))  # type: ignore[index]
    assert not written.named("CostCharged")
    assert len(written.named("Failed")) == 1


@both_vendors
async def test_an_overload_told_in_the_stream_is_as_retryable_as_one_told_by_status(
    provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    kind = "overloaded_error" if vendor == "anthropic" else "rate_limit_exceeded"
    provider.script(Say("Hel"), Break(kind, "Too much"))
    last = (await streamed(caller, question(vendor))).last
    assert (last["type"], last["status"]) == (
        ("ProviderUnavailable", 503) if vendor == "anthropic" else ("RateLimited", 429)
    )


@both_vendors
async def test_an_answer_without_usage_is_not_free_in_silence(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    provider.reply(Script(Say("Hello"), report_tokens=False))
    answer = (await streamed(caller, question(vendor))).last
    assert answer["content"] == "Hello"
    written = await system.lines.about(answer["requestId"])
    assert_failed_once(written, "metering", used=True)
    assert any('"ERROR"' in line and answer["requestId"] in line for line in system.lines.all)


@both_vendors
async def test_what_a_broken_stream_is_known_to_have_cost_is_absorbed_and_not_charged(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, vendor: str
) -> None:
    if vendor == "openai":  # reports usage only at the end, here of a failed response
        provider.script(Say("Hel"), Break("server_error", "boom", "final"), tokens=Tokens(1000, 100))
    else:  # reports the input's share at the start
        provider.script(Say("Hel"), Cut(), tokens=Tokens(1000, 100))
    stream = await streamed(caller, question(vendor))
    written = await system.lines.about(stream.last["requestId"])
    assert not written.named("CostCharged")
    (absorbed,) = written.named("CostAbsorbed")
    assert absorbed.value > 0
    assert absorbed.unit == "None"


@both_vendors
async def test_the_content_type_is_not_believed(provider: ScriptedProvider, caller: Caller, vendor: str) -> None:
    provider.reply(Script(Say("Hello"), content_type="text/html"))
    assert (await streamed(caller, question(vendor))).last["content"] == "Hello"
    document = {"openai": OPENAI_DOCUMENT, "anthropic": ANTHROPIC_DOCUMENT}[vendor]
    provider.reply(Verbatim(200, b"\n\n\n" + document, "text/event-stream"))
    assert (await streamed(caller, question(vendor))).last["content"] == "Hello"


@both_vendors
@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"[]", b"{}", b"null"])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_successful_status_with_nonsense_is_an_error(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller, *, vendor: str, body: bytes, stream: bool
) -> None:
    provider.reply(Verbatim(200, body, "application/json"))
    answer = await caller.post(question(vendor, stream=stream))
    if answer.status == 200:  # the body came in two reads, and a stream was begun with the first of them
        assert stream
        assert b"event: error" in answer.body
        assert b'"type": "ProviderProtocolError"' in answer.body
    else:
        assert answer.status == 502
    written = await system.lines.about(answer.headers["x-amzn-requestid"])
    assert [metric.dimensions["Reason"] for metric in written.named("Failed")] == ["other"]
    assert not written.named("CostCharged")


async def test_after_all_this_the_environment_still_serves(
    system: LocalSystem, provider: ScriptedProvider, caller: Caller
) -> None:
    provider.script(Start(), Say("Hello"), tokens=Tokens(1000, 100))
    answer = (await streamed(caller, question("openai"))).last
    assert_charged_once(answer, await system.lines.about(answer["requestId"]))
    assert system.complaints == []


OPENAI_DOCUMENT = b"""{"id":"resp_1","object":"response","status":"completed","model":"gpt-4.1","output":[
{"type":"message","id":"msg_1","status":"completed","role":"assistant",
"content":[{"type":"output_text","text":"Hello","annotations":[]}]}],
"usage":{"input_tokens":10,"output_tokens":2,"total_tokens":12}}"""
ANTHROPIC_DOCUMENT = b"""{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-6",
"content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","stop_sequence":null,
"usage":{"input_tokens":10,"output_tokens":2}}"""
