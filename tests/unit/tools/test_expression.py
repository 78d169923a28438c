"""Prices and counts as arithmetic: exact, about JSON and nothing else, and over soon whatever is written."""

from __future__ import annotations

import decimal
import operator
import time
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import simpleeval
from hypothesis import example, given
from hypothesis import strategies as st

from keyway.tools.expression import Expression, ExpressionError

PARAMS: dict[str, Any] = {"depth": "deep", "pages": 3, "fast": True, "share": 0.1, "tags": ["a", "b", 1], "none": None}
RESPONSE: dict[str, Any] = {
    "results": [{"id": 1}, {"id": 2}],
    "items": "a member that Python has, too",
    "usage": {"tokens": 1_500_000, "cost": "0.0125", "in-put": 4},
    "prices": [0.1, 0.2, 3],
    "empty": [],
    "_id": 7,
}


def value(text: str, params: Any = PARAMS, response: Any = RESPONSE) -> object:
    return Expression(text).value(params, response)


def amount(text: str, params: Any = PARAMS, response: Any = RESPONSE) -> Decimal:
    return Expression(text).amount(params, response)


AMOUNTS = {
    "0.002 * count(response.results)": "0.004",
    '0.01 if params.depth == "deep" else 0.002': "0.01",
    '0.01 if params.depth != "deep" else 0.002': "0.002",
    "max(0.001, response.usage.tokens * 3 / 1000000)": "4.5",
    "0.1 * 3": "0.3",
    "0.1 + 0.2": "0.3",
    "params.share * 3": "0.3",
    "1 / 3": "0." + "3" * 60,
    "7 % 4 + 7 // 4 - -1 + +1": "6",
    "response.prices[0] + response.prices[-1]": "3.1",
    "sum(response.prices)": "3.3",
    "sum(response.empty)": "0",
    "min(response.prices) + min(5, 4.5)": "4.6",
    "max(response.prices)": "3",
    "ceil(1.0000001) + floor(1.9999999)": "3",
    "ceil(-1.5) + floor(2.5) + 1": "2",
    "round(2.5) + round(0.125, 2)": "3.13",
    "number(response.usage.cost) * 2": "0.025",
    "number(params.pages)": "3",
    'response.usage["in-put"]': "4",
    "response._id": "7",
    "count(response.usage) + count(params.depth)": "7",
    '1 if "depth" in params and params.depth == "deep" else 2': "1",
    '1 if "width" in params and params.width > 5 else 2': "2",
    '1 if "b" in params.tags and "c" not in params.tags else 2': "1",
    "1 if 1.0 in params.tags else 2": "1",
    '1 if "ee" in params.depth else 2': "1",
    "1 if params.fast else 2": "1",
    "1 if params.fast == true and params.fast == True else 2": "1",
    "1 if params.fast == 1 else 2": "2",
    "1 if params.none == null and params.none == None else 2": "1",
    "1 if not params.none else 2": "1",
    "1 if 1 < params.pages <= 3 else 2": "1",
    '1 if params.depth < "e" else 2': "1",
    "params.none or 5": "5",
    "1_000.5": "1000.5",
    ".5 + 5.": "5.5",
    "1e-7": "0.0000001",
    "0.1234567890123456789012345678901234567890": "0.1234567890123456789012345678901234567890",
    "5 - 7": "0",
    "-0.0": "0",
    "(\n1 +\n2\n)": "3",
    " 1 ": "1",
}


@pytest.mark.parametrize("text", AMOUNTS)
def test_an_expression_comes_to_an_amount(text):
    found = amount(text)
    assert found == Decimal(AMOUNTS[text])
    assert not found.is_signed()


def test_a_value_may_be_any_json():
    assert value("params.fast and params.pages > 2") is True
    assert value("params.depth") == "deep"
    assert value("response.results") == RESPONSE["results"]
    assert value("response", response=5) == Decimal(5)
    assert value("null") is None
    assert amount("response", response=0.1) == Decimal("0.1")


