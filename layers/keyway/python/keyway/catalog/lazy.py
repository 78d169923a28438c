"""A mapping whose values are made when they are first looked at.

A request needs one provider, one model and one price. Making the others as well would take most of the time that
reading the catalog takes on a cold start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Lazy(Mapping[str, T]):
    """Values by id, made from rows.

    Args:
        rows: What a value is made from, by id.
        make: Makes the value of an id from its row; called once for each id.
        made: Values that are there already; they win over ``rows``.
    """

    def __init__(
        self,
        rows: Mapping[str, object],
        make: Callable[[str, object], T],
        made: Mapping[str, T] | None = None,
    ) -> None:
        self._rows = rows
        self._make = make
        self._made = dict(made or {})

    def __getitem__(self, name: str) -> T:
        if name not in self._made:
            self._made[name] = self._make(name, self._rows[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._made or name in self._rows

    def __iter__(self) -> Iterator[str]:
        yield from self._rows
        yield from (name for name in self._made if name not in self._rows)

    def __len__(self) -> int:
        return len(self._rows.keys() | self._made.keys())

    def also(self, made: Mapping[str, T]) -> Lazy[T]:
        """The same values, and ``made``, which win. This mapping is left as it is."""
        return Lazy(self._rows, self._make, {**self._made, **made})
