"""Prices and counts that an operator writes as arithmetic over a tool's ``params`` and ``response``. Pure.

    0.002 * count(response.results)
    0.01 if "depth" in params and params.depth == "deep" else 0.002
    max(0.001, response.usage.tokens * 3 / 1000000)

The language is simpleeval's, cut down to what a price needs: arithmetic, comparisons, ``in``, ``and``/``or``/``not``,
``x if c else y``, members of objects by ``.name`` or ``["name"]``, elements of arrays, and the functions of
``_FUNCTIONS``. Names and members are those of the JSON; nothing of Python's can be reached. Every number is a
``Decimal``, so ``0.1 * 3`` is ``0.3``, and only numbers are reckoned with: ``true`` is not 1.

A member that is not there is an error and never a zero: what a call costs is then not known, which is not the same as
nothing. No tool is run whose price its arguments leave open (``rehearsal.py``). Where a member may be missing,
``"depth" in params and ...`` asks first.
"""

from __future__ import annotations

import ast
import decimal
import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from typing import Any

_LONGEST = 1_000
"""Characters of one expression."""

_DEEPEST = 50
"""Levels of one expression."""

_MOST = Decimal(10) ** 15
"""No price and no count is more than this; who multiplies and rounds it later has digits enough."""

_CONTEXT = decimal.Context(
    prec=60, Emax=9_999, Emin=-9_999, traps=[decimal.DivisionByZero, decimal.InvalidOperation, decimal.Overflow]
)
"""How numbers are reckoned with, whatever the process's own decimal context says."""

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]{1,60}(?:\.[0-9]{0,60})?|\.[0-9]{1,60})(?:[eE][+-]?[0-9]{1,3})?\s*")


class ExpressionError(ValueError):
    """The expression is none, or cannot be worked out for this call. The message never quotes the call's data."""


class Expression:
    """One expression, checked when it is made.

    Attributes:
        text: As the operator wrote it.
        tree: As Python reads it.
        names_response: It looks at the response, so it can be worked out only after the call.

    Raises:
        ExpressionError: ``text`` is not an expression of this language.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > _LONGEST:
            raise ExpressionError(f"must not be longer than {_LONGEST} characters")
        source = text.strip()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # what Python only frowns at (1if x) is no expression here
                self.tree = ast.parse(source, mode="eval").body
        except (SyntaxError, Warning, ValueError, RecursionError, MemoryError):
            raise ExpressionError("is not an expression") from None
        _check(self.tree, source, 1)
        self.names_response = any(isinstance(node, ast.Name) and node.id == "response" for node in ast.walk(self.tree))

    def value(self, params: Mapping[str, object], response: object) -> object:
        """What the expression comes to: a ``Decimal``, or any other JSON as it stands in ``params`` and ``response``.

        Raises:
            ExpressionError: Something it names is not there, or is not of a kind that can be reckoned with.
        """
        return self._worked_out(self.tree, {"params": params, "response": _plain(response)})

    def part(self, part: ast.AST, params: Mapping[str, object]) -> object:
        """The same for a part of ``tree`` that does not look at the response."""
        return self._worked_out(part, {"params": params})

    def _worked_out(self, part: ast.AST, names: Mapping[str, object]) -> object:
        with _reckoning():
            return _evaluator()(names).eval(self.text, part)

    def amount(self, params: Mapping[str, object], response: object) -> Decimal:
        """The same as a number; below zero counts as zero.

        Raises:
            ExpressionError: As ``value``, or the value is no number, or beyond all prices and counts (10^15).
        """
        value = self.value(params, response)
        if not isinstance(value, Decimal):
            raise ExpressionError("does not come to a number")
        if value > _MOST:
            raise ExpressionError(f"comes to more than {_MOST:,}")
        return value if value > 0 else Decimal(0)


@cache
def expression(text: str) -> Expression:
    """The expression ``text``, read once: the catalog's check does it at start, and no call again.

    Raises:
        ExpressionError: As ``Expression``.
    """
    return Expression(text)


# What an expression may be made of.

_NODES = (
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Name, ast.Attribute, ast.Subscript, ast.Constant,
    ast.Call, ast.Load, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip
_REFUSED = (
    ast.Pow, ast.LShift, ast.RShift, ast.BitAnd, ast.BitOr, ast.BitXor, ast.Invert, ast.MatMult, ast.Is, ast.IsNot,
)  # fmt: skip
_WORDS = {"true": True, "false": False, "null": None}


def _check(node: ast.AST, source: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise ExpressionError(f"must not be nested more than {_DEEPEST} levels deep")
    if not isinstance(node, _NODES) or isinstance(node, _REFUSED):
        raise ExpressionError(f"{type(node).__name__} is not part of this language")
    match node:
        case ast.Name(id=name) if name not in ("params", "response", *_WORDS):
            raise ExpressionError(f"{name} is not known; there are params, response and {_functions()}")
        case ast.Attribute(attr=name) if name.startswith("__"):
            raise ExpressionError(f"{name} is not a member of any JSON")
        case ast.Constant():
            node.value = _constant(node, source)
    for part in _arguments(node) if isinstance(node, ast.Call) else ast.iter_child_nodes(node):
        _check(part, source, depth + 1)


def _arguments(call: ast.Call) -> Sequence[ast.AST]:
    if not isinstance(call.func, ast.Name) or call.func.id not in _FUNCTIONS:
        raise ExpressionError(f"the functions are {_functions()}")
    if call.keywords:
        raise ExpressionError("a function's arguments have no names")
    return call.args


def _constant(node: ast.Constant, source: str) -> Any:
    """A literal's value, once and for all: numbers from their own text, which a ``float`` would not keep."""
    if node.value is None or isinstance(node.value, bool | str):
        return node.value
    text = (ast.get_source_segment(source, node) or "").replace("_", "")
    if not isinstance(node.value, int | float) or not _NUMBER.fullmatch(text):
        raise ExpressionError("a literal must be a decimal number of no more than 60 digits, a text, true or false")
    return Decimal(text)