def test_an_expression_tells_whether_it_needs_the_response():
    assert Expression("1 if params.a else count(response)").names_response
    assert not Expression('params.response == "response"').names_response


WRONG = {
    "": "is not an expression",
    "1 +": "is not an expression",
    "1; 2": "is not an expression",
    "x = 1": "is not an expression",
    "1if params.fast else 2": "is not an expression",
    '"\\d"': "is not an expression",
    "\0": "is not an expression",
    "x := 1": "is not an expression",
    "(" * 300 + "1" + ")" * 300: "is not an expression",
    "1" * 1_001: "must not be longer than 1000 characters",
    "1 " + "+ 1" * 60: "must not be nested more than 50 levels deep",
    "-" * 900 + "1": "must not be nested more than 50 levels deep",
    "params" + ".a" * 100: "must not be nested more than 50 levels deep",
    "cost": "cost is not known; there are params, response and count, sum, min, max, ceil, floor, round, number",
    "os.system": "os is not known",
    "__import__": "__import__ is not known",
    "min": "min is not known",
    "min + 1": "min is not known",
    "params[min]": "min is not known",
    "params()": "the functions are count, sum, min, max, ceil, floor, round, number",
    "params.get('a')": "the functions are count",
    "min(1)(2)": "the functions are count",
    "eval('1')": "the functions are count",
    "count(x=1)": "a function's arguments have no names",
    "count(**params)": "a function's arguments have no names",
    "count(*params.tags)": "Starred is not part of this language",
    "2 ** 9": "Pow is not part of this language",
    "1 << 9": "LShift is not part of this language",
    "1 is 1": "Is is not part of this language",
    "1 & 1": "BitAnd is not part of this language",
    "~1": "Invert is not part of this language",
    "[1]": "List is not part of this language",
    "{1: 2}": "Dict is not part of this language",
    "(1, 2)": "Tuple is not part of this language",
    "lambda: 1": "Lambda is not part of this language",
    "[x for x in params.tags]": "ListComp is not part of this language",
    "f'{params}'": "JoinedStr is not part of this language",
    "params.tags[0:1]": "Slice is not part of this language",
    "await params": "Await is not part of this language",
    "params.__class__": "__class__ is not a member of any JSON",
    "().__class__": "__class__ is not a member of any JSON",
    "count(params.__dict__)": "__dict__ is not a member of any JSON",
    "0x10": "a literal must be a decimal number of no more than 60 digits, a text, true or false",
    "1j": "a literal must be a decimal number",
    "b'x'": "a literal must be a decimal number",
    "...": "a literal must be a decimal number",
    "1e9999": "a literal must be a decimal number",
    "9" * 61: "a literal must be a decimal number",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_expression_is_refused_when_it_is_made(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as where Keyway runs: what Python only frowns at is refused there, too
        with pytest.raises(ExpressionError) as refused:
            Expression(text)
    assert str(refused.value).startswith(WRONG[text])


UNKNOWN = [
    "response.missing", "response.usage.missing * 2", "response.missing.more", "response['missing']", "params.width",
    "response.results[2]", "response.results[-3]", "response.results[0.5]", "response.results['0']", "response[0]",
    "response.items.upper", "response.items[0]", "response.results.append", "response.keys", "response.usage.items",
    "response['__class__']", "params.depth.format", "count(response.missing)", "response.results[1e20]",
    "params.none.x", "response[params]", "response[response.results]",
]  # fmt: skip


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_not_there_is_an_error_and_never_a_zero(text):
    for work in (value, amount):
        with pytest.raises(ExpressionError, match=r"^names something that is not there$"):
            work(text)


def test_members_are_those_of_the_json():
    assert value("response.items") == RESPONSE["items"]
    assert value("response.get", response={"get": 1}) == Decimal(1)
    for name in ("items", "keys", "get", "pop", "copy", "format", "upper", "append", "mro", "real", "func_globals"):
        with pytest.raises(ExpressionError, match="not there"):
            value(f"response.{name}", response={"other": 1})
        for holder in ("text", ["list"], 5, 0.5, True, None):
            with pytest.raises(ExpressionError, match="not there"):
                value(f"response.{name}", response=holder)


IMPOSSIBLE = [
    "1 / 0", "0 / 0", "1 % 0", "params.depth + 1", 'params.depth + "x"', "params.depth * 3", '"x" * 3', "-params.depth",
    "params.fast + 1", "params.fast * 1", "0.01 * params.none", "+params.tags", "params.depth < 1", "params.none < 1",
    "params.fast < true", "count(5)", "count(null)", "count(true)", "sum(params.tags)", "sum(5)", "sum(1, 2)", "min()",
    "min(response.empty)", 'min("a", "b")', "min(params.tags)", "max(true, 1)", "ceil(params.depth)", "floor(true)",
    "round(1.5, 21)", "round(1.5, -1)", "round(1.5, 0.5)", "round(1.5, true)", "round(params.depth)", "number(true)",
    'number("five")', 'number("")', 'number("nan")', 'number("Infinity")', 'number("1_0")', 'number("0x1")',
    "number(null)", "number(params.tags)", '1 if "a" in 5 else 2', "1 if 1 in params.depth else 2",
    "1 if params in params else 2", "*".join(["1e900"] * 12),
]  # fmt: skip


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_what_cannot_be_reckoned_with_is_an_error(text):
    with pytest.raises(ExpressionError):
        value(text)


@pytest.mark.parametrize("text", ["params.depth", "params.fast", "response", "null", "params.pages > 2", '"5"'])
def test_an_amount_is_a_number(text):
    with pytest.raises(ExpressionError, match=r"^does not come to a number$"):
        amount(text)


def test_an_amount_has_an_end():
    assert amount("1e15") == Decimal(10) ** 15
    with pytest.raises(ExpressionError, match=r"^comes to more than 1,000,000,000,000,000$"):
        amount("1e15 + 1")
    with decimal.localcontext(decimal.Context(prec=28)):
        assert amount("1e15").quantize(Decimal("1e-8")), "which is how money is rounded"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_not_reckoned_with(number):
    for text in ("response.n", "response.n * 0", "max(response.n, 1)", "min(1, response.n)", "sum(response.list)"):
        with pytest.raises(ExpressionError, match=r"^meets a number that is none$"):
            value(text, response={"n": number, "list": [number]})


def test_no_message_quotes_the_calls_data():
    secret = "sk-very-secret"
    for text in (
        "response.a + 1",
        "number(response.a)",
        "response.b[response.a]",
        "response[response.a]",
        "ceil(response.a)",
    ):
        with pytest.raises(ExpressionError) as refused:
            value(text, response={"a": secret, "b": {}})
        assert secret not in str(refused.value)
        assert refused.value.__cause__ is None


# Exactness.

NUMBERS = st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False, places=6)
OPERATORS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


@given(NUMBERS, NUMBERS, st.sampled_from(sorted(OPERATORS)))
@example(Decimal("0.100000"), Decimal("0.200000"), "+")
def test_arithmetic_is_exact(left, right, sign):
    with decimal.localcontext(decimal.Context(prec=100)):
        expected = OPERATORS[sign](left, right)
    # Written in the expression, and sent by the tool as a text: no digit is lost either way.
    assert value(f"{left:f} {sign} ({right:f})") == expected
    assert (
        value(f"number(response.a) {sign} number(response.b)", response={"a": f"{left:f}", "b": str(right)}) == expected
    )


@given(st.floats(min_value=-1e12, max_value=1e12), st.integers(min_value=0, max_value=10**12))
@example(0.1, 3)
def test_a_float_is_the_decimal_that_it_is_written_as(price, units):
    with decimal.localcontext(decimal.Context(prec=100)):
        expected = Decimal(repr(price)) * units
    assert value("params.price * response.units", {"price": price}, {"units": units}) == expected


def test_the_processs_own_decimal_context_has_no_say():
    with decimal.localcontext(decimal.Context(prec=3, traps=[])):
        assert amount("1000.0001 + 0.0001") == Decimal("1000.0002")
        with pytest.raises(ExpressionError):
            value("1 / 0")


# Hostile expressions and answers.

WORDS = [
    "params", "response", ".a", ".items", ".__class__", "['a']", "[0]", "(", ")", "count", "sum", "min", "max", "round",
    "number", "1", "0.1", "1e99", '"x"', "true", "null", "+", "-", "*", "/", "//", "%", "**", "<", "==", "in", "not ",
    " and ", " or ", " if ", " else ", ",", "lambda:", "[", "]", "{", "}", ":", "'", " ",
]  # fmt: skip
HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", "items", "b"]), inner),
    max_leaves=10,
)


