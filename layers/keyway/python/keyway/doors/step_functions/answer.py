"""Makes an answer fit into what a Step Functions state may hold, which is 256 KiB of UTF-8 JSON.

An answer above 200 KiB is stored elsewhere; what a state machine gets in its place is a reference to it, with
everything it may want to choose by or add up. The room between the two limits is for the rest of the state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

INLINE = 200 * 1024
"""Bytes of the largest answer that is handed over whole."""

_LARGE = frozenset({"content", "thinking", "toolCalls", "toolResults", "providerExtras", "messages"})
"""What has no upper limit, and so stands in the stored answer only; ``timing.timeSegments`` is the seventh."""


def encoded(body: Mapping[str, object]) -> bytes:
    """``body`` as JSON in UTF-8, without spaces: what is measured, and what is stored."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair, from a model's broken escape, has no UTF-8; as an escape of ours it is still JSON.
        return json.dumps(body, separators=(",", ":")).encode()


def reference(body: Mapping[str, object], place: Mapping[str, object]) -> dict[str, object]:
    """``body`` without its large parts, and with ``answer``: where the whole of it is. About 1 KiB."""
    kept: dict[str, object] = {name: value for name, value in body.items() if name not in _LARGE}
    timing = body["timing"]
    assert isinstance(timing, Mapping)
    kept["timing"] = {name: value for name, value in timing.items() if name != "timeSegments"}
    return {"answer": dict(place), **kept}
