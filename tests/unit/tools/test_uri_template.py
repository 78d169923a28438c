"""An HTTP tool's URL: what a template may say, what arguments make of it, and what they can never make of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyway.tools.placeholder import TemplateError
from keyway.tools.uri_template import check_url, fill_url

SOURCES = Path(__file__).resolve().parents[3] / "layers" / "keyway" / "python"
HALF = "\ud800"
"""Half of a character: JSON can hold it, UTF-8 cannot."""


def url(template: str, **arguments: Any) -> str:
    check_url(template, trusted=True)
    return fill_url(template, arguments)


URLS = {
    "nothing to fill": ("https://api.example/v1", {"q": "x"}, "https://api.example/v1"),
    "no path at all": ("https://api.example", {}, "https://api.example"),
    "a step of the path": ("https://api.example/items/{id}/parts", {"id": "7"}, "https://api.example/items/7/parts"),
    "one step it stays": ("https://api.example/items/{id}", {"id": "a/b?c#d"}, "https://api.example/items/a%2Fb%3Fc%23d"),
    "steps": ("https://api.example/x{/path*}", {"path": ["a b", "c"]}, "https://api.example/x/a%20b/c"),
    "a label": ("https://api.example/file{.ext}", {"ext": "json"}, "https://api.example/file.json"),
    "a parameter of the path": ("https://api.example/x{;v}", {"v": 2}, "https://api.example/x;v=2"),
    "a part of a text": ("https://api.example/{id:2}/{id}", {"id": "abcd"}, "https://api.example/ab/abcd"),
    "a query": ("https://api.example/x{?q,n}", {"q": "a&b=c", "n": 5}, "https://api.example/x?q=a%26b%3Dc&n=5"),
    "a query in part": ("https://api.example/x{?q,n}", {"n": 5}, "https://api.example/x?n=5"),
    "a query of nothing": ("https://api.example/x{?q}", {"q": None}, "https://api.example/x"),
    "an empty text in a query": ("https://api.example/x{?q}", {"q": ""}, "https://api.example/x?q="),
    "more of a query": ("https://api.example/x?a=1{&q}", {"q": "é"}, "https://api.example/x?a=1&q=%C3%A9"),
    "a query written out": ("https://api.example/x?q={q}&r={r}", {"q": "é ", "r": 1}, "https://api.example/x?q=%C3%A9%20&r=1"),
    "a query without a path": ("https://api.example?q={q}", {"q": "@evil.example/"}, "https://api.example?q=%40evil.example%2F"),
    "numbers": ("https://api.example/x{?a,b,c}", {"a": 10**20, "b": 1.5, "c": -0.0}, "https://api.example/x?a=100000000000000000000&b=1.5&c=-0.0"),
    "a large number": ("https://api.example/x{?a}", {"a": 1e100}, "https://api.example/x?a=1e%2B100"),
    "booleans": ("https://api.example/x{?a,b}", {"a": True, "b": False}, "https://api.example/x?a=true&b=false"),
    "zero is there": ("https://api.example/{n}/{b}", {"n": 0, "b": False}, "https://api.example/0/false"),
    "a list": ("https://api.example/x{?t}", {"t": ["a,b", True, 2, None]}, "https://api.example/x?t=a%2Cb,true,2"),
    "a list, repeated": ("https://api.example/x{?t*}", {"t": ["a", "b"]}, "https://api.example/x?t=a&t=b"),
    "an empty list": ("https://api.example/x{?t*,u}", {"t": [], "u": [None]}, "https://api.example/x"),
    "an object": ("https://api.example/x{?t*}", {"t": {"a": 1, "b": "c&d"}}, "https://api.example/x?a=1&b=c%26d"),
    "an object in a list": ("https://api.example/x{?t}", {"t": [{"a": [1, True]}]}, "https://api.example/x?t=%7B%22a%22%3A%5B1%2Ctrue%5D%7D"),
    "a name with a hyphen": ("https://api.example/x{?start-date}", {"start-date": "2026"}, "https://api.example/x?start-date=2026"),
    "dots that go nowhere": ("https://api.example/{a}/{b}", {"a": "...", "b": "v1.2"}, "https://api.example/.../v1.2"),
    "dots in a query": ("https://api.example/x{?q}", {"q": "../.."}, "https://api.example/x?q=..%2F.."),
    "an address and a port": ("http://[::1]:8080/{a}", {"a": "b"}, "http://[::1]:8080/b"),
}  # fmt: skip


@pytest.mark.parametrize("case", URLS)
def test_a_url_is_filled(case):
    template, arguments, expected = URLS[case]
    assert url(template, **arguments) == expected


PARTS = st.text(min_size=1, max_size=20)


@given(PARTS, PARTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans(), st.lists(PARTS))
@example("..", "x", [])
@example("%2e%2e", "..%2f..", [])
@example("..;", "\\..\\", ["@evil.example", "#", "?"])
@example("\r\nhost: evil.example", "\0", ["é", "💥"])
def test_no_argument_reaches_beyond_its_place(step, value, tags):
    try:
        found = url("https://api.example:8443/items/{step}/parts{?value,tags*}", step=step, value=value, tags=tags)
    except TemplateError as error:
        assert str(error) == "the argument step would make . or .. a step of the URL's path"  # noqa: PT017 - either will do
        steps = {part.partition(";")[0] for text in (step, unquote(step)) for part in re.split(r"[/\\]", text)}
        assert steps & {".", ".."}
        return
    assert found.isascii()
    assert found.isprintable()
    parts = urlsplit(found)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "api.example:8443", "")
    assert [unquote(part) for part in parts.path.split("/")] == ["", "items", step, "parts"]
    told = value if isinstance(value, str) else json.dumps(value)
    asked = parse_qsl(parts.query, keep_blank_values=True, separator="&")
    assert asked == [("value", told), *(("tags", tag) for tag in tags)]


WRONG_URLS = {
    "": "must begin with https:// or http://",
    "api.example/x": "must begin with https:// or http://",
    "ftp://api.example/x": "must begin with https:// or http://",
    "HTTPS://api.example/x": "must begin with https:// or http://",
    "{scheme}://api.example/x": "must begin with https:// or http://",
    "https://": "must name its host and port, and begin its path, before the first {expression},"
    " as in https://api.example/items/{id}",
    "https:///x": "must name its host",
    "https://{host}/x": "must name its host",
    "https://api.{region}.example/x": "must name its host",
    "https://api.example{region}/x": "must name its host",
    "https://api.example{/id}": "must name its host",
    "https://api.example{?id}": "must name its host",
    "https://api.example:{port}/x": "must name its host",
    "https://api.example:80{port}/x": "must name its host",
    "https://api.example:x/x": "must name its host",
    "https://api%2eexample/x": "must name its host",
    "https://api.example:0/x": "must name a port from 1 to 65535",
    "https://api.example:65536/x": "must name a port from 1 to 65535",
    "https://user@api.example/x": "must not hold a user or a password",
    "https://user:word@api.example/x": "must not hold a user or a password",
    "https://{user}@api.example/x": "must not hold a user or a password",
    "https://api.example/x#y": "must not hold a fragment",
    "https://api.example/x{#y}": "{#name} is refused, because it could write any part of the URL",
    "https://api.example/x{+y}": "{+name} is refused, because it could write any part of the URL",
    "https://api.example/x{=y}": "{=name} means nothing in a URI template",
    "https://api.example/x{|y}": "{|name} means nothing in a URI template",
    "https://api.example/x{y": "holds a brace that neither opens nor closes an {expression}",
    "https://api.example/x}": "holds a brace that neither opens nor closes an {expression}",
    "https://api.example/{{y}}": "holds a brace that neither opens nor closes an {expression}",
    "https://api.example/{}": "an {expression} must be names of letters, digits, _ and -, parted by commas",
    "https://api.example/{a,}": "an {expression} must be names",
    "https://api.example/{a b}": "an {expression} must be names",
    "https://api.example/{0}": "an {expression} must be names",
    "https://api.example/{a=5}": "an {expression} must be names",
    "https://api.example/{a.b}": "an {expression} must be names",
    "https://api.example/{a:0}": "an {expression} must be names",
    "https://api.example/{a:12345}": "an {expression} must be names",
    "https://api.example/{a*:3}": "an {expression} must be names",
    "https://api.example/x{?a}{?b}": "{?name} must come last and be the only query; after a ? it is {&name}",
    "https://api.example/x?a=1{?b}": "{?name} must come last",
    "https://api.example/x{?a}&b=1": "{?name} must come last",
    "https://api.example/x{&a}": "{&name} needs a ? before it; {?name} brings its own",
    "https://api.example/x{?a}{&b}": "{?name} must come last",
    "https://api.example/../x": "must not hold . or .. as a step of its path",
    "https://api.example/a/%2E%2e/x": "must not hold . or .. as a step of its path",
    "https://api.example/a/./{b}": "must not hold . or .. as a step of its path",
    "https://api.example/a b": "must be made of the characters of a URL, all others percent-encoded",
    "https://api.example/\u00e9": "must be made of the characters of a URL",
    "https://api.example\\@evil.example/": "must be made of the characters of a URL",
    "https://api.example/%zz": "must be made of the characters of a URL",
    "https://api.example/x\r\nhost: y": "must be made of the characters of a URL",
}


@pytest.mark.parametrize("template", WRONG_URLS)
def test_a_wrong_url_says_what_would_be_right(template):
    with pytest.raises(ValueError) as refused:
        check_url(template, trusted=True)
    assert str(refused.value).startswith(f"url: {WRONG_URLS[template]}")


def test_a_callers_tool_speaks_https():
    check_url("https://api.example/x", trusted=False)
    with pytest.raises(ValueError, match=r"^url: must begin with https://$"):
        check_url("http://api.example/x", trusted=False)
    check_url("http://api.example/x", trusted=True)


@pytest.mark.parametrize("value", [None, "", [], {}, [""], ["", None], {"a": None}])
def test_what_stands_in_the_path_must_be_there(value):
    for template in (
        "https://api.example/items/{id}",
        "https://api.example/items{/id}",
        "https://api.example/x?q={id}",
    ):
        with pytest.raises(TemplateError, match=r"^the argument id is missing, and the URL needs it$"):
            url(template, id=value)
        with pytest.raises(TemplateError, match=r"^the argument id is missing"):
            url(template)


UPWARDS = [".", "..", "../x", "x/..", "%2e%2e", "%2e.", "..%2f", "..\\", ".;x", "..;", "x/./y"]


@pytest.mark.parametrize("value", UPWARDS)
def test_no_step_of_a_filled_path_leads_upwards(value):
    with pytest.raises(TemplateError, match=r"^the arguments a and b would make \. or \.\. a step of the URL's path$"):
        url("https://api.example/x/{a}/{b}{?c}", a="fine", b=value, c="..")


@pytest.mark.parametrize(
    ("template", "arguments"),
    [
        ("https://api.example/{a}{b}", {"a": ".", "b": "."}),
        ("https://api.example/.{a}", {"a": "."}),
        ("https://api.example/{a:2}x/{a:2}", {"a": "..."}),
        ("https://api.example/x{/a*}", {"a": ["..", "admin"]}),
        ("https://api.example/{.a}", {"a": "."}),
        ("https://api.example/{a}", {"a": ["."]}),
    ],
)
def test_not_even_when_it_is_put_together(template, arguments):
    with pytest.raises(TemplateError, match=r"would make \. or \.\. a step"):
        url(template, **arguments)


def test_what_a_url_cannot_hold_is_named_and_not_shown():
    for value, complaint in {
        "x" * 8_193: "the argument q is too long for a URL",
        HALF: "the argument q holds half a character",
        float("nan"): "the argument q is not JSON",
        float("inf"): "the argument q is not JSON",
    }.items():
        for sent in (value, [value], {"k": value}):
            with pytest.raises(TemplateError, match=rf"^{complaint}$"):
                url("https://api.example/x{?q}", q=sent)
    with pytest.raises(TemplateError, match=r"^the argument q holds half a character$"):
        url("https://api.example/x{?q*}", q={HALF: "x"})
    with pytest.raises(TemplateError, match=r"^the argument q is too long for a URL$"):
        url("https://api.example/x{?q}", q=["x" * 100] * 100)
    with pytest.raises(TemplateError, match=r"^the arguments a and b would make the URL longer than 8192 characters$"):
        url("https://api.example/x{?a,b}", a="é" * 1_000, b="é" * 1_000)
    with pytest.raises(TemplateError, match=r"^the argument id must be text, because the URL takes a part of it$"):
        url("https://api.example/{id:2}", id=["abc"])


def test_a_longest_url_has_8_kib():
    start = "https://api.example/"
    assert len(url(start + "{a}", a="x" * (8_192 - len(start)))) == 8_192
    with pytest.raises(TemplateError, match=r"^the argument a would make the URL longer than 8192 characters$"):
        url(start + "{a}", a="x" * (8_193 - len(start)))


def test_a_long_argument_that_is_used_often_is_not_written_out():
    """4 KiB of template and 8 KiB of argument: what comes of it is measured before it is more than some megabytes."""
    with pytest.raises(TemplateError, match="longer than 8192 characters"):
        url("https://api.example/" + "{a}" * 1_350, a="x" * 8_000)


def test_the_library_is_loaded_when_it_is_needed():
    code = (
        "import sys, keyway.tools.catalog, keyway.tools.template as t\n"
        "from keyway.chat import HttpExecutor\n"
        "e = HttpExecutor(type='http', url='https://h/{a}')\n"
        "t.check_template(e, trusted=True)\n"
        "print([name for name in ('uritemplate', 'simpleeval') if name in sys.modules])\n"
        "print(t.fill_template(e, {'a': 'b'}).url, 'uritemplate' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=SOURCES, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\nhttps://h/b True\n"
