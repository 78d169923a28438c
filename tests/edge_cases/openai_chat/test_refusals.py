"""Refused requests, one body each in ``refusals``: the error it stands for, and what to send in one more try."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyway.wire import openai_chat as wire
from keyway.wire.contract import Outgoing
from keyway.wire.openai_chat import compatibility

FOLDER = Path(__file__).parent / "refusals"
CASES = {path.stem: json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}
RETRIES = {name: case for name, case in CASES.items() if "sent" in case}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_a_refusal_stands_for(case):
    error = wire.failure(case["status"], case["headers"], case["body"].encode(), provider="p", now=0.0)

    assert (error.type, error.upstream_status) == (case["error"], case["status"])
    assert case["said"] in error.message
    assert error.retry_after == case.get("retryAfter")


@pytest.mark.parametrize("case", RETRIES.values(), ids=RETRIES)
def test_what_is_sent_in_one_more_try(case):
    sent = Outgoing("/chat/completions", case["sent"], streamed=True)
    field = compatibility.refused_field(sent, case["status"], case["body"].encode())
    again = compatibility.without(sent, field) if field else None

    assert (again.body if again else None) == case["again"]
