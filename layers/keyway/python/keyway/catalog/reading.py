"""Reads a JSON object key by key, so that a wrong row says in which file, which row and which key it is wrong.

A key is taken at most once, and a key nobody took is refused: a misspelt key must not be a silent default. This
is plain Python on purpose. The catalog is read on every cold start, and building a validator for a schema would
take longer than reading the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import NoReturn, TypeVar

T = TypeVar("T")


class Row:
    """One JSON object of the catalog.

    ``where`` names it in errors: ``models.json: openai: gpt-4.1``. Every method raises ``ValueError`` when the
    key holds something else, or is missing and has no default.
    """

    def __init__(self, data: object, where: str) -> None:
        self.where = where
        if not isinstance(data, Mapping):
            self.fail(f"must be an object, not {_shown(data)}")
        self._left: dict[str, object] = dict(data)

    def fail(self, problem: str) -> NoReturn:
        raise ValueError(f"{self.where}: {problem}")

    def has(self, key: str) -> bool:
        return key in self._left

    def text(self, key: str, default: str | None = None) -> str:
        return self._take(key, str, "a string", default)

    def optional_text(self, key: str) -> str | None:
        """The string, or ``None`` when the key is absent or null."""
        if self._left.get(key) is None:
            self._left.pop(key, None)
            return None
        return self.text(key)

    def flag(self, key: str) -> bool:
        return self._take(key, bool, "true or false", False)

    def count(self, key: str) -> int | None:
        """A whole number above 0, or ``None`` when the key is absent."""
        if not self.has(key):
            return None
        number = self._left.pop(key)
        if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
            self.fail(f"{key} must be a whole number above 0, not {_shown(number)}")
        return number

    def interval(self, key: str) -> tuple[float, float] | None:
        """``[lowest, highest]``, or ``None`` when the key is absent."""
        if not self.has(key):
            return None
        bounds = self._left.pop(key)
        match bounds:
            case [int() | float() as low, int() | float() as high] if low <= high:
                interval = float(low), float(high)
            case _:
                self.fail(f"{key} must be [lowest, highest], not {_shown(bounds)}")
        return interval

    def texts(self, key: str) -> tuple[str, ...]:
        """An array of strings; empty when the key is absent."""
        items = self._left.pop(key, [])
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.fail(f"{key} must be an array of strings, not {_shown(items)}")
        return tuple(items)

    def rows(self, key: str) -> tuple[Row, ...]:
        """An array of objects; empty when the key is absent."""
        items = self._left.pop(key, [])
        if not isinstance(items, list):
            self.fail(f"{key} must be an array, not {_shown(items)}")
        return tuple(Row(item, f"{self.where}: {key}[{n}]") for n, item in enumerate(items))

    def row(self, key: str) -> Row | None:
        """An object, or ``None`` when the key is absent or null."""
        item = self._left.pop(key, None)
        return None if item is None else Row(item, f"{self.where}: {key}")

    def mapping(self, key: str) -> Mapping[str, object]:
        """An object whose keys are not ours to check; empty when the key is absent."""
        item = self._left.pop(key, {})
        if not isinstance(item, Mapping):
            self.fail(f"{key} must be an object, not {_shown(item)}")
        return item

    def dollars(self, key: str) -> Decimal | None:
        """A rate, written as a string so that no digit is lost; ``None`` when the key is absent."""
        if not self.has(key):
            return None
        written = self._left.pop(key)
        try:
            amount = Decimal(written) if isinstance(written, str) else None
        except InvalidOperation:
            amount = None
        if amount is None or not amount.is_finite() or amount < 0:
            self.fail(f'{key} must be an amount in a string, such as "0.25", not {_shown(written)}')
        return amount

    def done(self) -> None:
        """Refuses the keys nobody asked for."""
        if self._left:
            self.fail(f"unknown {', '.join(sorted(self._left))}")

    def _take(self, key: str, kind: type[T], description: str, default: T | None) -> T:
        value = self._left.pop(key, default)
        if value is None:
            self.fail(f"{key} is missing")
        if not isinstance(value, kind):
            self.fail(f"{key} must be {description}, not {_shown(value)}")
        return value


def _shown(value: object) -> str:
    return repr(value)[:80]
