"""Whether a call's arguments leave a price open, asked before the tool is run."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keyway.tools.expression import ExpressionError, expression
from keyway.tools.rehearsal import rehearse

MISSING = "names something that is not there"
NO_NUMBER = "reckons with something that is not a number"


@pytest.mark.parametrize(
    ("text", "params", "problem"),
    [
        ("0.002 * count(response.results)", {}, None),
        ('(0.01 if params.depth == "deep" else 0.002) * count(response.results)', {}, MISSING),
        ('(0.01 if params.depth == "deep" else 0.002) * count(response.results)', {"depth": "flat"}, None),
        ('(0.01 if "depth" in params and params.depth == "deep" else 0.002) * response.n', {}, None),
        ("params.max * count(response.results)", {"max": "100"}, NO_NUMBER),
        ("params.max * count(response.results)", {"max": 100}, None),
        ("response.n / params.by", {"by": 0}, "divides by zero"),
        ("response.n / params.by", {"by": 2}, None),
        ("max(params.least, response.n)", {"least": "1"}, NO_NUMBER),
        ("round(response.n, params.places)", {}, MISSING),
        ("response[params.member]", {}, MISSING),
        ("response.n if params.free else 0", {"free": True}, None),
        ("params.n if params.free else response.n", {"free": False}, None),
        # Which way it goes is the response's to say, so both ways have to be open.
        ("params.n if response.ok else 0", {}, MISSING),
        ("params.n if response.ok else 0", {"n": 1}, None),
        ('1 if "n" in params and response.n > params.n else 0', {}, None),
        ('1 if "n" in params and response.n > params.n else 0', {"n": [1]}, NO_NUMBER),
        ("1 if response.n > params.n else 0", {"n": 1}, None),
        ("1 if response.n > params.n else 0", {"n": "x"}, NO_NUMBER),
        ('1 if response.kind > "b" else 0', {}, None),
        # What the arguments decide of a condition, they decide.
        ('params.n if "n" in params and response.ok else 0.002', {}, None),
        ('params.n if "n" in params and response.ok else 0.002', {"n": "1"}, "does not come to a number"),
        ('1 if ("d" in params and response.deep) and params.d == "deep" else 0', {}, None),
        ('params.n if not ("n" not in params or response.partial) else count(response.results)', {}, None),
        ('1 if response.ok and "n" in params and params.n > 1 else 0', {}, None),
        ("params.n if response.ok or true else 0", {}, MISSING),
        ("0 if response.ok or true else params.n", {}, None),
        ("0 if 1 < 2 < response.n or 1 < 2 else params.n", {}, None),
        ("0 if 2 < 1 < response.n else params.n", {}, MISSING),
        ("0 if response.n < 1 and 2 < 1 else params.n", {"n": 5}, None),
        # What may come out of either way has to be what it is taken for.
        ('0.002 * (response.n if "n" in response else params.n)', {"n": "20"}, NO_NUMBER),
        ("0.002 * (response.n or params.n)", {"n": "20"}, NO_NUMBER),
        ("params.amount if response.ok else 0", {"amount": "free"}, "does not come to a number"),
        ("0.001 * params.num * count(response.results)", {"num": 1e30}, "beyond 1,000,000,000,000"),
        ("response.n / params.by", {"by": 1e-30}, "divides by zero"),
        ("0.01 if response.kind in params.kinds else 0.002", {"kinds": 5}, "where nothing can be"),
        ("0.01 if response.kind in params.kinds else 0.002", {"kinds": ["a"]}, None),
        ("0.01 if params.kinds in response.kind else 0.002", {"kinds": ["a"]}, "cannot be found"),
        ("round(response.cost, params.places)", {"places": 30}, "rounds to something other than"),
        ("round(response.cost, params.places)", {"places": 2}, None),
        ("0.001 * response.counts[params.unit]", {"unit": ["x"]}, MISSING),
        ("0.001 * response.counts[params.unit]", {"unit": "x"}, None),
        ("number(params.n if response.ok else 1)", {"n": "many"}, "reads a number out of a text that is none"),
        ("count(params.n if response.ok else response.list)", {"n": 1}, "counts something"),
        ("max(params.n if true else response.n, 1)", {"n": 2}, None),
        ("(params if response.ok else response).n", {}, None),
        ("1 if response.a or params.b else 0", {}, MISSING),
        ("1 if params.a or response.b else 0", {"a": True}, None),
        ("-response.n + params.n", {}, MISSING),
        ("params.n", {}, MISSING),
        ("params.n", {"n": "1"}, "does not come to a number"),
    ],
)
def test_what_arguments_leave_open(text, params, problem):
    if problem is None:
        rehearse(expression(text), params)
        return
    with pytest.raises(ExpressionError, match=problem):
        rehearse(expression(text), params)


LEAVES = st.sampled_from(["1", "0.5", "params.p", "params.q", "response.r"])
KNOWN = st.sampled_from(["params.p > 1", '"q" in params', "params.q == 2", "true"])
UNKNOWN = st.just("response.c")
"""A condition that only the response decides; each of an expression is one of its own."""
CONDITIONS = st.recursive(
    KNOWN | UNKNOWN,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=3,
)


def formulas(conditions: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
            st.builds("({} / {})".format, inner, st.sampled_from(["2", "params.p", "params.q"])),
            st.builds("max({}, {})".format, inner, inner),
            st.builds("ceil({})".format, inner),
            st.builds("({} if {} else {})".format, inner, conditions, inner),
        ),
        max_leaves=6,
    )


ARGUMENTS = st.dictionaries(st.sampled_from("pq"), st.sampled_from([0, 1, 2.5, "2", None, True]))


def fails(work: Callable[[], object]) -> bool:
    try:
        work()
    except ExpressionError:
        return True
    return False


@given(formulas(KNOWN), ARGUMENTS)
def test_where_only_the_arguments_decide_exactly_what_would_fail_is_found(text, params):
    formula = expression(text)
    assert fails(lambda: rehearse(formula, params)) == fails(lambda: formula.amount(params, {"r": 7}))


@given(formulas(CONDITIONS), ARGUMENTS)
def test_where_the_response_decides_too_it_is_what_some_response_would_make_fail(text, params):
    decisions = itertools.count()
    text = re.sub(r"response\.c", lambda _: f"response.c{next(decisions)}", text)
    decided = next(decisions)
    assume(decided <= 5)
    formula = expression(text)
    responses = (
        {"r": 7, **{f"c{index}": decision for index, decision in enumerate(each)}}
        for each in itertools.product([True, False], repeat=decided)
    )
    assert fails(lambda: rehearse(formula, params)) == any(
        fails(lambda response=response: formula.amount(params, response)) for response in responses
    )
