"""An HTTP tool's headers and body: what a template may say, and what arguments make of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyway.chat import HttpExecutor
from keyway.tools.placeholder import TemplateError
from keyway.tools.template import HttpCall, check_template, fill_template

HALF = "\ud800"
"""Half of a character: JSON can hold it, UTF-8 cannot."""


def executor(url: str = "https://api.example/x", **fields: Any) -> HttpExecutor:
    return HttpExecutor.model_validate({"type": "http", "url": url, **fields})


def call(arguments: dict[str, Any], url: str = "https://api.example/x", **fields: Any) -> HttpCall:
    made = executor(url, **fields)
    check_template(made, trusted=True)
    return fill_template(made, arguments)


# Headers.


def headers(templates: dict[str, str], **arguments: Any) -> dict[str, str]:
    return dict(call(arguments, method="GET", headers=templates).headers)


def test_headers_are_filled():
    templates = {"X-Team": "{team}", "x-note": "for {team}, {n} times, {{as}} {on}", "X-Fixed": "v1"}
    assert headers(templates, team="blue", n=3, on=True) == {
        "x-team": "blue",
        "x-note": "for blue, 3 times, {as} true",
        "x-fixed": "v1",
    }


def test_a_header_of_a_missing_argument_is_left_out():
    assert headers({"x-a": "{a}", "x-b": "{b}", "x-c": "{c}"}, b=None, c="") == {"x-c": ""}


def test_a_text_in_a_header_needs_its_arguments():
    for arguments in ({}, {"a": None}):
        with pytest.raises(TemplateError, match=r"^the argument a is missing, and the header x-a needs it$"):
            headers({"x-a": "Token {a}"}, **arguments)


def test_what_is_not_text_stands_in_a_header_as_json():
    assert headers({"x-a": "{a}"}, a={"n": [1.0, "\u00e9", None]}) == {"x-a": '{"n":[1.0,"\\u00e9",null]}'}


@pytest.mark.parametrize("value", ["a\r\nhost: evil.example", "a\nb", "a\rb", "a\0b", "\u00e9", "\x7f", HALF, "a\x0bb"])
def test_what_a_header_cannot_carry_is_refused(value):
    with pytest.raises(TemplateError, match=r"^the argument a would put characters into the header x-a that it cannot"):
        headers({"x-a": "b {a}"}, a=value)


@given(st.text())
@example(" a\tb ")
@example("\t\r\n")
def test_a_filled_header_is_legal(value):
    try:
        found = headers({"x-a": "{a}"}, a=value)["x-a"]
    except TemplateError as error:
        complaint = "the argument a would put characters into the header x-a that it cannot carry"
        assert str(error) == complaint  # noqa: PT017 - either will do
        assert any(not (char == "\t" or " " <= char <= "~") for char in value.strip(" \t"))
        return
    assert all(char == "\t" or " " <= char <= "~" for char in found)
    assert found == found.strip(" \t") == value.strip(" \t")


def test_a_header_has_a_length():
    assert len(headers({"x-a": "{a}"}, a="x" * 8_192)["x-a"]) == 8_192
    with pytest.raises(TemplateError, match=r"^the arguments a and b would make the header x-a too long$"):
        headers({"x-a": "{a}{b}"}, a="x" * 8_192, b="y")


NAMES_ONLY = "must hold only names in braces, such as {query}; a brace that is meant as such is doubled"
WRONG_HEADERS = {
    "a name that is none": ({"x a": "b"}, "headers: the name of a header must be made of letters, digits and hyphens"),
    "no name": ({"": "b"}, "headers: the name of a header must be made"),
    "a name with a line break": ({"x\r\ny": "b"}, "headers: the name of a header must be made"),
    "another host": ({"Host": "evil.example"}, "headers: Host is set by the gateway itself"),
    "another length": ({"content-length": "1"}, "headers: content-length is set by the gateway itself"),
    "another framing": ({"Transfer-Encoding": "chunked"}, "headers: Transfer-Encoding is set by the gateway itself"),
    "a hop's": ({"connection": "close"}, "headers: connection is set by the gateway itself"),
    "an encoding": ({"accept-encoding": "gzip"}, "headers: accept-encoding is set by the gateway itself"),
    "two of one": ({"x-a": "1", "X-A": "2"}, "headers: X-A is there twice"),
    "a line break": ({"x-a": "1\r\nx-b: 2"}, "headers.x-a: must be made of printable ASCII characters"),
    "an accent": ({"x-a": "\u00e9"}, "headers.x-a: must be made of printable ASCII characters"),
    "an attribute": ({"x-a": "{a.b}"}, f"headers.x-a: {NAMES_ONLY}"),
    "an index": ({"x-a": "{a[0]}"}, f"headers.x-a: {NAMES_ONLY}"),
    "a conversion": ({"x-a": "{a!r}"}, f"headers.x-a: {NAMES_ONLY}"),
    "a format": ({"x-a": "{a:>9}"}, f"headers.x-a: {NAMES_ONLY}"),
    "a nested format": ({"x-a": "{a:{b}}"}, f"headers.x-a: {NAMES_ONLY}"),
    "a position": ({"x-a": "{0}"}, f"headers.x-a: {NAMES_ONLY}"),
    "no name in braces": ({"x-a": "{}"}, f"headers.x-a: {NAMES_ONLY}"),
    "an open brace": ({"x-a": "{a"}, f"headers.x-a: {NAMES_ONLY}"),
    "a closing brace": ({"x-a": "a}"}, f"headers.x-a: {NAMES_ONLY}"),
    "one that is too long": ({"x-a": "x" * 8_193}, "headers.x-a: must not be longer than 8192 characters"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_HEADERS)
def test_a_wrong_header_says_what_would_be_right(case):
    templates, message = WRONG_HEADERS[case]
    with pytest.raises(ValueError) as refused:
        check_template(executor(headers=templates), trusted=True)
    assert str(refused.value).startswith(message)


# The body.


def body(template: Any, **arguments: Any) -> Any:
    content = call(arguments, body=template).content
    assert content is not None
    return json.loads(content)


def test_without_a_body_of_its_own_a_request_has_the_arguments():
    for method in ("POST", "PUT", "PATCH"):
        sent = call({"q": "\u00e9", "n": 1.0, "none": None}, method=method)
        assert (sent.method, sent.content) == (method, b'{"q":"\\u00e9","n":1.0,"none":null}')
        assert sent.headers == {"content-type": "application/json"}
    for method in ("GET", "DELETE"):
        sent = call({"q": 1}, method=method)
        assert (sent.content, sent.headers) == (None, {})


def test_a_body_of_null_is_none():
    sent = call({"q": 1}, body=None)
    assert (sent.content, sent.headers) == (None, {})


def test_a_tool_may_name_its_own_content_type():
    sent = call({"q": 1}, headers={"Content-Type": "application/vnd.api+json"})
    assert sent.headers == {"content-type": "application/vnd.api+json"}


def test_a_body_is_filled():
    template = {
        "query": "{query}",
        "size": 10,
        "deep": {"on": True, "off": None, "tags": ["{tag}", "fixed", "for {team}", "{missing}"]},
        "text": "{{query}} is {query}",
        "gone": "{missing}",
        "{query}": "a name of a member is as it stands",
    }
    assert body(template, query={"a": [1, None]}, tag=2.5, team="blue") == {
        "query": {"a": [1, None]},
        "size": 10,
        "deep": {"on": True, "off": None, "tags": [2.5, "fixed", "for blue"]},
        "text": '{query} is {"a":[1,null]}',
        "{query}": "a name of a member is as it stands",
    }


def test_null_is_an_argument_like_any_other_in_a_body():
    assert body({"a": "{a}", "b": ["{a}"]}, a=None) == {"a": None, "b": [None]}


def test_a_text_in_a_body_needs_its_arguments():
    for arguments in ({}, {"a": None}):
        with pytest.raises(TemplateError, match=r"^the argument a is missing, and the body needs it$"):
            body({"x": ["for {a}"]}, **arguments)


def test_a_body_that_is_one_argument_needs_it():
    assert body("{a}", a=[1]) == [1]
    with pytest.raises(TemplateError, match=r"^the argument a is missing, and it is all of the body$"):
        body("{a}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON, st.text())
@example({"{a}": "{b}"}, '"},{"x":"')
def test_an_argument_stays_one_value(value, text):
    assert body({"a": "{a}", "b": "<{b}>"}, a=value, b=text) == {"a": value, "b": f"<{text}>"}


def test_what_is_not_json_is_named():
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for value in (float("nan"), [float("-inf")], deep, object()):
        with pytest.raises(TemplateError, match=r"^the argument a is not JSON$"):
            body({"x": "{a}"}, a=value)
        with pytest.raises(TemplateError, match=r"^the arguments are not JSON$"):
            call({"a": value})


def test_a_body_has_a_length():
    longest = 1_048_576 - len('{"a":""}')
    content = call({"a": "x" * longest}).content
    assert content is not None
    assert len(content) == 1_048_576
    with pytest.raises(TemplateError, match=r"^the arguments would make the body longer than 1048576 bytes$"):
        call({"a": "x" * (longest + 1)})
    with pytest.raises(TemplateError, match=r"^the argument a would make the body longer than 1048576 bytes$"):
        call({"a": "x" * 600_000}, body=["{a}", "{a}"])
    with pytest.raises(TemplateError, match=r"^the arguments would make the body longer than 1048576 bytes$"):
        call({"a": "\0" * 200_000}, body="-{a}")


def test_a_long_argument_that_is_used_often_is_not_written_out():
    """4 KiB of template and 100 KB of argument: what comes of it is measured before it is more than some megabytes."""
    with pytest.raises(TemplateError, match=r"^the argument a would make the body longer than 1048576 bytes$"):
        call({"a": "x" * 100_000}, body=["{a}"] * 1_000)
    for body in ("-{a}" * 1_000, ["-{a}"] * 1_000):
        with pytest.raises(TemplateError, match=r"^the argument a would make the body too long$"):
            call({"a": "x" * 100_000}, body=body)


def nested(levels: int) -> Any:
    made: Any = "{a}"
    for level in range(levels):
        made = [made] if level % 2 else {"x": made}
    return made


def test_a_wrong_body_says_where():
    for template, message in (
        ({"a": [1, {"b": "{x.y}"}]}, f"body.a[1].b: {NAMES_ONLY}"),
        ("{", f"body: {NAMES_ONLY}"),
        ({"query": "query { user }"}, f"body.query: {NAMES_ONLY}"),
        ([float("nan")], "body[0]: must be a finite number"),
        (nested(64), "body: must not be nested more than 64 levels deep"),
        (nested(5_000), "body: must not be nested more than 64 levels deep"),
    ):
        made = HttpExecutor.model_construct(type="http", url="https://api.example/x", headers={}, body=template)
        with pytest.raises(ValueError) as refused:
            check_template(made, trusted=True)
        assert str(refused.value).startswith(message)
    check_template(executor(body=nested(63)), trusted=True)


def test_a_template_tells_which_arguments_it_uses():
    made = executor(
        "https://api.example/{a}{?b,c*}",
        headers={"x": "{d} {e}"},
        body={"f": ["{f}", {"g": "{g}-{a}"}], "{h}": "{{i}}"},
    )
    assert check_template(made, trusted=True) == {"a", "b", "c", "d", "e", "f", "g"}


def test_a_filled_request_does_not_print_what_it_holds():
    assert "hush" not in repr(call({"key": "hush"}, "https://api.example/x{?key}", headers={"x": "{key}"}))
