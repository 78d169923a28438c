"""Every recorded request that our vocabulary can express is encoded to one that means the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from keyway.wire.openai_responses import dialect, encode
from tests.conformance.feeding import Recording, load, recorded
from tests.conformance.openai_responses.recorded_requests import CannotExpress, meaning, our_request

WIRE = "openai_responses"

CANNOT = {
    "06d576bee7": "reasoning.context",
    "17728f5b18": "tool_search_call item",
    "190100f047": "detail/file_id",
    "1a01571bc2": "tool_search_call item",
    "22d12126b0": "background",
    "29c54cea58": "tool_search_call item",
    "4a9e135129": "web_search tool",
    "4b469e4177": "tool_choice allowed_tools",
    "535a4b6e54": "tool_search tool",
    "5e02752574": "context_management",
    "6574e6ee68": "web_search tool",
    "7bd045b5ea": "tool_search_call item",
    "8d7a8530b7": "reasoning.context",
    "8e8654657c": "context_management",
    "944f058442": "background",
    "9c05fbfe37": "tool_search_call item",
    "b747189cc9": "tool_search_call item",
    "bcb08137d8": "a tool's input_file",
    "bee68c8ac9": "reasoning.context",
    "cb7359ed26": "prompt_cache_options",
    "cd03549f39": "web_search tool",
    "d5c53008ac": "compaction item",
    "d7a0cd3287": "moderation",
    "e270c1938f": "reasoning.summary",
    "eda21a77d4": "conversation",
    "f742b781a6": "file_search tool",
}
"""Recordings that hold something our vocabulary has no word for, and what: hosted tools and their items, uploaded
files, state kept at the provider, and settings of a few hosts. One is a sound file, which this API refused as well."""


@recorded(WIRE, lambda row: row["id"] not in CANNOT)
def test_our_encoding_means_what_was_recorded(recording: Recording) -> None:
    request, model = our_request(recording.request)

    outgoing = encode(request, model, dialect({}))

    sent: dict[str, Any] = json.loads(json.dumps(outgoing.body))
    assert meaning(sent) == meaning(recording.request)
    assert outgoing.streamed == recording.stream
    assert sent["store"] is False
    assert [tool["strict"] for tool in sent.get("tools", [])] == [False] * len(recording.request.get("tools", []))


def test_the_requests_we_cannot_express_are_known(recordings: Path) -> None:
    cannot: dict[str, str] = {}
    for row in json.loads((recordings / "index.json").read_bytes()):
        if row["wire"] == WIRE:
            try:
                our_request(load(recordings, row).request)
            except CannotExpress as missing:
                cannot[row["id"]] = missing.args[0]
    assert cannot == CANNOT
