"""Ids that an operator refuses to serve."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlockList:
    """Blocked ids, in lower case: whole ones, and beginnings."""

    ids: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, patterns: Collection[str]) -> BlockList:
        """The list of ``patterns``: ids in any case; a trailing ``*`` stands for any ending; empty ones say nothing."""
        lowered = [pattern.strip().lower() for pattern in patterns]
        return cls(
            ids=frozenset(pattern for pattern in lowered if pattern),
            beginnings=tuple(pattern[:-1] for pattern in lowered if pattern.endswith("*")),
        )

    def covers(self, *names: str) -> bool:
        """Whether any of ``names`` is blocked."""
        lowered = [name.lower() for name in names]
        return any(name in self.ids or name.startswith(self.beginnings) for name in lowered)
