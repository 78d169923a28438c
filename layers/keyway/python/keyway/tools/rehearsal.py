"""Whether a call's arguments let an expression be worked out, asked before the tool is run. Pure.

A price may look at the response, which is not there yet. What can be known is worked out: a part of the expression that
does not name ``response``, and which way a condition over ``params`` goes. Where only the response can tell, both ways
have to be open. So a call that would be run for nothing, because an argument is left out or is a text, is found first.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from keyway.tools.expression import Expression, ExpressionError, number_of

_OVER_NUMBERS = ("max", "min", "round")
"""Functions of several arguments, all of them numbers."""


def rehearse(expression: Expression, params: Mapping[str, object]) -> None:
    """Returns when nothing in ``params`` keeps ``expression`` from being worked out.

    Raises:
        ExpressionError: Something does. The message says what, in the words of ``Expression.amount``.
    """
    if expression.names_response:
        _Rehearsal(expression, params).of(expression.tree)
    else:
        expression.amount(params, None)


class _Rehearsal:
    """Looks at the parts of one expression for one call."""

    def __init__(self, expression: Expression, params: Mapping[str, object]) -> None:
        self._expression = expression
        self._params = params

    def of(self, part: ast.AST) -> None:
        """Returns when ``part`` can be worked out, or only the response may keep it from it."""
        if not _names_response(part):
            self._value(part)
            return
        match part:
            case ast.IfExp():
                self._choice(part)
            case ast.BoolOp():
                self._logic(part)
            case ast.BinOp():
                self._arithmetic(part)
            case ast.Compare():
                self._comparison(part)
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in _OVER_NUMBERS:
                self._numbers(arguments)
            case ast.Call(args=arguments):
                self._all(arguments)
            case _:
                self._all([each for each in ast.iter_child_nodes(part) if isinstance(each, ast.expr)])

    def _choice(self, part: ast.IfExp) -> None:
        if _names_response(part.test):
            self._all([part.test, part.body, part.orelse])
        else:
            self.of(part.body if self._value(part.test) else part.orelse)

    def _logic(self, part: ast.BoolOp) -> None:
        for value in part.values:
            self.of(value)
            if not _names_response(value) and bool(self._value(value)) is isinstance(part.op, ast.Or):
                return  # what follows is not looked at

    def _arithmetic(self, part: ast.BinOp) -> None:
        self._numbers([part.left, part.right])
        divides = isinstance(part.op, ast.Div | ast.FloorDiv | ast.Mod)
        if divides and not _names_response(part.right) and not self._value(part.right):
            raise ExpressionError("divides by zero")

    def _comparison(self, part: ast.Compare) -> None:
        parts = [part.left, *part.comparators]
        self._all(parts)
        if any(isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for operator in part.ops):
            for each in parts:
                if not _names_response(each) and not isinstance(value := self._value(each), str):
                    number_of(value)

    def _numbers(self, parts: Sequence[ast.expr]) -> None:
        self._all(parts)
        for each in parts:
            if not _names_response(each):
                number_of(self._value(each))

    def _all(self, parts: Sequence[ast.expr]) -> None:
        for each in parts:
            self.of(each)

    def _value(self, part: ast.AST) -> object:
        return self._expression.part(part, self._params)


def _names_response(part: ast.AST) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "response" for each in ast.walk(part))
