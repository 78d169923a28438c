"""What a function URL's event says: which route, which body, and what is wrong with a body that is not JSON."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.doors.function_url import is_function_url, json_body, method_and_path
from keyway.errors import InvalidRequest


def event(method: object = "POST", path: str | None = "/v1/execute", body: object = None, **more: object):
    http = {"method": method, "path": path}
    return {"version": "2.0", "rawPath": path, "requestContext": {"http": http}, "body": body, **more}


def test_an_event_of_a_function_url():
    assert is_function_url(event())


@pytest.mark.parametrize(
    "other",
    [
        None,
        [],
        "2.0",
        {},
        {"version": "2.0"},
        {"version": "1.0", "requestContext": {"http": {}}},
        {"version": 2.0, "requestContext": {"http": {}}},
        {"version": "2.0", "requestContext": None},
        {"version": "2.0", "requestContext": {"http": "POST"}},
        {"version": "2.0", "requestContext": {"routeKey": "x"}},
        {"provider": "openai", "model": "gpt-4.1", "version": "2.0"},
    ],
)
def test_any_other_event_is_a_direct_invocation(other):
    assert not is_function_url(other)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/v1/execute", ("POST", "/v1/execute")),
        ("post", "/v1/execute/", ("POST", "/v1/execute")),
        ("GET", "/", ("GET", "/")),
        ("GET", "//", ("GET", "/")),
        ("GET", "", ("GET", "/")),
        ("GET", None, ("GET", "/")),
    ],
)
def test_method_and_path(method, path, expected):
    assert method_and_path(event(method, path)) == expected


def test_the_path_of_the_context_is_used_when_there_is_no_raw_one():
    one = event("GET", "/health")
    del one["rawPath"]
    assert method_and_path(one) == ("GET", "/health")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_is_read_plain_or_in_base64(value):
    text = json.dumps(value, ensure_ascii=False)
    assert json_body(event(body=json.dumps(value))) == value
    packed = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
    if text.isprintable():
        assert json_body(event(body=packed, isBase64Encoded=True)) == value


@pytest.mark.parametrize(
    ("body", "packed", "message"),
    [
        (None, False, "the body is empty: send a JSON object"),
        ("", False, "the body is empty: send a JSON object"),
        (b"{}", False, "the body is empty: send a JSON object"),
        ("{", False, "the body is not JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        ('{"a": 1}\n x', False, "the body is not JSON: Extra data (line 2, column 2)"),
        ("NaN", False, "the body holds NaN, which is no number in JSON"),
        ("[1e999]", False, "the body holds 1e999, which is too large a number"),
        ("[-Infinity]", False, "the body holds -Infinity, which is no number in JSON"),
        ("{}", True, "the body is not UTF-8 text"),
        ("/w==", True, "the body is not UTF-8 text"),
        ("\N{SNOWMAN}", True, "the body is not JSON: it holds a number or a character that cannot be read"),
        ("9" * 5_000, False, "the body is not JSON: it holds a number or a character that cannot be read"),
        ("[" * 100_000, False, "the body is nested too deep"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_told_why(body, packed, message):
    with pytest.raises(InvalidRequest) as refused:
        json_body(event(body=body, isBase64Encoded=packed))
    assert str(refused.value) == message
    assert refused.value.status == 400


@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()), st.booleans())
def test_whatever_the_body_is_it_is_json_or_refused(body, packed):
    try:
        json_body(event(body=body, isBase64Encoded=packed))
    except InvalidRequest as error:
        assert str(error).startswith(("the body is", "the body holds"))  # noqa: PT017 - either outcome is right