def is_json(found: object) -> bool:
    match found:
        case dict():
            return all(isinstance(name, str) and is_json(member) for name, member in found.items())
        case list():
            return all(map(is_json, found))
    return found is None or isinstance(found, bool | int | float | str | Decimal)


@given(st.lists(st.sampled_from(WORDS), max_size=20).map("".join) | st.text(), HOSTILE, HOSTILE)
@example("().__class__.__base__", None, None)
@example("params", {"a": 1}, None)
def test_whatever_is_written_comes_to_json_or_to_our_error(text, params, response):
    try:
        expression = Expression(text)
        found = expression.value({"a": params}, response)
    except ExpressionError:
        return
    assert is_json(found)
    try:
        owed = expression.amount({"a": params}, response)
    except ExpressionError:
        return
    assert 0 <= owed <= 10**15


def test_nothing_takes_long():
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    digits = int("9" * 4_000)
    response = {
        "long": "x" * 1_000_000, "many": list(range(100_000)), "deep": deep, "digits": digits, "far": "9" * 1_000_000,
        "big": 1e308,
    }  # fmt: skip
    started = time.process_time()
    for text in (
        "*".join(["response.big"] * 40),
        "*".join(["response.digits"] * 40),
        "+".join(["count(response.long)"] * 40),
        "+".join(["count(response.many)"] * 40),
        "count(response.deep)",
        "response.deep == response.deep",
        "number(response.far)",
        "number(response.digits)",
        "ceil(1e999) + floor(1e999) + 1e999 % 7",
        "round(response.digits, 20)",
        "response.many[response.digits]",
        "response.many[1e999]",
        '"y" in response.long',
        "response.digits in response.many",
        "*".join(["1e999"] * 40),
        "sum(response.many)",
        "9" * 60 + "**" + "9" * 60,
    ):
        try:
            value(text, response=response)
        except ExpressionError:
            continue
    assert time.process_time() - started < 5, "the slowest of them walk through a hundred thousand numbers once"


def test_what_an_answer_holds_beside_is_not_even_looked_at():
    """An answer may be megabytes; an expression costs what it names. simpleeval walks through all it meets."""

    class Untouchable(list[object]):
        def __iter__(self):
            raise AssertionError("looked at")

    assert value("response.n + count(response.rest)", response={"n": 1, "rest": Untouchable([1, 2])}) == Decimal(3)
    with pytest.raises(AssertionError, match="looked at"):
        simpleeval.SimpleEval(names={"response": {"rest": Untouchable([1])}}).eval("response")


def test_an_answer_is_left_as_it_was():
    response = {"n": 1, "list": [0.1, {"a": 2}]}
    value("response.n + response.list[0] + response.list[1].a", response=response)
    assert response == {"n": 1, "list": [0.1, {"a": 2}]}
    assert [type(number) for number in (response["n"], response["list"][0])] == [int, float]


def test_an_expression_can_be_used_again():
    expression = Expression("params.a * 2")
    assert [expression.amount({"a": number}, None) for number in (1, 2.5)] == [Decimal(2), Decimal(5)]
