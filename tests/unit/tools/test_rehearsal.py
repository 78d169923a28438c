"""Whether a call's arguments leave a price open, asked before the tool is run."""

from __future__ import annotations

import pytest
from hypothesis import given
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
        ("1 if response.kind > params.kind else 0", {"kind": "a"}, None),
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
FORMULAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
        st.builds("({} / {})".format, inner, st.sampled_from(["2", "params.p", "params.q"])),
        st.builds("max({}, {})".format, inner, inner),
        st.builds("ceil({})".format, inner),
        st.builds("({} if {} else {})".format, inner, st.sampled_from(["params.p > 1", '"q" in params']), inner),
    ),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.sampled_from("pq"), st.sampled_from([0, 1, 2.5, "2", None, True]))


@given(FORMULAS, ARGUMENTS)
def test_where_the_response_is_sound_only_the_arguments_decide(text, params):
    """The rehearsal finds exactly what would fail after the run."""

    def fails(work) -> bool:
        try:
            work()
        except ExpressionError:
            return True
        return False

    formula = expression(text)
    assert fails(lambda: rehearse(formula, params)) == fails(lambda: formula.amount(params, {"r": 7}))
