"""Our request beside theirs, written by hand, one rule of the API each: files in ``requests``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.wire import anthropic_messages as wire

FOLDER = Path(__file__).parent / "requests"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_our_request_becomes_theirs(path: Path) -> None:
    case = json.loads(path.read_bytes())

    outgoing = wire.encode(ChatRequest.model_validate(case["ours"]), Model(**case["model"]), wire.dialect({}))

    assert outgoing.body == case["theirs"], case["about"]
    assert outgoing.streamed is case["streamed"]
    assert outgoing.path == "/v1/messages"
    assert outgoing.headers == {"anthropic-version": "2023-06-01"}
