"""Requests that a vendor of Chat Completions would refuse in their plainest form: ours beside theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.wire import openai_chat as wire
from tests.conformance.openai_chat.dialects import DIALECTS

FOLDER = Path(__file__).parent / "requests"
MODEL = Model(id="m", provider="p", sent_as="m")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_our_request_becomes_theirs(path: Path):
    case = json.loads(path.read_bytes())
    request = ChatRequest.model_validate({"provider": "p", "model": "m", **case["ours"]})

    outgoing = wire.encode(request, MODEL, wire.dialect(DIALECTS[case["provider"]]))

    assert outgoing.body == {"model": "m", "stream": False, **case["theirs"]}, case["about"]