# What it is worked out with.


def _plain(value: object) -> object:
    """A value of the JSON as it is reckoned with: numbers are exact."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return _finite(Decimal(value) if isinstance(value, int) else Decimal(repr(value)))


def _finite(number: Decimal) -> Decimal:
    if not number.is_finite():
        raise ExpressionError("meets a number that is none")
    return +number  # to the precision of all arithmetic here, however many digits were sent


def number_of(value: object) -> Decimal:
    """``value`` as it is reckoned with. Raises ``ExpressionError`` when it is no number."""
    number = _plain(value)
    if not isinstance(number, Decimal):
        raise ExpressionError("reckons with something that is not a number")
    return number


def _numbers(values: tuple[object, ...]) -> list[Decimal]:
    """The arguments of ``min`` and ``max``: numbers, or one array of them."""
    found = values[0] if len(values) == 1 else values
    if not isinstance(found, list | tuple):
        raise ExpressionError("needs numbers, or an array of them")
    return [number_of(value) for value in found]


def _count(value: object) -> Decimal:
    if not isinstance(value, list | tuple | str | Mapping):
        raise ExpressionError("counts something that is not an array, an object or a text")
    return Decimal(len(value))


def _round(value: object, places: object = Decimal(0)) -> Decimal:
    if not isinstance(places, Decimal) or places not in range(21):
        raise ExpressionError("rounds to something other than 0 to 20 places")
    return number_of(value).quantize(Decimal(1).scaleb(-int(places)), decimal.ROUND_HALF_UP)


def _read_number(value: object) -> Decimal:
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise ExpressionError("reads a number out of a text that is none")
        return _finite(Decimal(value.strip()))
    return number_of(value)


_FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "count": _count,
    "sum": lambda values: sum(_numbers((values,)), Decimal(0)),
    "min": lambda *values: min(_numbers(values)),
    "max": lambda *values: max(_numbers(values)),
    "ceil": lambda value: number_of(value).to_integral_value(decimal.ROUND_CEILING),
    "floor": lambda value: number_of(value).to_integral_value(decimal.ROUND_FLOOR),
    "round": _round,
    "number": _read_number,
}
"""``count`` tells how many elements, members or characters there are; ``number`` reads a number out of a text;
``round`` goes half up, to whole numbers or to as many places as its second argument says."""


def _functions() -> str:
    return ", ".join(_FUNCTIONS)


def _same(left: object, right: object) -> bool:
    """As JSON has it: 1 is 1.0, and true is not 1."""
    left, right = _plain(left), _plain(right)
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _contains(element: object, container: object) -> bool:
    match container:
        case str() if isinstance(element, str):
            return element in container
        case Mapping() if isinstance(element, str):
            return element in container
        case list() | tuple():
            return any(_same(element, member) for member in container)
    raise ExpressionError("looks for something where nothing can be")


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    def compared(left: object, right: object) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return compare(left, right)
        return compare(number_of(left), number_of(right))

    return compared


def _arithmetic(work: Callable[..., Decimal]) -> Callable[..., Decimal]:
    return lambda *values: work(*map(number_of, values))


_OPERATORS: Mapping[type[ast.AST], Callable[..., object]] = {
    ast.Add: _arithmetic(operator.add),
    ast.Sub: _arithmetic(operator.sub),
    ast.Mult: _arithmetic(operator.mul),
    ast.Div: _arithmetic(operator.truediv),
    ast.FloorDiv: _arithmetic(operator.floordiv),
    ast.Mod: _arithmetic(operator.mod),
    ast.USub: _arithmetic(operator.neg),
    ast.UAdd: _arithmetic(operator.pos),
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.Eq: _same,
    ast.NotEq: lambda left, right: not _same(left, right),
    ast.In: _contains,
    ast.NotIn: lambda element, container: not _contains(element, container),
    ast.Not: operator.not_,
}


@contextmanager
def _reckoning() -> Iterator[None]:
    """In here numbers are exact, and whatever arithmetic raises says that the value is not known."""
    try:
        with decimal.localcontext(_CONTEXT):
            yield
    except ExpressionError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        raise ExpressionError(f"cannot be worked out: {type(error).__name__}") from None


def computed(work: ast.AST, *values: object) -> object:
    """What an operator, or a function by its name, makes of ``values``. Raises ``ExpressionError``."""
    function = _FUNCTIONS[work.id] if isinstance(work, ast.Name) else _OPERATORS[type(work)]
    with _reckoning():
        return function(*values)


@cache
def _evaluator() -> Callable[[Mapping[str, object]], Any]:
    """Makes evaluators. simpleeval is imported with the first expression, which few environments ever see."""
    import simpleeval  # noqa: PLC0415

    class Evaluator(simpleeval.SimpleEval):  # type: ignore[misc]  # the library is not typed
        """simpleeval with members of JSON in place of Python's attributes."""

        def __init__(self, names: Mapping[str, object]) -> None:
            super().__init__(dict(_OPERATORS), dict(_FUNCTIONS), {**_WORDS, **names})

        def _check_disallowed_items(self, item: object) -> None:
            """Looks for modules and functions in all that is met. In JSON there are none, and it may be long."""

        def _eval_attribute(self, node: ast.Attribute) -> object:
            return _member(self._eval(node.value), node.attr)

        def _eval_subscript(self, node: ast.Subscript) -> object:
            return _member(self._eval(node.value), self._eval(node.slice))

    return Evaluator


def _member(container: object, name: object) -> object:
    if isinstance(container, Mapping) and isinstance(name, str) and name in container:
        return _plain(container[name])
    if isinstance(container, list | tuple) and isinstance(name, Decimal) and name == name.to_integral_value():
        count = len(container)
        if -count <= name < count:
            return _plain(container[int(name)])
    raise ExpressionError("names something that is not there")
