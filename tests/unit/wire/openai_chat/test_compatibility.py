"""Which refusals are worth one more try, and with what left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyway.wire.contract import Outgoing
from keyway.wire.openai_chat import compatibility

SENT: dict[str, Any] = {
    "model": "m",
    "stream_options": {"include_usage": True},
    "max_completion_tokens": 9,
    "temperature": 0.2,
}


def again(body: object, sent: dict[str, Any] | None = None, status: int = 400) -> dict[str, Any] | None:
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    outgoing = Outgoing(path="/chat/completions", body=sent or SENT, streamed=True, headers={"a": "b"})
    field = compatibility.refused_field(outgoing, status, said)
    retried = compatibility.without(outgoing, field) if field else None
    if retried is None:
        return None
    assert (retried.path, retried.streamed, retried.headers) == (outgoing.path, True, outgoing.headers)
    return dict(retried.body)


def without(*names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in SENT.items() if name not in names} | more


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, {"object": "error", "message": {"detail": [
            {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}}),
        (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]}),
        (400, {"object": "error", "message": "[{'loc': ('body', 'stream_options'), 'msg': 'extra fields'}]"}),
        (400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}}),
        (400, {"error": 'json: unknown field "include_usage"'}),
        (400, b"stream_options is not supported"),
    ],
)  # fmt: skip
def test_usage_is_not_asked_for_where_nobody_knows_how(status: int, body: object):
    assert again(body, status=status) == without("stream_options")


def test_the_limit_gets_its_other_name():
    old = {"model": "m", "max_tokens": 9}
    openai = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    refused = {"error": {"message": openai, "param": "max_tokens", "code": "unsupported_parameter"}}

    assert again(refused, old) == {"model": "m", "max_completion_tokens": 9}
    assert again({"error": {"message": openai}}, old) == {"model": "m", "max_completion_tokens": 9}
    assert again({"error": "extra field max_completion_tokens"}) == without("max_completion_tokens", max_tokens=9)


def test_a_temperature_the_model_cannot_have_is_dropped():
    said = "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) is supported."

    assert again({"error": {"message": said, "param": "temperature", "code": "unsupported_value"}}) == without(
        "temperature"
    )
    assert again({"error": {"message": said}}) == without("temperature")


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "max_completion_tokens must be at most 8192", "param": "max_completion_tokens"}},
        {"error": {"message": "temperature must be between 0 and 1", "code": "invalid_value"}},
        {"error": {"message": "Unsupported parameter: 'reasoning_effort'", "param": "reasoning_effort"}},
        {"error": {"message": "This model does not support images"}},
        {"detail": [{"type": "less_than_equal", "loc": ["body", "temperature"], "msg": "should be at most 1"}]},
        {}, [], "text", 7, b"", b"<html>",
    ],
)  # fmt: skip
def test_a_refusal_of_anything_else_stands(body: object):
    assert again(body) is None


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_only_a_refused_request_is_tried_again(status: int):
    assert again({"error": {"message": "stream_options is not supported"}}, status=status) is None


def test_a_field_that_was_not_sent_is_not_to_blame():
    assert again({"error": {"message": "stream_options is not supported"}}, {"model": "m"}) is None
