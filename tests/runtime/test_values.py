"""The pure parts: responses, preludes, failures, states, and what importing costs."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_runtime import Response
from stream_runtime.failure import Failure
from stream_runtime.invocation import from_function_url
from stream_runtime.response import InvalidResponseError, response_to_url
from stream_runtime.state import MOVES, Move, State, StateError, after
from tests.runtime.events import URL_EVENT
from tests.runtime.process import LAYER

FIELD_TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"]))


@given(status=st.integers(200, 599), value=FIELD_TEXT, cookies=st.lists(FIELD_TEXT))
def test_a_prelude_reads_back_and_holds_no_nul(status: int, value: str, cookies: list[str]) -> None:
    prelude = Response(status, {"x-any": value}, b"", cookies).prelude()
    expected: dict[str, object] = {"statusCode": status, "headers": {"x-any": value}}
    assert json.loads(prelude) == (expected | {"cookies": cookies} if cookies else expected)
    assert b"\0" not in prelude


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"status": 99}, "status is 99"),
        ({"status": "200"}, "status is '200'"),
        ({"headers": {"x": "a\r\nset-cookie: b"}}, "'x' has a line break"),
        ({"headers": {"x": "a\0b"}}, "'x' has a line break or another control character"),
        ({"headers": {"x y": "a"}}, "'x y' is not the name of a header"),
        ({"headers": {"x": 1}}, "'x' is a int"),
        ({"cookies": ["a\n"]}, "a cookie has a line break"),
        ({"body": "text"}, "body is a str"),
    ],
)
def test_a_response_that_is_no_http_is_refused_where_it_is_made(arguments: Mapping[str, object], message: str) -> None:
    with pytest.raises(InvalidResponseError, match=message):
        Response(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "status", "headers", "body"),
    [
        ({"a": 1}, 200, {"content-type": "application/json"}, b'{"a":1}'),
        ("text", 200, {"content-type": "application/json"}, b'"text"'),
        (None, 200, {"content-type": "application/json"}, b"null"),
        ({"statusCode": 204}, 204, {"content-type": "application/json"}, b""),
        (
            {"statusCode": "201", "headers": {"Content-Type": "text/plain", "x-n": 5}, "body": "é"},
            201,
            {"Content-Type": "text/plain", "x-n": "5"},
            "é".encode(),
        ),
        (
            {"statusCode": 200, "body": base64.b64encode(b"\xff\0").decode(), "isBase64Encoded": True},
            200,
            {"content-type": "application/json"},
            b"\xff\0",
        ),
        ({"statusCode": 200, "body": {"a": 1}}, 200, {"content-type": "application/json"}, b'{"a":1}'),
    ],
)
def test_a_value_for_a_url_is_read_as_lambda_reads_it(
    value: object, status: int, headers: dict[str, str], body: bytes
) -> None:
    response = response_to_url(value)
    assert (response.status, dict(response.headers), response.body) == (status, headers, body)


@pytest.mark.parametrize(
    "value",
    [
        {"statusCode": "soon"},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
    ],
)
def test_a_value_that_only_looks_like_a_response_is_refused(value: object) -> None:
    with pytest.raises(InvalidResponseError):
        response_to_url(value)


@pytest.mark.parametrize(
    "event",
    [
        None, [], "2.0", {}, {"version": "2.0"}, {"version": "1.0", "requestContext": {"http": {}}},
        {"version": "2.0", "requestContext": None}, {"version": "2.0", "requestContext": {"http": "x"}},
    ],
)  # fmt: skip
def test_only_a_function_url_event_is_one(event: object) -> None:
    assert not from_function_url(event)
    assert from_function_url(URL_EVENT)


@given(moves=st.lists(st.sampled_from(Move)))
def test_an_answer_is_given_at_most_once_and_never_refused_after_its_first_byte(moves: list[Move]) -> None:
    state, made = State.RECEIVED, []
    for move in moves:
        try:
            state = after(state, move)
        except StateError:
            continue
        made.append(move)
    assert sum(move in {Move.RESPOND, Move.REFUSE, Move.OPEN} for move in made) <= 1
    assert sum(move in {Move.RESPOND, Move.REFUSE, Move.FINISH, Move.BREAK_OFF, Move.LOSE} for move in made) <= 1
    assert Move.REFUSE not in made or Move.OPEN not in made
    assert all(made[0] is Move.OPEN for move in made if move is Move.WRITE)


def test_every_state_but_the_two_open_ones_is_final() -> None:
    assert {state for state, _ in MOVES} == {State.RECEIVED, State.STREAMING}
    assert set(MOVES.values()) | {State.RECEIVED} == set(State)


@given(name=st.text(st.characters(blacklist_categories=["Cs"])), message=st.text(st.characters()))
def test_any_failure_can_be_told_in_headers_and_json(name: str, message: str) -> None:
    failure = Failure(name, message)
    h11.EndOfMessage(headers=failure.trailers("id"))  # refuses what HTTP does not allow
    assert json.loads(failure.document("id"))["errorMessage"] == message


def test_an_exception_that_cannot_be_printed_is_still_a_failure() -> None:
    class UnprintableError(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert Failure.of(UnprintableError()).type == "UnprintableError"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("stream_runtime", {"asyncio", "h11", "ssl", "http", "urllib", "socket", "subprocess", "traceback"}),
        ("stream_runtime.runtime", {"http.client", "urllib", "pathlib", "multiprocessing", "stream_runtime.local"}),
    ],
)
def test_importing_brings_nothing_that_is_not_needed(module: str, absent: set[str]) -> None:
    code = f"import sys; sys.path.insert(0, {str(LAYER / 'python')!r}); before = set(sys.modules); import {module}; "
    code += "print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert absent & set(done.stdout.split()) == set()
