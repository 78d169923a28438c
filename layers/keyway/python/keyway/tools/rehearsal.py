"""Whether a call's arguments let an expression be worked out, asked before the tool is run. Pure.

A price may look at the response, which is not there yet. So the expression is gone through as it will be, with
something unknown in the place of the response: what does not depend on it is worked out, and decides which way a
condition goes wherever it can (``"depth" in params and response.deep`` is false without a depth). Where only the
response can tell, both ways have to be open. So a call that would be run for nothing, because an argument is left out
or is a text, is found first. What the response itself may get wrong is found after the run, and is not the caller's.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from keyway.tools.expression import Expression, ExpressionError, computed, number_of

_MOST = Decimal(10) ** 12
"""No argument that a price or a count is reckoned from is more than this, or divides by less than one part of it."""


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A value that depends on the response.

    Attributes:
        truth: Whether it counts as true, where that is known all the same.
        perhaps: Values it may turn out to be that do not come from the response.
    """

    truth: bool | None = None
    perhaps: tuple[object, ...] = ()


def rehearse(expression: Expression, params: Mapping[str, object]) -> None:
    """Returns when nothing in ``params`` keeps ``expression`` from being worked out.

    Raises:
        ExpressionError: Something does. The message says what, in the words of ``Expression.amount``.
    """
    if not expression.names_response:
        expression.amount(params, None)
        return
    for value in _known(_Rehearsal(expression, params).value(expression.tree)):
        if not isinstance(value, Decimal):
            raise ExpressionError("does not come to a number")


class _Rehearsal:
    """Goes through one expression for one call."""

    def __init__(self, expression: Expression, params: Mapping[str, object]) -> None:
        self._expression = expression
        self._params = params

    def value(self, part: ast.AST) -> object:
        """What ``part`` comes to, or an ``_Unknown``. Raises ``ExpressionError`` when the arguments keep it from it."""
        if not _names(part, "response"):
            return self._expression.part(part, self._params)
        for kind, work in self._WORK:
            if isinstance(part, kind):
                return work(self, part)
        return _Unknown()  # the response itself

    def _choice(self, part: ast.IfExp) -> object:
        truth = _truth(self.value(part.test))
        if truth is not None:
            return self.value(part.body if truth else part.orelse)
        ways = (self.value(part.body), self.value(part.orelse))
        return _either(ways)

    def _logic(self, part: ast.BoolOp) -> object:
        decides = isinstance(part.op, ast.Or)  # a true one of "or", a false one of "and": nothing after it is looked at
        ways: list[object] = []
        for each in part.values:
            value = self.value(each)
            truth = _truth(value)
            if truth is decides or each is part.values[-1]:
                ways.append(value)
                break
            if truth is None:
                ways.append(value)
        ends_so = _truth(ways[-1])
        return ways[0] if len(ways) == 1 else _either(ways, truth=decides if ends_so is decides else None)

    def _not(self, part: ast.UnaryOp) -> object:
        value = self.value(part.operand)
        if not isinstance(part.op, ast.Not):
            return self._reckoned(part.op, (value,))
        truth = _truth(value)
        return _Unknown() if truth is None else not truth

    def _arithmetic(self, part: ast.BinOp) -> object:
        left, right = self.value(part.left), self.value(part.right)
        if isinstance(part.op, ast.Div | ast.FloorDiv | ast.Mod):
            for divisor in _known(right):
                if abs(number_of(divisor)) < 1 / _MOST:
                    raise ExpressionError("divides by zero")
        return self._reckoned(part.op, (left, right))

    def _reckoned(self, operator: ast.AST, operands: tuple[object, ...]) -> object:
        if not any(isinstance(operand, _Unknown) for operand in operands):
            return computed(operator, *operands)
        _check_numbers(operands)
        return _Unknown()

    def _comparison(self, part: ast.Compare) -> object:
        left, unknown = self.value(part.left), False
        for operator, node in zip(part.ops, part.comparators, strict=True):
            right = self.value(node)
            if isinstance(left, _Unknown) or isinstance(right, _Unknown):
                self._check_comparable(operator, left, right, by_arguments=_names(part, "params"))
                unknown = True
            elif not computed(operator, left, right):
                return _Unknown(truth=False) if unknown else False
            left = right
        return _Unknown() if unknown else True

    def _check_comparable(self, operator: ast.cmpop, left: object, right: object, *, by_arguments: bool) -> None:
        if isinstance(operator, ast.In | ast.NotIn):
            for container in _known(right):
                if not isinstance(container, str | Mapping | list | tuple):
                    raise ExpressionError("looks for something where nothing can be")
            if any(isinstance(element, Mapping | list | tuple) for element in _known(left)):
                raise ExpressionError("looks for something that cannot be found")
        elif not isinstance(operator, ast.Eq | ast.NotEq):
            for value in (*_known(left), *_known(right)):
                if by_arguments or not isinstance(value, str):
                    number_of(value)  # only the operator can know that the response has a text there

    def _call(self, part: ast.Call) -> object:
        assert isinstance(part.func, ast.Name)
        arguments = [self.value(each) for each in part.args]
        if not any(isinstance(each, _Unknown) for each in arguments):
            return computed(part.func, *arguments)
        if len(arguments) == 1:
            for value in _known(arguments[0]):
                computed(part.func, value)
        else:
            _check_numbers(arguments)
            if part.func.id == "round":
                for places in _known(arguments[1]):
                    computed(part.func, Decimal(0), places)
        return _Unknown()

    def _member(self, part: ast.Attribute | ast.Subscript) -> object:
        container = self.value(part.value)
        if isinstance(part, ast.Subscript):
            for index in _known(self.value(part.slice)):
                if not isinstance(index, str | Decimal):
                    raise ExpressionError("names something that is not there")
        for value in _known(container):
            if not isinstance(value, Mapping | list | tuple):
                raise ExpressionError("names something that is not there")
        return _Unknown()

    _WORK: Sequence[tuple[type[ast.AST] | tuple[type[ast.AST], ...], Callable[..., object]]] = (
        (ast.IfExp, _choice),
        (ast.BoolOp, _logic),
        (ast.UnaryOp, _not),
        (ast.BinOp, _arithmetic),
        (ast.Compare, _comparison),
        (ast.Call, _call),
        ((ast.Attribute, ast.Subscript), _member),
    )


def _known(value: object) -> tuple[object, ...]:
    """Those values that ``value`` may have without the response's doing."""
    return value.perhaps if isinstance(value, _Unknown) else (value,)


def _truth(value: object) -> bool | None:
    return value.truth if isinstance(value, _Unknown) else bool(value)


def _either(ways: Sequence[object], *, truth: bool | None = None) -> _Unknown:
    if truth is None:
        first, *others = (_truth(way) for way in ways)
        truth = first if all(other is first for other in others) else None
    return _Unknown(truth, tuple(value for way in ways for value in _known(way)))


def _check_numbers(values: Sequence[object]) -> None:
    for value in values:
        for known in _known(value):
            if abs(number_of(known)) > _MOST:
                raise ExpressionError(f"is reckoned from a number beyond {_MOST:,}")


def _names(part: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(part))
