"""The ledger's lines as CloudWatch reads them: names, units, exact dimensions, and what rides along."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from keyway.answer import Origin
from keyway.billing.records import (
    CostAbsorbed,
    CostCharged,
    Failed,
    LimitUncounted,
    QueueWaitDuration,
    QueueWaitExceeded,
    Record,
    Throttled,
    UnknownModelCost,
    UpstreamRateLimited,
    Used,
)
from keyway.billing.settlement import Ending, Settlement, Terms
from keyway.capabilities import Model
from keyway.chat import Caller, ChatRequest
from keyway.errors import AuthFailed, InvalidRequest, KeyRequired, ProviderUnavailable
from keyway.events import TextDelta, TurnFinished, Usage
from keyway.keys.credential import Credential
from keyway.money import Price, Rates
from keyway.outside.log_lines import JsonLines, log_to_stdout
from keyway.outside.telemetry import Telemetry
from keyway.report import Report

PRICE = Price(Rates(input=Decimal("2.5"), output=Decimal(10)), "2026-06-11", "v1")
USAGE = Usage(input=1_000, output=500, cache_read=200, reasoning=30)
SECRET = "sk-hosted-0123456789abcdef"

LEDGER = {
    "requestId": "request-1",
    "workspaceId": "w",
    "userId": "u",
    "orgId": "o",
    "workflowId": "f",
    "chatId": "c",
    "provider": "openai",
    "model": "gpt-4.1",
    "credentialOrigin": "hosted",
    "key": "OPENAI_API_KEY_2",
    "finishReason": "stop",
    "multiplier": "1.1",
    "priceVersion": "v1",
    "tokens": {"input": 1000, "output": 500, "total": 1500, "cacheRead": 200, "cacheWrite": 0, "reasoning": 30},
}


@pytest.fixture(autouse=True)
def _to_stdout() -> None:
    log_to_stdout("keyway")


def report(origin: Origin = "hosted", key: str | None = "OPENAI_API_KEY_2", *, finished: bool = True) -> Report:
    message = {"role": "user", "content": "a private thought"}
    request = ChatRequest.model_validate(
        {"provider": "openai", "model": "GPT-4.1", "messages": [message], "stream": True}
    )
    caller = Caller.model_validate(
        {"apiKey": SECRET, "workspaceId": "w", "userId": "u", "orgId": "o", "workflowId": "f", "chatId": "c"}
    )
    made = Report(request, caller, "request-1", started=1_700_000_000.0)
    terms = Terms(origin, billed=origin == "hosted", price=PRICE, multiplier=Decimal("1.1"))
    made.resolved(Model("gpt-4.1", "openai", "gpt-4.1"), Credential(SECRET, origin, key), terms)
    if finished:
        turn = made.begin(1_700_000_000.1)
        turn.heard(1_700_000_000.25)
        turn.add(TextDelta("a private answer"))
        turn.add(TurnFinished("stop", USAGE))
        made.ended = 1_700_000_001.5
    return made


def telemetry(environment: str = "test") -> Telemetry:
    return Telemetry(namespace="Keyway/HostedKey", environment=environment)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """What was written so far, a JSON object for each line."""

    def read() -> list[dict[str, Any]]:
        text = capsys.readouterr().out
        assert SECRET not in text
        assert "private" not in text, "neither question nor answer is anybody's business"
        assert not text or text.endswith("\n")
        return [json.loads(line) for line in text.splitlines()]

    return read


MODEL = {"Provider": "openai", "Tool": "gpt-4.1"}
KEY = {"Key": "OPENAI_API_KEY_2"}

METRICS = [
    (Used(), "Used", "Count", 1.0, MODEL | KEY),
    (Failed("rate_limited"), "Failed", "Count", 1.0, MODEL | KEY | {"Reason": "rate_limited"}),
    (Failed("auth"), "Failed", "Count", 1.0, MODEL | KEY | {"Reason": "auth"}),
    (Failed("other"), "Failed", "Count", 1.0, MODEL | KEY | {"Reason": "other"}),
    (Failed("timeout"), "Failed", "Count", 1.0, MODEL | KEY | {"Reason": "timeout"}),
    (Failed("metering"), "Failed", "Count", 1.0, MODEL | KEY | {"Reason": "metering"}),
    (CostCharged(Decimal("0.00825")), "CostCharged", "None", 0.00825, MODEL),
    (CostAbsorbed(Decimal("0.0000001")), "CostAbsorbed", "None", 0.0000001, MODEL),
    (Throttled("billing_actor_limit"), "Throttled", "Count", 1.0, MODEL | {"Reason": "billing_actor_limit"}),
    (UpstreamRateLimited(), "UpstreamRateLimited", "Count", 1.0, {"Tool": "gpt-4.1"} | KEY),
    (
        QueueWaitDuration(12_500.00049, "dimension"),
        "QueueWaitDuration",
        "Milliseconds",
        12_500.0,
        {"Provider": "openai", "Reason": "dimension"},
    ),
    (
        QueueWaitExceeded("queue_position"),
        "QueueWaitExceeded",
        "Count",
        1.0,
        {"Provider": "openai", "Reason": "queue_position"},
    ),
    (UnknownModelCost(), "UnknownModelCost", "Count", 1.0, {"Tool": "gpt-4.1"}),
    (LimitUncounted(), "LimitUncounted", "Count", 1.0, {"Provider": "openai"}),
]


def test_the_table_above_has_every_metric():
    assert {name for _, name, *_ in METRICS} == names_below(Record)


def names_below(kind: type[Record]) -> set[str]:
    below = kind.__subclasses__()
    return set().union(*map(names_below, below)) if below else {kind.__name__}


def assert_is(line: dict[str, Any], name: str, unit: str, value: float, dimensions: dict[str, str]) -> None:
    """``line`` is exactly this metric in the Embedded Metric Format."""
    emf = line.pop("_aws")
    assert isinstance(emf.pop("Timestamp"), int)
    assert list(emf) == ["CloudWatchMetrics"]
    (directive,) = emf["CloudWatchMetrics"]
    assert directive["Namespace"] == "Keyway/HostedKey"
    assert directive["Metrics"] == [{"Name": name, "Unit": unit}]
    (names,) = directive["Dimensions"]
    assert names[0] == "Environment"
    assert {dimension: line.pop(dimension) for dimension in names} == {"Environment": "test", **dimensions}
    assert line.pop(name) == [value]
    assert line == LEDGER, "all else rides along, and nothing more"


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("service", [None, "somebody-elses-service"])
def test_a_metric(lines, monkeypatch, metric, service):
    monkeypatch.delenv("POWERTOOLS_SERVICE_NAME", raising=False)
    if service:
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", service)
        monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Elsewhere")
    record, *expected = metric
    telemetry().record(report(), [record])
    (line,) = [each for each in lines() if "_aws" in each]
    assert_is(line, *expected)


def test_each_record_has_a_line_of_its_own(lines):
    telemetry().record(report(), [Failed("other"), CostAbsorbed(Decimal(1))])
    failed, absorbed = lines()
    assert "Failed" in failed
    assert "CostAbsorbed" in absorbed
    assert "Reason" not in absorbed, "one dimension set does not run into another"


def test_two_exchanges_do_not_mix(lines):
    journal = telemetry()
    other = report(key="OPENAI_API_KEY_1")
    other.provider = "anthropic"
    journal.record(report(), [Used()])
    journal.record(other, [Failed("auth")])
    journal.record(report(), [Used()])
    assert [(line["Provider"], line["Key"], "Reason" in line) for line in lines()] == [
        ("openai", "OPENAI_API_KEY_2", False),
        ("anthropic", "OPENAI_API_KEY_1", True),
        ("openai", "OPENAI_API_KEY_2", False),
    ]


def test_what_is_not_known_is_left_out(lines):
    message = {"role": "user", "content": "private"}
    request = ChatRequest.model_validate({"provider": "openai", "model": "gpt-4.1", "messages": [message]})
    bare = Report(request, Caller(), "request-1", started=1.0)
    bare.resolved(
        Model("gpt-4.1", "openai", "gpt-4.1"),
        Credential(SECRET, "hosted", "OPENAI_API_KEY_1"),
        Terms("hosted", billed=True, price=PRICE),
    )
    telemetry().record(bare, [Used()])
    (line,) = lines()
    assert set(line) == {
        "_aws", "Environment", "Provider", "Tool", "Key", "Used", "requestId", "provider", "model", "credentialOrigin",
        "key", "multiplier", "priceVersion",
    }  # fmt: skip


@pytest.mark.parametrize("origin", ["byok", "caller", "legacy", "ambient", "none"])
def test_no_other_key_than_a_hosted_one_has_metrics(lines, origin):
    for ending, error in ((Ending.COMPLETED, None), (Ending.FAILED, ProviderUnavailable("no"))):
        made = report(origin, None)
        settlement = Settlement(Terms(origin, billed=origin == "legacy", price=PRICE))
        journal = telemetry()
        journal.record(made, settlement.accept())
        journal.settled(made, settlement.settle(ending, turns=[USAGE], error=error), error)
    written = lines()
    assert not [line for line in written if "_aws" in line]
    assert [line["exchange"]["credentialOrigin"] for line in written] == [origin, origin]


def settle(made: Report, error: BaseException | None = None, *, usage: Usage | None = USAGE) -> None:
    settlement = Settlement(Terms("hosted", billed=True, price=PRICE, multiplier=Decimal("1.1")))
    journal = telemetry()
    journal.record(made, settlement.accept())
    ending = Ending.FAILED if error else Ending.COMPLETED
    journal.settled(made, settlement.settle(ending, turns=[usage], error=error), error)


def test_every_exchange_has_one_log_line(lines):
    settle(report())
    used, charged, line = lines()
    assert "Used" in used
    assert "CostCharged" in charged
    del line["timestamp"]
    assert line == {
        "level": "INFO",
        "message": "exchange completed",
        "exchange": {
            **LEDGER,
            "ending": "completed",
            "streamed": True,
            "callerLeft": False,
            "cost": "0.00825000",
            "durationMs": 1500,
            "firstByteMs": 250,
        },
    }


def test_a_failed_one_says_why(lines):
    error = ProviderUnavailable("openai answered 500: no", provider="openai", upstream_status=500)
    settle(report(), error)
    *_, line = lines()
    assert (line["level"], line["message"]) == ("WARNING", "exchange failed")
    shown = line["exchange"]
    assert (shown["error"], shown["errorMessage"]) == ("ProviderUnavailable", "openai answered 500: no")
    assert (shown["status"], shown["upstreamStatus"], shown["reason"]) == (503, 500, "other")
    assert (shown["cost"], Decimal(shown["absorbed"])) == ("0", Decimal("0.0075"))


def test_one_that_could_not_be_metered_is_an_error(lines):
    settle(report(), usage=None)
    *_, line = lines()
    assert line["level"] == "ERROR"
    assert "could not be metered" in line["message"]


def test_a_bug_is_told_by_its_name_and_place_and_not_by_its_text(lines):
    try:
        raise TypeError(f"private: {SECRET}")
    except TypeError as bug:
        settle(report(), bug)
    *_, line = lines()
    shown = line["exchange"]
    assert shown["error"] == "TypeError"
    assert shown["at"].startswith("test_telemetry.py:")
    assert "errorMessage" not in shown


@pytest.mark.parametrize("error", [InvalidRequest("model: no"), KeyRequired("send one"), AuthFailed("no")])
def test_a_request_that_was_never_sent_is_one_line_and_no_metric(lines, error):
    telemetry().refused(report(finished=False), error)
    (line,) = lines()
    assert line["message"] == "request refused"
    assert (line["exchange"]["ending"], line["exchange"]["error"]) == ("refused", error.type)
    assert "_aws" not in line


@pytest.mark.parametrize("record", [Used(), CostCharged(Decimal(1))])
def test_a_metric_that_cannot_be_made_is_logged_and_breaks_nothing(lines, record: Record):
    odd = report()
    odd.key = Decimal(1)  # type: ignore[assignment]  # what JSON does not know
    telemetry().record(odd, [record, record])
    first, second = lines()
    for line in (first, second):
        assert (line["level"], line["message"]) == ("ERROR", "a metric could not be written")
        assert line["record"] == repr(record), "so that it can be written down by hand"
        assert line["exchange"] == LEDGER | {"key": "1"}
        assert line["cause"] == "TypeError"


class Full(io.StringIO):
    """A standard output that takes nothing more."""

    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


def test_half_a_character_can_be_logged(monkeypatch):
    """A model may write one, and standard output, which is UTF-8, takes none."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="utf-8"))
    # Handed over by itself: pytest, which listens to every logger, cannot write such a text into its report either.
    said = {"msg": "of \ud800", "levelname": "INFO", "tools": ["\udc00", "\u00e9"]}
    JsonLines().handle(logging.makeLogRecord(said))
    (line,) = written.getvalue().splitlines()
    assert (json.loads(line)["message"], json.loads(line)["tools"]) == ("of \ud800", ["\udc00", "\u00e9"])


def test_an_output_that_takes_nothing_breaks_nothing_either(monkeypatch):
    heard = io.StringIO()
    monkeypatch.setattr(sys, "stdout", Full())
    monkeypatch.setattr(sys, "stderr", heard)
    telemetry().record(report(), [Used()])
    settle(report())
    telemetry().refused(report(), KeyRequired("send one"))
    assert "No space left on device" in heard.getvalue(), "it is said where something is still heard"
    assert SECRET not in heard.getvalue()
